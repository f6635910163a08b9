"""Twins across real captures: the store keeps as many papers as the goldens count works."""

from itertools import groupby
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.goldens import real_captures, twins
from support.house import open_house

from service.flows.ingest import ingest_files
from service.sources.adapter import CaptureError
from service.sources.registry import adapter

LEFT_OUT = ("/history/", "/head/", "/examples/", "/nature/")
DAYS = ("hf_daily/2026-04", "hf_daily/2026-06")
"""Those of which other captures hold papers, too."""


def chosen(shared: Path) -> list[tuple[str, str]]:
    names = [
        (name, kind)
        for name, kind in real_captures(shared)
        if not any(part in name for part in LEFT_OUT)
        and (kind != "hf_daily" or name.startswith(DAYS))
    ]
    return sorted(names, key=lambda pair: pair[1])


@pytest.mark.timeout(300)
@pytest.mark.slow  # some three thousand papers are stored
def test_a_paper_of_several_captures_is_stored_once(shared: Path, tmp_path: Path) -> None:
    names = chosen(shared)
    papers = []
    for name, kind in names:
        try:
            parsed = adapter(kind).parse((shared / name).read_bytes())
        except CaptureError:
            continue
        papers += [(name, kind, sighting.paper) for sighting in parsed.sightings]
    counted = twins(papers)
    assert counted["works_of_two_kinds"]["arxiv_rss + hf_daily"] > 10
    assert counted["works_of_two_kinds"]["feed + hf_daily"] > 2
    with open_house(tmp_path) as house:
        for kind, group in groupby(names, key=lambda pair: pair[1]):
            files = [shared / name for name, _ in group]
            ingest_files(house.runtime, kind, files, history=True)
        stored = house.runtime.db.read(
            lambda s: s.execute(
                sa.text("SELECT COUNT(*) FROM paper WHERE merged_into IS NULL")
            ).scalar()
        )
    assert stored == counted["works"] < counted["papers_read"]
