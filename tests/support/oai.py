"""Answers of arXiv's OAI-PMH interface, written by hand with invented papers."""

from collections.abc import Sequence

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
<responseDate>2026-11-18T03:40:00Z</responseDate>
<request verb="ListRecords">http://oaipmh.arxiv.org/oai</request>
"""
_PEOPLE = (("Silva", "Ana", ""), ("Chen", "Bo", ""))


def oai_record(
    number: str,
    title: str,
    *,
    created: str,
    changed: str,
    updated: str = "",
    categories: str = "cs.CL",
    people: Sequence[tuple[str, str, str]] = _PEOPLE,
    comments: str = "",
    doi: str = "",
    journal: str = "",
    licence: str = "",
) -> str:
    """One record in the form arXiv: changed is its datestamp, people (last, first, suffix)."""
    names = "".join(
        f"<author>{_tag('keyname', last)}{_tag('forenames', first)}"
        f"{_tag('suffix', suffix)}</author>"
        for last, first, suffix in people
    )
    return (
        f"{_header(number, changed)}<metadata><arXiv xmlns="
        f'"http://arxiv.org/OAI/arXiv/"><id>{number}</id><created>{created}</created>'
        f"{_tag('updated', updated)}<authors>{names}</authors><title>{title}</title>"
        f"<categories>{categories}</categories>{_tag('comments', comments)}"
        f"{_tag('journal-ref', journal)}{_tag('doi', doi)}{_tag('license', licence)}"
        f"<abstract>  About {title}.\n</abstract></arXiv></metadata></record>"
    )


def raw_record(number: str, title: str, *, changed: str, versions: Sequence[str]) -> str:
    """One record in the form arXivRaw: the dates of its versions in order."""
    rows = "".join(
        f'<version version="v{n}"><date>{at}</date><size>9kb</size></version>'
        for n, at in enumerate(versions, 1)
    )
    return (
        f"{_header(number, changed)}<metadata><arXivRaw xmlns="
        f'"http://arxiv.org/OAI/arXivRaw/"><id>{number}</id><submitter>Ana Silva</submitter>{rows}'
        f"<title>{title}</title><authors>Ana Silva (Uni A, Town), Bo Chen and Cy Diaz</authors>"
        f"<categories>cs.CL</categories><abstract>About {title}.</abstract>"
        "</arXivRaw></metadata></record>"
    )


def oai_answer(records: Sequence[str], token: str = "") -> bytes:
    """One page; the last one has no token."""
    tail = f"<resumptionToken>{token}</resumptionToken>" if token else ""
    return f"{_HEAD}<ListRecords>{''.join(records)}{tail}</ListRecords>\n</OAI-PMH>".encode()


def error(code: str) -> bytes:
    """What the interface says instead of records."""
    return f'{_HEAD}<error code="{code}">in words</error></OAI-PMH>'.encode()


def _header(number: str, changed: str) -> str:
    return (
        f"<record><header><identifier>oai:arXiv.org:{number}</identifier>"
        f"<datestamp>{changed}</datestamp><setSpec>cs:cs:CL</setSpec></header>"
    )


def _tag(name: str, text: str) -> str:
    return f"<{name}>{text}</{name}>" if text else ""
