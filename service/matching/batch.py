"""Profiles x papers in one go, without a database: the pure part of ``paperpost match``."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from service.matching.document import Document, prepare
from service.matching.evaluate import Hit, evaluate
from service.matching.index import Index
from service.matching.parse import parse_keywords, parse_query
from service.matching.query import Query, QueryError
from service.matching.score import Statistics, score
from service.papers.model import Alias, Paper
from service.text.alignment import Alignment, align
from service.text.tex import to_unicode

Refused = list[dict[str, Any]]
"""What could not be read: ``{"profile" or "paper", "problem"}``."""

_Texts = dict[str, tuple[str, str]]
"""Title and abstract, each as typed and as shown."""

_ARXIV = re.compile(r"\d{4}\.\d{4,5}(v\d+)?|[a-z-]+(\.[A-Z]{2})?/\d{7}(v\d+)?")


def match_batch(
    profiles: Iterable[Mapping[str, Any]],
    papers: Iterable[Mapping[str, Any]],
    *,
    explain: bool = False,
    top: int | None = None,
    refused: Refused | None = None,
) -> Iterator[dict[str, Any]]:
    """Every match as ``{"profile", "paper", "score", "hits"}``, paper by paper in their order.

    top: only so many papers of each profile, the best ones, best first.

    profiles: ``{"id", "query"}`` (or ``"keywords"`` instead of the query). papers: ``{"id",
    "title", "abstract", "authors"?, "categories"?, "organisation"?, "votes"?, "comments"?}``.
    hits: ``{"term", "where", "start", "end"}`` each, in characters of the title and abstract as
    they were given, TeX included (of the other fields as they are read). ``explain`` adds the
    score's ``parts``.
    refused: receives what cannot be read; one bad line never stops the others.
    """
    problems: Refused = [] if refused is None else refused
    read = ((line.get("id"), _read(line, problems)) for line in profiles)
    queries = [(name, query) for name, query in read if query is not None]
    names, documents, texts = _documents(papers, problems)
    statistics = Statistics.of(documents)
    index = Index()
    for number, (_, query) in enumerate(queries):
        index.add(number, query)
    laid: list[dict[str, Alignment]] = [{} for _ in documents]
    for at, number, hits in _matches(index, queries, documents, statistics, top):
        profile, query = queries[number]
        document = documents[at]
        found = score(
            query,
            document,
            hits,
            statistics,
            votes=document.votes,
            comments=document.comments,
            age_days=0,
        )
        line = {
            "profile": profile,
            "paper": names[at],
            "score": round(found.total, 4),
            "hits": [_hit(hit, texts[at], laid[at]) for hit in hits],
        }
        if explain:
            line["parts"] = {part: round(value, 4) for part, value in found.parts.items()}
        yield line


def _matches(
    index: Index,
    queries: Sequence[tuple[Any, Query]],
    documents: Sequence[Document],
    statistics: Statistics,
    top: int | None,
) -> Iterator[tuple[int, int, tuple[Hit, ...]]]:
    """(paper, profile, hits): paper by paper, or the best of each profile by themselves."""
    if top is None:
        for at, document in enumerate(documents):
            for number, hits in index.match(document).items():
                yield at, number, hits
        return
    for ids, papers, _ in index.best_many(documents, statistics, top):
        for number, at in zip(ids.tolist(), papers.tolist(), strict=True):
            yield at, number, evaluate(queries[number][1], documents[at]) or ()


def count_batch(
    profiles: Iterable[Mapping[str, Any]],
    papers: Iterable[Mapping[str, Any]],
    *,
    cpu: Callable[[], float],
    peak_mb: Callable[[], float],
    refused: Refused | None = None,
) -> dict[str, Any]:
    """The one object of ``--count``: ``profiles`` (read), ``refused`` (profiles that were not),
    ``papers``, ``matches``, ``compile_s`` (parsing and indexing), ``match_cpu_s`` (folding the
    papers and matching them), ``index_mb`` and ``bytes_per_profile`` (memory of the index),
    ``peak_mb``.

    cpu: seconds of CPU used so far. peak_mb: the highest memory so far in MB.
    """
    problems: Refused = [] if refused is None else refused
    began = cpu()
    index, read = Index(), 0
    for line in profiles:
        query = _read(line, problems)
        if query is not None:
            index.add(read, query)
            read += 1
    index.compact()
    compiled = cpu()
    unread = len(problems)
    _, documents, _ = _documents(papers, problems)
    matches = sum(map(len, index.match_many(documents)))
    held = sum(index.memory().values())
    return {
        "profiles": read,
        "refused": unread,
        "papers": len(documents),
        "matches": matches,
        "compile_s": round(compiled - began, 3),
        "match_cpu_s": round(cpu() - compiled, 3),
        "index_mb": round(held / 1048576, 1),
        "bytes_per_profile": round(held / max(1, read)),
        "peak_mb": round(peak_mb(), 1),
    }


def _read(line: Mapping[str, Any], refused: Refused) -> Query | None:
    """The query of a profile, or None, and why, in ``refused``."""
    name, query, keywords = line.get("id"), line.get("query"), line.get("keywords")
    try:
        if isinstance(query, str):
            return parse_query(query)
        if isinstance(keywords, str):
            return parse_keywords(keywords)
        refused.append({"profile": name, "problem": "This profile has no query."})
    except QueryError as error:
        refused.append({"profile": name, "problem": str(error)})
    return None


def _documents(
    papers: Iterable[Mapping[str, Any]], refused: Refused
) -> tuple[list[Any], list[Document], list[_Texts]]:
    """Names, papers, and their texts."""
    names, documents, texts = [], [], []
    for line in papers:
        name = line.get("id")
        if not isinstance(line.get("title"), str):
            refused.append({"paper": name, "problem": "This paper has no title."})
            continue
        names.append(name)
        typed = {"title": line["title"], "abstract": _text(line.get("abstract"))}
        shown = {place: to_unicode(text) for place, text in typed.items()}
        documents.append(prepare(_paper(line, shown["title"], shown["abstract"])))
        texts.append({place: (text, shown[place]) for place, text in typed.items()})
    return names, documents, texts


def _paper(line: Mapping[str, Any], title: str, abstract: str) -> Paper:
    name = str(line.get("id", ""))
    alias = Alias("arxiv", name) if _ARXIV.fullmatch(name) else Alias("guid", name)
    return Paper(
        aliases=(alias,),
        title=title,
        abstract=abstract,
        authors=tuple(to_unicode(name) for name in _names(line.get("authors"))),
        categories=_names(line.get("categories")),
        organisation=_text(line.get("organisation")),
        votes=_figure(line.get("votes")),
        comments=_figure(line.get("comments")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _figure(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _names(value: object) -> tuple[str, ...]:
    """A list of strings or of ``{"name"}``, or one string with commas."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    if not isinstance(value, Sequence):
        return ()
    names = (item.get("name") if isinstance(item, Mapping) else item for item in value)
    return tuple(name for name in names if isinstance(name, str))


def _hit(hit: Hit, texts: _Texts, laid: dict[str, Alignment]) -> dict[str, Any]:
    """``laid`` keeps what was laid side by side for an earlier hit of the paper."""
    start, end = hit.start, hit.end
    if hit.where in texts:
        if hit.where not in laid:
            laid[hit.where] = align(*texts[hit.where])
        start, end = laid[hit.where].span(start, end)
    return {"term": hit.term, "where": hit.where, "start": start, "end": end}
