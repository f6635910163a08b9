"""docs/template-values.md: what templates may use, from the code; a test compares page and code."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from service.delivery import template_samples
from service.delivery.frame import ReaderFrame
from service.delivery.i18n import Catalogs
from service.delivery.notices import NOTICES
from service.delivery.phrases import TextLink
from service.delivery.render import Renderer
from service.delivery.site import Site
from service.delivery.template_check import frames
from service.digest.model import (
    AddedBy,
    Digest,
    Entry,
    Happening,
    Line,
    Marked,
    Reason,
    Section,
    Signal,
)
from service.resources import resource_dir

_RECORDS = (
    (Site, "`site`, in every mail: who runs it"),
    (ReaderFrame, "`reader`, in digest and alert: the links and choices of one reader"),
    (Digest, "`digest`, in digest and alert"),
    (Section, "one of `digest.sections`"),
    (Entry, "one of `section.entries`: a paper in full"),
    (Line, "one of `section.lines`: a paper as one line"),
    (Signal, "one of `section.signals`: later news of a paper that came before"),
    (Happening, "one of `signal.happenings`"),
    (Marked, "a text with the reader's words marked"),
    (Reason, "one of `entry.reasons`"),
    (AddedBy, "`digest.added_by`"),
    (TextLink, "one of what the filter `text_links` returns"),
)
_PLAIN = {str: "text", int: "number", float: "number", bool: "yes or no", date: "date"}
_HEAD = """# What templates of mails may use

