"""A frozen digest is read by versions that know less or more than the one that wrote it."""

from datetime import date

from service.digest.model import Digest, Entry, Marked, Section, from_json, to_json

ENTRY = Entry(paper_id=1, scheme="arxiv", value="2601.00001", title=Marked("A title", ((2, 7),)))
DIGEST = Digest(
    kind="daily",
    on=date(2026, 11, 19),
    checked=1,
    matched=1,
    sections=(Section(kind="interest", name="words", profile_id=1, total=1, entries=(ENTRY,)),),
)


def test_what_an_earlier_version_did_not_write_has_its_default() -> None:
    data = to_json(DIGEST)
    whole = data["sections"][0]["entries"][0]
    data["sections"][0]["entries"] = [
        {name: whole[name] for name in ("paper_id", "scheme", "value", "title")}
    ]
    assert from_json(data) == DIGEST


def test_what_only_a_later_version_knows_is_left_out() -> None:
    data = to_json(DIGEST)
    data["sections"][0]["entries"][0]["mood"] = "new"
    assert from_json(data) == DIGEST
