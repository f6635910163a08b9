"""Which printed names are the same person."""

import pytest

from service.matching.names import is_person, name_parts
from service.matching.terms import make_person


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Yoshua Bengio", "Y. Bengio"),
        ("Y. Bengio", "Yoshua Bengio"),
        ("Yoshua Bengio", "Yoshua A. Bengio"),
        ("Geoffrey E. Hinton", "Geoffrey Hinton"),
        ("Bengio, Yoshua", "Yoshua Bengio"),
        ("Yoshua Bengio", "Bengio, Y."),
        ("Yoshua Bengio", "Bengio Y"),
        ("Bengio Y", "Yoshua Bengio"),
        ("bengio", "Yoshua Bengio"),
        ("beng*", "Yoshua Bengio"),
        ("O'Neil", "Cathy O'Neil"),
        ("Smith-Jones", "Anna Smith-Jones"),
        ("Y.Bengio", "Yoshua Bengio"),
        ("Xiaoming Li", "Xiao-Ming Li"),
        ("X.-M. Li", "Xiao-Ming Li"),
        ("van der Maaten", "Laurens van der Maaten"),
        ("L. van der Maaten", "Laurens van der Maaten"),
        ("van der Berg JA", "Johan A. van der Berg"),
        ("Johan van der Berg", "van der Berg JA"),
        ("Smith JA", "John A. Smith"),
        ("Ben Poole", "B. Poole"),
        ("Ben Poole", "Ben M. Poole"),
        ("Di He", "D. He"),
        ("Łukasz Kaiser", "Lukasz Kaiser"),
        ("Robert Downey", "Robert Downey Jr."),
        ("何恺明", "何恺明"),
    ],
)
def test_same(typed: str, printed: str) -> None:
    assert is_person(make_person(typed, 1), name_parts(printed))


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Yoshua Bengio", "Samy Bengio"),
        ("Y. Bengio", "Samy Bengio"),
        ("van der Berg JA", "Karel van der Berg"),
        ("van Rossum", "V. Rossum"),
        ("Yoshua Bengio", "Yoshua Benga"),
        ("Wei Zhang", "Zhang Li"),
        ("Li", "Lia Chen"),
        ("Yoshua Bengio", "Bengio"),
        ("O'Neil", "Otto Neil"),
        ("O. Neil", "Cathy O'Neil"),
        ("Adam B. Smith", "Adam C. Smith"),
        ("van der Maaten", "Laurens van Maaten"),
        ("何恺明", "何明"),
    ],
)
def test_others(typed: str, printed: str) -> None:
    assert not is_person(make_person(typed, 1), name_parts(printed))


def test_a_name_without_letters_is_nobodys() -> None:
    assert name_parts("…") == ()
    assert not is_person(make_person("Ben Poole", 1), ())