Made by `paperpost templates variables --markdown > docs/template-values.md`; do not edit by hand.
How to override a template: [templates.md](templates.md).
"""
_EVERYWHERE = {
    "site": "who runs it, see below",
    "lang": "the mail's language, like `de`",
    "subject": "the subject, made by subject.txt (not in subject.txt itself)",
    "preheader": "what lists of mails show after the subject; empty in notices",
    "texts": "the language: `texts.schedule(weekdays, hour, zone)`, `texts.join(list)`, ...",
    "gettext": 'a sentence of ours in the reader\'s language: `gettext("Leave")`',
    "ngettext": "the same with a number: `ngettext(one, many, n)`",
}
_OF_DIGESTS = {
    "digest": "what the reader gets this time",
    "reader": "the reader's links and choices",
    "public": "yes: the page View in browser, which may name no reader",
    "test": "yes: a test mail",
    "headline": "the first line: how many were checked, how many are what was asked for",
    "period": "the day, or the days that it covers",
    "late": "the sentence on late sources; empty when none is",
}
_OF_NOTICES = {
    "link": "the page with the button",
    "never_link": "where the owner of the address bars such requests",
    "until": "when the link ends",
    "manage_url": "the reader's own page",
    "unsubscribe_url": "the page that ends all mail",
    "view_url": "the same in a browser",
    "on": "the day",
    "days": "how many days",
    "checked": "papers compared in that time",
    "asks": "compared with: `words`, or `interests` (no words among them)",
    "words": "list of (word, papers in 30 days); in alarm: the server's words",
    "widenings": "list of (wider words, papers a month, link)",
    "title": "the subject",
    "html": "the body, sanitised; to be shown with the filter safe",
    "text": "the same as plain text",
    "relay": "host and port",
    "edition": "its name",
    "planned": "mails planned",
    "accepted": "mails handed to the mail server",
    "groups": "list of (state, mails)",
    "refused": "list of (meaning, mails, the server's words); in alarm: how many mails",
    "what": "what is wrong",
    "place": "where, with the server's words",
    "next_step": "what to do",
    "since": "when it began",
    "ended": "when it was over; empty while it lasts",
    "domain": "the domain that refuses; empty where none does",
    "status": "its code, like 5.7.1",
}
_KINDS = {
    "confirm": "to an address that was typed on the page: begins with the button behind its link",
    "already-subscribed": "to a reader whose address was typed once more",
    "manage-link": "to a reader who asked for the link to their own page",
    "address-change": "to the new address: the change is made behind its link",
    "address-changed": "to the old address, once it was changed",
    "quiet": "to a reader without a mail for days, once",
    "newsletter": "what staff wrote",
    "test": "of the doctor and of setup, to the operator",
    "report": "to staff, when an edition is through",
    "alarm": "to staff: something is wrong, or is over",
}
_FILTERS = {
    "number": "a number as the language writes it: 35,486",
    "day": "Fri 20 November",
    "long_day": "20 November",
    "strung": 'pieces with " · " between them in lines of 72 columns; `strung(first, rest)`',
    "columns": "how many columns of a fixed font a text takes",
    "lettered": "an editor's Markdown as plain text (newsletter only)",
    "wrap": "lines of 72 columns; `wrap(first, rest)` puts texts before the lines",
    "labelled": '"a:", as the language writes it before a value',
    "ended": '"a.", a piece as a sentence of its own',
    "spread": "two texts at both ends of a line",
    "one_line": "a text without line breaks",
    "safe_url": "an address of the web as it is, anything else empty",
    "starred": "a marked text with its hits as *stars*",
    "section_name": "the heading of a section",
    "meta": "the pieces of a paper's grey line: `entry | meta(digest)`",
    "told": "the sentence of later news: `signal | told(digest)`",
    "told_links": "its links",
    "reasons": "why the paper is there, a sentence",
    "title_url": "where the title leads",
    "dressed": "HTML of a newsletter with the mail's own rules in its elements",
    "filler": "what keeps a preview from going on into the mail, after the preheader",
    "anchor": "the paper's place in the page View in browser",
    "more_url": "where the rest of a section is",
    "text_links": "the links below a paper: `entry | text_links(reader)`",
    "subject_line": "the whole subject: `digest | subject_line(test)`",
}
_MEANINGS = {
    "Site.name": "name of this service",
    "Site.org": "organisation; empty when not set, like all below",
    "Site.contact": "address for questions",
    "Site.postal": "postal address",
    "Site.base_url": "public address, without a slash at its end",
    "Site.privacy_url": "page on privacy",
    "Site.sender": "address in From",
    "Site.reply_to": "address for answers",
    "Site.thumbnails": "yes: papers are shown with their picture",
    "Site.inbox": "address to which one may write to leave",
    "ReaderFrame.locale": "language",
    "ReaderFrame.manage_url": "the reader's own page; every mail must show it",
    "ReaderFrame.unsubscribe_url": "the page that ends all mail; every mail must show it",
    "ReaderFrame.view_url": "the same in a browser",
    "ReaderFrame.tune_base": "the address that pages for tuning begin with",
    "ReaderFrame.papers_url": "the page of all papers of the day",
    "ReaderFrame.rest_url": "the page of what this mail leaves out",
    "ReaderFrame.cite_url": "the page whose files for bibliographies lie under it",
    "ReaderFrame.confirmed_on": "when the reader confirmed",
    "ReaderFrame.weekdays": "mail days, 0 = Monday",
    "ReaderFrame.hour": "hour of the mail",
    "ReaderFrame.zone": "the reader's zone",
    "ReaderFrame.format": "html or text",
    "ReaderFrame.stars": "yes: hits as *stars* in the text part",
    "Digest.kind": "what it is",
    "Digest.on": "the reader's date",
    "Digest.checked": "papers compared",
    "Digest.asks": "compared with: `words`, `interests` (no words among them), `trending`",
    "Digest.matched": "papers that are what the reader asked for",
    "Digest.sections": "in the order of the mail",
    "Digest.since": "the first day that it covers",
    "Digest.late": "sources that were late",
    "Digest.read_from": "sources that were read",
    "Digest.note": "words of staff on top, plain text",
    "Digest.subject": "a subject that staff chose",
    "Digest.added_by": "who added the reader, in the first digest",
    "Digest.interests": "interests compared; 0 = a reader of trending papers",
    "Digest.rest_on": "the first day that is only on the web",
    "Digest.list_on": "the newest day with a list, where the reader's date has none",
    "Digest.version": "of the stored form",
    "Section.kind": "what it is",
    "Section.name": "name of the interest or person",
    "Section.profile_id": "number of the interest",
    "Section.total": "papers, shown or counted",
    "Section.entries": "papers in full",
    "Section.lines": "papers as one line",
    "Section.rest": "numbers of those that are only counted",
    "Section.signals": "later news",
    "Section.since": "the first day of its papers, where it covers other days than the mail",
    "Entry.title": "shown by `marked(entry.title)` of _paper.html, or `entry.title.text`",
    "Entry.abstract": "cut to the reader's choice; empty when they chose none",
    "Entry.authors": "the first names of the list",
    "Entry.author_count": "how many there are",
    "Entry.dated_on": "day of the paper",
    "Entry.place": "category or source by name",
    "Entry.votes": "votes",
    "Entry.comments": "comments",
    "Entry.links": "abs, pdf, code, project, discuss, thumbnail; those that exist",
    "Entry.reasons": "why it is there",
    "Entry.also_in": "other interests that wanted it",
    "Entry.again": "yes: it was in a mail that was never confirmed",
    "Entry.score": "how well it fits",
    "Entry.parts": "what the score is made of",
    "Entry.summary_line": "a source's own line, made by a machine",
    "Entry.withdrawn": "yes: its authors took it back",
    "Signal.happenings": "what happened, the gravest first",
    "Signal.had_on": "the day of the mail that brought it",
    "Happening.kind": "what happened",
    "Happening.value": "address of the code, DOI, or votes",
    "Happening.at": "when",
    "Marked.text": "the plain text",
    "Marked.marks": "from and to of each hit; `pieces()` gives (text, is hit)",
    "Reason.term": "the reader's word, as typed",
    "Reason.where": "where it stands",
    "AddedBy.organisation": "who",
    "AddedBy.added_on": "when",
    "TextLink.label": "the visible word",
    "TextLink.url": "where it leads",
    "TextLink.name": "what a screen reader says",
    "*.paper_id": "number of the paper here",
    "*.scheme": "kind of its id, like arxiv",
    "*.value": "its id",
    "*.title": "its title; `.text` is plain",
    "*.link": "where its title leads",
    "*.again": "yes: it was in a mail that was never confirmed",
    "*.withdrawn": "yes: its authors took it back",
}


def rows() -> list[dict[str, str]]:
    """One row a name: of (mail, record or "filter"), name, type in words, meaning."""
    found = [_row("every mail", name, "", told) for name, told in _EVERYWHERE.items()]
    found += [_row("digest, alert", name, "", told) for name, told in _OF_DIGESTS.items()]
    for kind in NOTICES:
        for name, value in template_samples.notice(kind, "", furnished=True).items():
            called = "list" if isinstance(value, list) else _PLAIN.get(type(value), "")
            found.append(_row(kind, name, called, _OF_NOTICES.get(name, "")))
    for record, _ in _RECORDS:
        for name, kind in _parts(record):
            meaning = _MEANINGS.get(f"{record.__name__}.{name}", _MEANINGS.get(f"*.{name}", ""))
            found.append(_row(record.__name__, name, _words(kind), meaning))
    found += [_row("filter", name, "", told) for name, told in _FILTERS.items()]
    return found


def markdown() -> str:
    """The whole page."""
    by_owner: dict[str, list[dict[str, str]]] = {}
    for row in rows():
        by_owner.setdefault(row["of"], []).append(row)
    lines = [_HEAD, "\n## Every mail\n", *_table(by_owner["every mail"])]
    lines += ["\n## digest, alert\n", *_table(by_owner["digest, alert"])]
    for kind in NOTICES:
        lines += [f"\n## {kind}\n\n{_KINDS[kind]}\n", *_table(by_owner[kind])]
    for record, told in _RECORDS:
        lines += [f"\n## {record.__name__}\n\n{told}\n", *_table(by_owner[record.__name__])]
    lines += ["\n## Filters\n", *_table(by_owner["filter"]), "\n## Blocks and macros\n"]
    lines += ["\n| file | blocks | macros |\n| --- | --- | --- |\n"]
    for name, blocks, macros in frames(_ours().environment("en")):
        lines.append(f"| `{name}` | {_ticked(blocks)} | {_ticked(macros)} |\n")
    return "".join(lines)


def _ours() -> Renderer:
    templates = resource_dir("templates")
    site = template_samples.site("https://papers.example.org", furnished=True)
    return Renderer([templates], Catalogs({}), site, styled=False)


def _row(of: str, name: str, kind: str, meaning: str) -> dict[str, str]:
    return {"of": of, "name": name, "type": kind, "meaning": meaning}


def _table(found: list[dict[str, str]]) -> Iterator[str]:
    yield "\n| name | type | meaning |\n| --- | --- | --- |\n"
    for row in found:
        meaning = row["meaning"].replace("|", "\\|")
        yield f"| `{row['name']}` | {row['type']} | {meaning} |\n"


def _ticked(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _parts(record: type) -> Iterator[tuple[str, Any]]:
    hints: Mapping[str, Any] = get_type_hints(record)
    for part in fields(record):
        yield part.name, hints[part.name]


def _words(kind: Any) -> str:
    """A type as a person calls it."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal:
        return ", ".join(map(str, inside))
    if origin in (UnionType, Union):
        return " or ".join("none" if one is NoneType else _words(one) for one in inside)
    if origin in (tuple, frozenset):
        return f"list of {_words(inside[0])}"
    if origin is not None:
        return f"{_words(inside[1])} by name"
    return "instant" if kind.__name__ == "datetime" else str(kind.__name__)
