"""What a mail holds: defaults.md, "What a daily is", 6 to 8."""

from collections import namedtuple
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from service.defaults import Defaults
from service.digest.candidate import Candidate, Interest, NothingNew
from service.digest.model import Digest, Reason, from_json, to_json
from service.digest.select import compose
from service.papers.model import Alias, Paper

Hit = namedtuple("Hit", "term where start end")
ON = date(2026, 11, 20)
LORA = Interest(1, "Low-rank adaptation")
DIFFUSION = Interest(2, "Diffusion")
SILVA = Interest(3, "Ana Silva", "follow")


def paper(n: int, **changes: Any) -> Paper:
    fields: dict[str, Any] = {
        "aliases": (Alias("arxiv", f"2611.{n:05d}"),),
        "title": f"LoRA paper {n}",
        "abstract": f"Paper {n} studies LoRA. It ends.",
        "authors": ("Ana Silva", "Bo Chen", "Carla Diaz", "Dan Eze"),
        "links": {"abs": f"https://arxiv.org/abs/2611.{n:05d}"},
        "id": n,
    }
    return Paper(**(fields | changes))


def candidate(n: int, profile: int = 1, score: float = 1.0, **changes: Any) -> Candidate:
    made = Candidate(paper(n), profile, (Hit("LoRA", "title", 0, 4),), score)
    return replace(made, **changes)


def voted(n: int, votes: int | None, days_ago: int, comments: int = 0) -> Candidate:
    return Candidate(
        paper(n, votes=votes, comments=comments), 0, listed_on=ON - timedelta(days=days_ago)
    )


def made(*args: Any, **kwargs: Any) -> Digest:
    kwargs = {"checked": 446, "limits": Defaults()} | kwargs
    result = compose("daily", ON, *args, **kwargs)
    assert isinstance(result, Digest)
    return result


def test_ten_in_full_thirty_as_lines_the_rest_counted() -> None:
    digest = made([LORA], [candidate(n, score=100 - n) for n in range(1, 55)])
    (section,) = digest.sections
    assert [e.paper_id for e in section.entries] == list(range(1, 11))
    assert [x.paper_id for x in section.lines] == list(range(11, 41))
    assert section.rest == tuple(range(41, 55))
    assert section.total == 54
    assert digest.matched == 54
    assert digest.paper_ids() == tuple(range(1, 55))


def test_ten_counts_over_the_whole_mail_and_no_section_starves() -> None:
    broad = [candidate(n, 1, 100 - n) for n in range(1, 31)]
    narrow = [candidate(n, 2, 0.5) for n in range(31, 34)]
    digest = made([LORA, DIFFUSION], [*broad, *narrow])
    first, second = digest.sections
    assert len(first.entries) == 9
    assert [e.paper_id for e in second.entries] == [31]
    assert [x.paper_id for x in second.lines] == [32, 33]


def test_same_paper_stands_in_the_better_interest_and_names_the_other() -> None:
    digest = made([LORA, DIFFUSION], [candidate(1, 1, 0.4), candidate(1, 2, 0.9), candidate(2)])
    assert [(s.name, [e.paper_id for e in s.entries]) for s in digest.sections] == [
        ("Low-rank adaptation", [2]),
        ("Diffusion", [1]),
    ]
    assert digest.sections[1].entries[0].also_in == ("Low-rank adaptation",)
    assert digest.matched == 2


def test_people_come_first_interests_best_first_ties_by_id() -> None:
    found = [candidate(5, 1, 1.0), candidate(4, 1, 1.0), candidate(6, 2, 2.0), candidate(9, 3, 0.1)]
    digest = made([LORA, DIFFUSION, SILVA], found)
    assert [s.kind for s in digest.sections] == ["people", "interest", "interest"]
    assert [s.name for s in digest.sections] == ["Ana Silva", "Diffusion", "Low-rank adaptation"]
    assert [e.paper_id for e in digest.sections[2].entries] == [4, 5]
    assert digest == made([SILVA, DIFFUSION, LORA], found[::-1])


