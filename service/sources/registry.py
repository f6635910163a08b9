"""Every kind of source, by its word. Pure."""

from difflib import get_close_matches

from service.sources.adapter import Adapter, ParameterError
from service.sources.arxiv_api import ArxivApi
from service.sources.arxiv_oai import ArxivOai
from service.sources.arxiv_rss import ArxivRss
from service.sources.biorxiv import Biorxiv
from service.sources.feed import Feed
from service.sources.hf_daily import HfDaily
from service.sources.pubmed import Pubmed

ADAPTERS: dict[str, Adapter] = {
    adapter.kind: adapter
    for adapter in (HfDaily(), ArxivRss(), ArxivApi(), ArxivOai(), Biorxiv(), Pubmed(), Feed())
}


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
