"""What readers want, counted once a day and when somebody asks: each term with its readers and its
papers, each interest with its papers, each source with what it brought.

It reads readers a part at a time and keeps sums alone, so that it takes as much memory as there are
different terms; pages show what was counted last.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import process_time
from typing import Any

from service.flows.estimate import days_of
from service.flows.live import query_of
from service.flows.match import learn
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.matching.compiled import FORM_VERSION, dump_node, load_node
from service.matching.counting import number_of
from service.store import workbench as store
from service.store.db import Priority
from service.store.workbench import Asking
from service.text.fold import FOLD_VERSION

DAYS = 30
READERS = 2000
"""Readers of one step: one short reading, one short write."""

_TERMS_AT_ONCE = 500
_LONGEST = 254


@dataclass(frozen=True, slots=True, kw_only=True)
class CensusReport:
    """readers, interests: looked at · terms: different ones · papers: new in the days · pairs:
    (interest, paper) · seconds: of a processor."""

    readers: int
    interests: int
    terms: int
    papers: int
    pairs: int
    seconds: float


@dataclass(slots=True)
class _Term:
    """leaf: as stored · last: the reader who was counted last, so that each counts once."""

    leaf: list[Any]
    readers: int = 0
    interests: int = 0
    last: int = 0
    shown: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Share:
    papers: int = 0
    matched: int = 0
    alone: int = 0
    alone_matched: int = 0
    readers: int = 0
    only_readers: int = 0


def count_interests(rt: Runtime, *, by: str = "", address: str = "") -> CensusReport:
    """Count everything anew. by: who asked for it, "" = the clock did."""
    began, now = process_time(), rt.clock()
    since = now - timedelta(days=DAYS)
    learn(rt, DAYS)
    sources = _Sources(rt, since)
    terms: dict[tuple[str, str], _Term] = {}
    readers = interests = pairs = last = 0
    while some := rt.db.read(lambda s, a=last: store.list_readers_after(s, a, READERS)):  # type: ignore[misc]
        asking = rt.db.read(lambda s, r=some: store.list_asking(s, r))  # type: ignore[misc]
        asking.sort(key=lambda one: one.reader)
        for one in asking:
            _note(terms, one)
        wanted = rt.db.read(lambda s, a=asking: store.list_pairs(s, [x.id for x in a]))  # type: ignore[misc]
        counts = sources.take(asking, wanted)
        rt.db.write(lambda s, c=counts: store.put_counts(s, c), Priority.BULK)  # type: ignore[misc]
        readers, interests = readers + len(some), interests + len(asking)
        pairs, last = pairs + sum(counts.values()), some[-1]
    rows = list(_term_rows(rt, terms))
    rt.db.write(lambda s: store.put_terms(s, rows), Priority.BULK)
    report = CensusReport(
        readers=readers, interests=interests, terms=len(rows), papers=len(sources.shown_by),
        pairs=pairs, seconds=round(process_time() - began, 2),
    )  # fmt: skip

    def end(session: Any) -> None:
        store.forget_counts(session)
        store.put_shares(session, sources.rows())
        store.put_run(
            session, at=now, seconds=report.seconds, readers=readers, interests=interests,
            papers=report.papers, pairs=pairs,
        )  # fmt: skip
        if by:
            write_audit(
                session, now, who=by, what=store.COUNTED, address=address,
                after={"readers": readers, "interests": interests},
            )  # fmt: skip

    rt.db.write(end, Priority.BULK)
    rt.log("census", readers=readers, interests=interests, terms=len(rows), pairs=pairs)
    return report


# ---- terms ----


def _note(terms: dict[tuple[str, str], _Term], one: Asking) -> None:
    for leaf in _leaves(_root(one)):
        key, kind = _key(leaf)
        made = terms.get((key, kind))
        if made is None:
            made = terms[key, kind] = _Term(leaf)
        made.interests += 1
        if made.last != one.reader:
            made.last, made.readers = one.reader, made.readers + 1
        if len(made.shown) < 8 or _shown(leaf) in made.shown:
            made.shown[_shown(leaf)] += 1


def _root(one: Asking) -> list[Any] | None:
    """The stored tree, made anew where it is of another version."""
    compiled = one.compiled or {}
    if (compiled.get("fold"), compiled.get("form")) == (FOLD_VERSION, FORM_VERSION):
        root: list[Any] = compiled["root"]
        return root
    query = query_of(one.kind, one.text, one.compiled, one.options)
    return dump_node(query.root) if query is not None else None


def _leaves(node: list[Any] | None) -> Iterator[list[Any]]:
    """The wanted leaves: what must not be there is no wish."""
    if node is None or node[0] == "!":
        return
    if node[0] in "&|":
        for part in node[1:]:
            yield from _leaves(part)
    else:
        yield node


def _key(leaf: list[Any]) -> tuple[str, str]:
    """(folded form, kind) of a stored leaf (``matching/compiled``)."""
    sign = leaf[0]
    if sign == "t":
        field_, exact = leaf[3], leaf[4]
        words = " ".join(stem or key for key, _kind, stem in leaf[2])
        kind = "organisation" if field_ == "org" else "words"
        before = f"{field_}:" if field_ and field_ != "org" else ""
        return f"{before}{'=' if exact else ''}{words}"[:_LONGEST], kind
    if sign == "n":
        words = " ".join(sorted(stem or key for key, _kind, stem in leaf[2]))
        return f"{leaf[4]}:{words}~{leaf[3]}"[:_LONGEST].removeprefix(":"), "words"
    if sign == "p":
        return " ".join(leaf[2])[:_LONGEST], "person"
    if sign == "c":
        return f"{leaf[2]}{'*' if leaf[4] else ''}"[:_LONGEST], "category"
    return " ".join(map(str, leaf[1:]))[:_LONGEST], "other"


def _shown(leaf: list[Any]) -> str:
    """As it was typed."""
    if leaf[0] == "f":
        return f"{leaf[1]}:{'' if leaf[2] == '=' else leaf[2]}{leaf[3]}"
    text = str(leaf[1])
    if leaf[0] == "t":
        before = f"{leaf[3]}:" if leaf[3] and leaf[3] != "org" else ""
        return f"{before}{'=' if leaf[4] else ''}{text}"
    return f"{text}~{leaf[3]}" if leaf[0] == "n" else text


def _term_rows(rt: Runtime, terms: dict[tuple[str, str], _Term]) -> Iterator[dict[str, Any]]:
    """Each with the papers of the days that hold it."""
    days, corpus = days_of(rt, DAYS), rt.corpus.corpus
    keys = list(terms)
    for start in range(0, len(keys), _TERMS_AT_ONCE):
        with corpus.reading():
            asked = corpus.on_days(days)
            for term, kind in keys[start : start + _TERMS_AT_ONCE]:
                made = terms[term, kind]
                papers = number_of(corpus.wanted(load_node(made.leaf)) & asked)
                yield {
                    "term": term, "kind": kind, "shown": made.shown.most_common(1)[0][0],
                    "readers": made.readers, "interests": made.interests, "papers": papers,
                    "brings": made.readers * papers,
                }  # fmt: skip


# ---- sources ----


class _Sources:
    """What each source, and each category of it, brought to whom."""

    def __init__(self, rt: Runtime, since: datetime) -> None:
        self.shares: dict[tuple[int, str], _Share] = defaultdict(_Share)
        self._matched: set[int] = set()
        categories = rt.db.read(lambda s: store.list_new_papers(s, since))
        self.shown_by: dict[int, list[int]] = {paper: [] for paper in categories}
        for paper, source in rt.db.read(lambda s: list(store.list_showing(s, since))):
            if paper in self.shown_by:
                self.shown_by[paper].append(source)
        self._parts = {
            paper: [(source, name) for source in shown for name in ("", *set(categories[paper]))]
            for paper, shown in self.shown_by.items()
        }
        for paper, shown in self.shown_by.items():
            for part in self._parts[paper]:
                self.shares[part].papers += 1
                self.shares[part].alone += len(shown) == 1

    def take(self, asking: Sequence[Asking], wanted: Sequence[tuple[int, int]]) -> dict[int, int]:
        """Pairs of some readers' interests; returns how many papers of the days each wanted."""
        counts = {one.id: 0 for one in asking}
        owner = {one.id: one.reader for one in asking}
        papers: dict[int, set[int]] = defaultdict(set)
        for profile, paper in wanted:
            if paper in self._parts:
                counts[profile] += 1
                papers[owner[profile]].add(paper)
        for mine in papers.values():
            served = {part for paper in mine for part in self._parts[paper]}
            for part in served:
                self.shares[part].readers += 1
            whole = {source for source, name in served if not name}
            if len(whole) == 1:
                for part in served:
                    self.shares[part].only_readers += 1
            self._matched |= mine
        return counts

    def rows(self) -> Iterator[dict[str, Any]]:
        """As they are kept."""
        for paper in self._matched:
            for part in self._parts[paper]:
                self.shares[part].matched += 1
                self.shares[part].alone_matched += len(self.shown_by[paper]) == 1
        for (source, name), made in self.shares.items():
            yield {
                "source_id": source, "category": name[:80], "papers": made.papers,
                "matched": made.matched, "alone": made.alone,
                "alone_matched": made.alone_matched, "readers": made.readers,
                "only_readers": made.only_readers,
            }  # fmt: skip