def test_a_cap_turns_further_papers_into_lines() -> None:
    digest = made([replace(LORA, cap=2)], [candidate(n, score=9 - n) for n in range(1, 6)])
    assert [e.paper_id for e in digest.sections[0].entries] == [1, 2]
    assert [x.paper_id for x in digest.sections[0].lines] == [3, 4, 5]


def test_trending_by_votes_a_day_then_comments_then_id() -> None:
    pool = [
        voted(1, 30, 2),  # 10 a day
        voted(2, 11, 0),  # 11 a day
        voted(3, 10, 0, comments=1),
        voted(4, 10, 0),
        voted(5, 0, 0),
        voted(6, None, 0),
        voted(7, 900, 3),  # the fourth list day
        voted(8, 2, 1),
    ]
    digest = made([], [], pool)
    assert digest.is_trending_only
    assert [e.paper_id for e in digest.entries()] == [2, 3, 1, 4, 8]
    assert digest.matched == 0


def test_list_days_are_days_with_a_list() -> None:
    friday_list_on_monday = [voted(1, 5, 3), voted(2, 5, 4), voted(3, 5, 5), voted(4, 5, 6)]
    digest = made([], [], friday_list_on_monday)
    assert [e.paper_id for e in digest.entries()] == [1, 2, 3]


def test_trending_leaves_out_what_stands_above_and_shares_the_ten() -> None:
    digest = made(
        [LORA],
        [candidate(n, score=50 - n) for n in range(1, 9)],
        [voted(n, 100 - n, 0) for n in range(1, 30)],
    )
    above, trending = digest.sections
    assert trending.kind == "trending"
    assert trending.total == 10
    assert len(above.entries) == 8
    assert [e.paper_id for e in trending.entries] == [9, 10]
    assert [x.paper_id for x in trending.lines] == list(range(11, 19))


def test_nothing_is_a_value_with_what_was_checked() -> None:
    assert compose(
        "daily", ON, [LORA], [], [voted(1, 0, 0)], checked=26, limits=Defaults()
    ) == NothingNew("nothing_new", 26)


def test_first_digest_is_the_best_five_and_holds_no_others() -> None:
    result = compose(
        "first",
        ON,
        [LORA, DIFFUSION],
        [candidate(n, 1 + n % 2, n) for n in range(1, 41)],
        [voted(99, 5, 0)],
        checked=446,
        limits=Defaults(),
    )
    assert isinstance(result, Digest)
    assert sorted(result.paper_ids()) == [36, 37, 38, 39, 40]
    assert result.matched == 40


def test_reasons_name_each_term_once_title_before_abstract() -> None:
    hits = (
        Hit("adaptation", "abstract", 3, 8),
        Hit("LoRA", "abstract", 16, 20),
        Hit("LoRA", "title", 0, 4),
        Hit("lora", "title", 0, 4),
    )
    (entry,) = made([LORA], [candidate(1, hits=hits)]).entries()
    assert entry.reasons == (Reason("LoRA", "title"), Reason("adaptation", "abstract"))
    assert entry.title.marks == ((0, 4),)
    assert entry.abstract.marks == ((3, 8), (16, 20))


def test_of_terms_found_at_the_same_places_the_printed_one_is_the_reason() -> None:
    one = candidate(1)
    end = len(one.paper.title)
    hits = (
        *(Hit(term, "title", 0, end) for term in ("agentic", one.paper.title, "agents")),
        Hit("agents", "abstract", 0, 3),
        *(Hit(term, "abstract", 3, 8) for term in ("adapted", "adapts")),
    )
    (entry,) = made([LORA], [replace(one, hits=hits)]).entries()
    assert entry.reasons == (
        Reason(one.paper.title, "title"), Reason("agents", "title"), Reason("adapted", "abstract"),
    )  # fmt: skip


def test_what_stands_inside_a_longer_hit_is_no_reason_there() -> None:
    hits = (
        Hit("adapter", "title", 5, 12),
        Hit("LoRA adapter", "title", 0, 12),
        Hit("adapter", "abstract", 0, 7),
        Hit("low-rank adapter", "abstract", 20, 36),
        Hit("rank", "abstract", 24, 28),
    )
    (entry,) = made([LORA], [candidate(1, hits=hits)]).entries()
    assert entry.reasons == (
        Reason("LoRA adapter", "title"), Reason("adapter", "abstract"),
        Reason("low-rank adapter", "abstract"),
    )  # fmt: skip


