"""Every kind of mail has a subject, a text and an HTML part; none of them sends a stray line."""

from pathlib import Path

import pytest

EMAILS = Path(__file__).resolve().parents[2] / "templates" / "email"
KINDS = sorted(p for p in EMAILS.glob("*") if p.is_dir() and not p.name.startswith("_"))
FILES = ("subject.txt", "body.txt", "body.html")


def test_there_are_mails() -> None:
    assert KINDS, "templates/email holds no kind of mail"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_mail_has_subject_text_and_html(kind: Path) -> None:
    assert [name for name in FILES if not (kind / name).is_file()] == []
    assert [name for name in FILES if not (kind / name).read_text(encoding="utf-8").strip()] == []
