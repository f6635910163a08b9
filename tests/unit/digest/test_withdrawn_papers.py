"""That a paper was withdrawn stays with it, in full and as a line."""

from datetime import date

from service.defaults import Defaults
from service.digest.budget import as_line
from service.digest.candidate import Candidate, Interest
from service.digest.model import Digest, from_json, to_json
from service.digest.select import compose
from service.papers.model import Alias, Paper

ON = date(2026, 11, 20)


def digest_of(number: int) -> Digest:
    made = compose(
        "daily",
        ON,
        [Interest(1, "words", "keywords")],
        [
            Candidate(
                paper=Paper(
                    aliases=(Alias("arxiv", f"2611.{n:05d}"),), title=f"Paper {n}", withdrawn=True,
                    id=n,
                ),
                profile_id=1,
                score=1.0,
            )
            for n in range(1, number + 1)
        ],
        checked=number,
        limits=Defaults(),
    )  # fmt: skip
    assert isinstance(made, Digest)
    return made


def test_it_is_said_of_entries_and_of_lines() -> None:
    (section,) = digest_of(12).sections
    assert [one.withdrawn for one in section.entries] == [True] * 10
    assert [one.withdrawn for one in section.lines] == [True] * 2
    assert as_line(section.entries[0]).withdrawn


def test_it_is_kept_on_the_row_and_old_rows_are_read_without_it() -> None:
    stored = to_json(digest_of(12))
    assert from_json(stored) == digest_of(12)
    for kind in ("entries", "lines"):
        for one in stored["sections"][0][kind]:
            del one["withdrawn"]
    (section,) = from_json(stored).sections
    assert not any(one.withdrawn for one in (*section.entries, *section.lines))
