"""What changed about a paper, in words."""

from dataclasses import dataclass
from datetime import date

from service.delivery.i18n import Texts
from service.flows.changes import Changed, PaperHistory
from service.pages.templates import web_address


@dataclass(frozen=True, slots=True)
class Line:
    """One change: its date, what is said of it, and where it leads ("" = nowhere)."""

    on: date
    words: str
    address: str = ""


def change_lines(history: PaperHistory, texts: Texts) -> list[Line]:
    """One line a change, oldest first; what has no words for readers is left out."""
    lines = (_line(change, texts) for change in history.changes)
    return [line for line in lines if line is not None]


def _line(change: Changed, texts: Texts) -> Line | None:
    _ = texts.gettext
    value = change.value
    match change.kind:
        case "code":
            return Line(change.on, _("Code was linked:"), web_address(value))
        case "project":
            return Line(change.on, _("A project page was linked:"), web_address(value))
        case "doi" if value.startswith("10."):
            return Line(change.on, _("It has a DOI:"), web_address(f"https://doi.org/{value}"))
        case "version" if value.isdecimal():
            return Line(
                change.on, _("Version %(number)s was seen.", number=texts.number(int(value)))
            )
        case "withdrawn":
            return Line(change.on, _("It was withdrawn."))
        case "title":
            return Line(change.on, _("The title was: %(title)s", title=value))
        case "merged":
            return Line(change.on, _merged(value, texts))
    return None


def _merged(value: str, texts: Texts) -> str:
    scheme, _colon, name = value.partition(":")
    known = {"arxiv": "arXiv", "doi": "DOI", "pmid": "PubMed"}
    if scheme not in known:
        return texts.gettext("Two entries were found to be this paper.")
    return texts.gettext(
        "%(name)s was found to be this paper, too.", name=f"{known[scheme]} {name}"
    )


def votes_sentence(history: PaperHistory, texts: Texts, today: date) -> str:
    """Votes over time as one sentence, "" where they never changed."""
    if not history.votes:
        return ""
    points = [
        texts.gettext("%(num)s on %(day)s", num=texts.number(count), day=texts.short_day(on, today))
        for on, count in history.votes
    ]
    if history.votes_before is not None:
        points.insert(0, texts.gettext("%(num)s at first", num=texts.number(history.votes_before)))
    return texts.gettext("Votes: %(points)s.", points=texts.join(points))
