"""Every kind of source, by its word. Pure."""

from difflib import get_close_matches
from functools import cache
from pkgutil import resolve_name

from service.sources.adapter import Adapter, ParameterError

_CLASSES = (
    "hf_daily:HfDaily",
    "arxiv_rss:ArxivRss",
    "arxiv_api:ArxivApi",
    "arxiv_oai:ArxivOai",
    "biorxiv:Biorxiv",
    "pubmed:Pubmed",
    "feed:Feed",
)
"""Module of this room and class of each kind, one line each, in the order of lists and forms. A
module is called like its kind."""

KINDS = tuple(place.partition(":")[0] for place in _CLASSES)
"""The words alone, which load no adapter: for the help of commands."""

ADAPTERS: dict[str, Adapter]
"""Word -> adapter, made when it is first asked for."""


@cache
def _adapters() -> dict[str, Adapter]:
    made: list[Adapter] = [resolve_name(f"service.sources.{place}")() for place in _CLASSES]
    return {one.kind: one for one in made}


def __getattr__(name: str) -> dict[str, Adapter]:
    if name == "ADAPTERS":
        return _adapters()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def adapter(kind: str) -> Adapter:
    """Return the adapter of ``kind``; raises ParameterError with the nearest known word."""
    known = _adapters()
    found = known.get(kind)
    if found is not None:
        return found
    near = get_close_matches(kind.lower().replace("-", "_"), known, n=1, cutoff=0.4)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    raise ParameterError(
        f'There is no kind of source "{kind[:60]}".',
        "kind",
        f"{hint}Known are: {', '.join(known)}.",
    )
