"""What arXiv calls its categories."""

from service.matching.categories import CODES
from service.papers.subjects import SUBJECTS, with_name


def test_every_code_has_a_name_and_no_other() -> None:
    archives = {code.partition(".")[0] for code in CODES.values() if "." in code}
    assert set(SUBJECTS) == set(CODES.values()) - archives
    assert all(name == name.strip() != "" for name in SUBJECTS.values())


def test_a_category_by_name() -> None:
    assert with_name("cs.CL") == "Computation and Language (cs.CL)"
    assert with_name("quant-ph") == "Quantum Physics (quant-ph)"
    assert with_name("Genomics") == "Genomics"
