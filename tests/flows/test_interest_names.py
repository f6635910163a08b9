"""The name that an interest gets from its words: whole words, and how many are not in it."""

import pytest

from service.flows.interests import read_kind


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("LoRA", "LoRA"),
        ("LoRA, PEFT, adapters", "LoRA · PEFT · adapters"),
        ("LoRA, PEFT, adapters, quantization", "LoRA · PEFT · adapters + 1"),
        (
            "Reparameterization, Low-Rank Reparameterization, Efficient Fine-Tuning, LoRA",
            "Reparameterization · Low-Rank Reparameterization + 2",
        ),
        (f"{'long ' * 20}, LoRA", f"{('long ' * 15).strip()}… + 1"),
    ],
)
def test_a_name_never_ends_inside_a_word_and_counts_the_rest(words, name):
    assert read_kind("keywords", words).name == name
    assert len(name) <= 80
