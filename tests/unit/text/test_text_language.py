"""Which language a paper's text is in, as far as its letters tell."""

import pytest

from service.text.language import language_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LoRA adapters that forget less", "en"),
        ("α-divergence for β-VAEs", "en"),
        ("A study of 点云 in robots and of their many uses", "en"),
        ("路径规划与点云", "zh"),
        ("大規模言語モデルの評価", "ja"),
        ("한국어 문장 분류", "ko"),
        ("基于 Transformer 的点云路径规划方法研究", "zh"),
        ("Обучение с подкреплением", ""),
        ("تعلم الآلة", ""),
        ("2611.00000", ""),
        ("Verfahren zur Erkennung von Kunstwerken mit Robotern", ""),
        ("Une étude des robots dans les musées", ""),
        ("Von Neumann entropy, de Bruijn graphs", "en"),
        ("On the reception of Dichtung und Wahrheit: der Fall Goethe in the press", "en"),
        ("", ""),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_language(text: str, expected: str) -> None:
    assert language_of(text) == expected
