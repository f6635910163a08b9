"""The bytes of the simulated sources, in the shapes that the real ones send."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from support.sky_script import EASTERN, Announced, Listed, Printed, midnight

Categories = dict[str, list[str]]
_XML = "<?xml version='1.0' encoding='UTF-8'?>\n"


def rss_page(name: str, said: date, items: list[tuple[Announced, str]]) -> bytes:
    """An announcement; said: the day that the channel names, at midnight Eastern."""
    stamp = f"{midnight(said).astimezone(EASTERN):%a, %d %b %Y %H:%M:%S %z}"
    entries = "".join(
        f"""<item><title>{one.work.title}</title><link>https://arxiv.org/abs/{one.work.number}</link>
<description>arXiv:{one.work.number}v{one.version} Announce Type: {kind} \nAbstract: """
        f"""{one.work.abstract}</description>
<guid isPermaLink="false">oai:arXiv.org:{one.work.number}v{one.version}</guid>
{"".join(f"<category>{c}</category>" for c in one.shown)}<pubDate>{stamp}</pubDate>
<arxiv:announce_type>{kind}</arxiv:announce_type>
{f"<arxiv:DOI>{one.doi}</arxiv:DOI>" if one.doi else ""}
<dc:creator>{", ".join(one.work.authors)}</dc:creator></item>"""
        for one, kind in items
    )
    return f"""{_XML}<rss xmlns:arxiv="http://arxiv.org/schemas/atom"
 xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel>
<title>{name} updates on arXiv.org</title><link>http://rss.arxiv.org/rss/{name}</link>
<description>{name} updates</description><lastBuildDate>{stamp}</lastBuildDate>
<pubDate>{stamp}</pubDate><skipDays><day>Sunday</day><day>Saturday</day></skipDays>
{entries}</channel></rss>""".encode()


def atom_page(found: list[Announced], total: int, categories: Categories) -> bytes:
    """An answer of the query interface."""
    entries = "".join(
        f"""<entry><id>http://arxiv.org/abs/{one.work.number}v{one.version}</id>
<title>{one.work.title}</title><published>{one.received:%Y-%m-%dT%H:%M:%SZ}</published>
<updated>{one.received:%Y-%m-%dT%H:%M:%SZ}</updated><summary>{one.work.abstract}</summary>
{"".join(f"<author><name>{name}</name></author>" for name in one.work.authors)}
<arxiv:primary_category term="{categories[one.work.number][0]}"/>
{"".join(f'<category term="{c}"/>' for c in categories[one.work.number])}</entry>"""
        for one in found
    )
    return f"""{_XML}<feed xmlns="http://www.w3.org/2005/Atom"
 xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">
<title>arXiv Query</title><id>http://arxiv.org/api/1</id>
<opensearch:totalResults>{total}</opensearch:totalResults>{entries}</feed>""".encode()


def oai_page(
    found: list[Announced], total: int, more: str, categories: Categories, now: datetime
) -> bytes:
    """An answer of OAI-PMH to ListRecords in the form arXiv."""
    space = "http://arxiv.org/OAI/arXiv/"
    records = "".join(
        f"""<record><header><identifier>oai:arXiv.org:{one.work.number}</identifier>
<datestamp>{one.day}</datestamp><setSpec>{_set_of(categories[one.work.number][0])}</setSpec></header>
<metadata><arXiv xmlns="{space}"><id>{one.work.number}</id>
<created>{one.received:%Y-%m-%d}</created>
{f"<updated>{one.day - timedelta(days=1)}</updated>" if one.version > 1 else ""}<authors>
{"".join(_oai_author(name) for name in one.work.authors)}</authors><title>{one.work.title}</title>
<categories>{" ".join(categories[one.work.number])}</categories>
<abstract>  {one.work.abstract}
</abstract></arXiv></metadata></record>"""
        for one in found
    )
    token = f'<resumptionToken completeListSize="{total}">{more}</resumptionToken>'
    body = (
        f"<ListRecords>{records}{token}</ListRecords>"
        if found
        else '<error code="noRecordsMatch">nothing in this window</error>'
    )
    return f"""{_XML}<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
<responseDate>{now:%Y-%m-%dT%H:%M:%SZ}</responseDate><request verb="ListRecords">
http://oaipmh.arxiv.org/oai</request>{body}</OAI-PMH>""".encode()


def _set_of(category: str) -> str:
    archive, _, subject = category.partition(".")
    return f"{archive}:{archive}:{subject}"


def _oai_author(name: str) -> str:
    given, _, family = name.partition(" ")
    return f"<author><keyname>{family}</keyname><forenames>{given}</forenames></author>"


def list_page(found: list[Listed], now: datetime) -> bytes:
    """A page of the daily papers; votes grow with the hours."""
    return json.dumps([_entry(one, now) for one in found]).encode()


def _entry(one: Listed, now: datetime) -> dict[str, Any]:
    stamp = f"{one.day}T00:00:00.000Z"
    paper = {
        "id": one.work.number,
        "title": one.work.title,
        "summary": one.work.abstract,
        "authors": [{"name": name} for name in one.work.authors],
        "publishedAt": stamp,
        "submittedOnDailyAt": stamp,
        "upvotes": one.votes + int((now - one.at).total_seconds() // 3600),
    }
    return {"paper": paper, "title": one.work.title, "publishedAt": stamp, "numComments": 1}


def journal_page(name: str, found: list[Printed], now: datetime) -> bytes:
    """A journal's feed."""
    entries = "".join(
        f"""<item><title>{one.work.title}</title>
<link>https://{name}.journal.example/{one.work.mark}?utm_source=feed{now:%H%M%S}</link>
<guid isPermaLink="false">{name}-{one.work.mark}</guid>
{f"<prism:doi>{one.doi}</prism:doi>" if one.doi else ""}
<description>{one.work.abstract}</description><dc:creator>{one.work.authors[0]}</dc:creator>
<pubDate>{one.at.astimezone(UTC):%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"""
        for one in found
    )
    return f"""{_XML}<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"><channel>
<title>Journal of {name.capitalize()}</title><link>https://{name}.journal.example/</link>
<description>Everything about {name}</description>{entries}</channel></rss>""".encode()
