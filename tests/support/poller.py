"""A process that asks "arXiv" (a server on loopback) some pages in a row, at the shared pace.

``python -m tests.support.poller FOLDER DATABASE-URL ADDRESS GAP PAGES``; ends with 0 when all came.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from service.flows import asking
from service.flows.asking import visit
from service.settings import load_settings
from service.sources.adapter import Request
from service.sources.parse_pool import parse_here
from service.sources.registry import adapter
from service.wiring import House


async def ask(house: House, address: str, pages: int) -> bool:
    """Whether every page came."""
    requests = [Request(address) for _ in range(pages)]
    async with house.runtime.open_fetcher() as fetcher:
        made = await visit(house.runtime, fetcher, adapter("arxiv_rss"), requests)
    return len(made.pages) == pages


def main(folder: str, database: str, address: str, gap: str, pages: str) -> int:
    asking.GAPS = {"arxiv": timedelta(seconds=float(gap))}
    settings = load_settings(None, data_dir=Path(folder), database_url=database)
    house = House(settings, allow_private=True)
    house.runtime.parse = lambda kind, body, day: parse_here(kind, body, day=day)
    try:
        return 0 if asyncio.run(ask(house, address, int(pages))) else 1
    finally:
        house.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