def test_styles() -> None:
    def abstract(style: str) -> str:
        (entry,) = made([LORA], [candidate(1)], style=style).entries()
        return entry.abstract.text

    assert abstract("short") == "Paper 1 studies LoRA.\u00a0[...]"
    assert abstract("full") == "Paper 1 studies LoRA. It ends."
    assert abstract("none") == ""
    assert abstract("summary") == abstract("short") != ""


def test_a_sources_own_line_stands_for_the_abstract_of_who_chose_it() -> None:
    told = candidate(1)
    told = replace(told, paper=replace(told.paper, summary_line="LoRA, in one line."))

    def shown(style: str) -> tuple[str, str]:
        (entry,) = made([LORA], [told], style=style).entries()
        return entry.summary_line, entry.abstract.text

    assert shown("summary") == ("LoRA, in one line.", "")
    assert shown("short")[0] == ""
    assert shown("short")[1]
    assert shown("none") == ("", "")
    told = replace(told, paper=replace(told.paper, summary_line="One. " + "Two words. " * 99))
    assert shown("summary")[0].startswith("One.")
    assert len(shown("summary")[0]) < 420


def test_names_and_addresses_without_end_take_nobodys_room() -> None:
    endless = candidate(1, place="P" * 999)
    links = {"abs": "https://arxiv.org/abs/2611.00001", "code": "https://x.example/" + "y" * 5000}
    endless = replace(endless, paper=replace(endless.paper, authors=("A" * 999,), links=links))
    (entry,) = made([LORA], [endless]).entries()
    assert (len(entry.authors[0]), len(entry.place)) == (120, 120)
    assert list(entry.links) == ["abs"]


def test_entry_holds_what_the_mail_shows() -> None:
    shown = candidate(1, place="cs.LG", listed_on=ON + timedelta(days=1), again=True)
    shown = replace(shown, paper=replace(shown.paper, announced_on=ON))
    (entry,) = made([LORA], [shown]).entries()
    assert entry.authors == ("Ana Silva", "Bo Chen", "Carla Diaz")
    assert entry.author_count == 4
    assert (entry.place, entry.dated_on, entry.again) == ("cs.LG", ON, True)


def test_json_and_back() -> None:
    digest = made(
        [LORA, SILVA],
        [candidate(n, 1 + 2 * (n % 2), n) for n in range(60)],
        [voted(99, 5, 0)],
        late=["bioRxiv"],
        since=ON,
        note="Hello",
    )
    assert from_json(to_json(digest)) == digest


def test_unknown_profile_is_a_fault() -> None:
    with pytest.raises(KeyError):
        made([LORA], [candidate(1, profile=77)])


def test_entries_made_before_change_nothing() -> None:
    base = candidate(1, parts={"title": 1.0})
    others = [
        base,
        candidate(1, parts={"title": 2.0}),
        candidate(1, score=2.0),
        candidate(1, hits=(Hit("LoRA", "abstract", 16, 20),)),
        candidate(1, hits=(Hit("lora", "title", 0, 4),)),
        candidate(1, place="cs.LG"),
        candidate(1, again=True),
        candidate(2),
    ]
    several = [[one] for one in others]
    several += [[base, candidate(1, 2, score=0.5, **more)] for more in ({}, {"again": True})]
    several += [[base, candidate(1, 2, score=0.5, hits=())]]
    kept: dict[Any, Any] = {}
    for _ in range(2):
        for interests in ([LORA, DIFFUSION], [LORA, replace(DIFFUSION, name="Noise")]):
            for style in ("short", "full", "none", "summary"):
                for some in several:
                    wanted = made(interests, some, style=style)
                    assert made(interests, some, style=style, entries=kept) == wanted
    assert len(kept) == 4 * (len(others) + 2 * 3)
