"""Every kind of source, by its word. Pure."""

from difflib import get_close_matches
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
"""Module of this room and class of each kind, one line each, in the order of lists and forms."""


def _made(place: str) -> Adapter:
    found: Adapter = resolve_name(f"service.sources.{place}")()
    return found


ADAPTERS: dict[str, Adapter] = {made.kind: made for made in map(_made, _CLASSES)}


def adapter(kind: str) -> Adapter:
    """Return the adapter of ``kind``; raises ParameterError with the nearest known word."""
    found = ADAPTERS.get(kind)
    if found is not None:
        return found
    near = get_close_matches(kind.lower().replace("-", "_"), ADAPTERS, n=1, cutoff=0.4)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    raise ParameterError(
        f'There is no kind of source "{kind[:60]}".',
        "kind",
        f"{hint}Known are: {', '.join(ADAPTERS)}.",
    )
