"""The sentences of a digest that need counting: subject, first line, meta line, reasons. Pure.

What a reader sees passes ``Texts``; data (titles, names) are put in as they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote, urlsplit

from service.delivery.found import found
from service.delivery.frame import ReaderFrame
from service.delivery.i18n import Texts
from service.delivery.plain import GLUE, clipped, one_line
from service.digest.model import Digest, Entry, Field, Happening, Line, Reason, Section, Signal
from service.papers.citation import handle
from service.papers.subjects import with_name
from service.text.measure import columns

SUBJECT_CHARS = 70
PREHEADER_CHARS = 140
NAMED_SOURCES = 3
_MARKS_OF_ITS_OWN = ("?", "!", ".", "？", "！", "。")


@dataclass(frozen=True, slots=True)
class TextLink:
    """One of the text links of a paper; ``name`` is what a screen reader says."""

    label: str
    url: str
    name: str


def subject(digest: Digest, texts: Texts, *, test: bool = False) -> str:
    """Return one line of at most 70 columns that begins with the best title (look.md).

    A title that ends in a mark of its own stands in quotes before "and 4 more".
    """

    def said(line: str) -> str:
        return texts.gettext("[Test] %(subject)s", subject=line) if test else line

    if digest.subject:
        return said(clipped(one_line(digest.subject), 200))
    title = one_line(_best_title(digest)).rstrip(" :;,–—-")
    if not title:
        return clipped(said(headline(digest, texts).rstrip(".。")), SUBJECT_CHARS)
    frame, more = _subject_frame(digest, texts)
    room = SUBJECT_CHARS - columns(said(frame("")))
    if more > 0 and title.endswith(_MARKS_OF_ITS_OWN) and columns(title) + 2 <= room:
        title = texts.quoted(title)
    return clipped(said(frame(clipped(title, room))), SUBJECT_CHARS)


def _best_title(digest: Digest) -> str:
    own = (e for s in digest.sections if s.kind != "picks" for e in s.entries)
    if entry := next(own, None) or next(digest.entries(), None):
        return entry.title.text
    line = next((line.title.text for s in digest.sections for line in s.lines), "")
    return line or next((signal.title.text for signal in digest.signals()), "")


def _subject_frame(digest: Digest, texts: Texts) -> tuple[Callable[[str], str], int]:
    """Return what stands around the title, and how many papers are not named."""
    signals = sum(1 for _ in digest.signals())
    more = (len(digest.paper_ids()) or signals) - 1

    def papers(title: str) -> str:
        if more < 1:
            return title
        return texts.ngettext(
            "%(title)s and %(num)s more", "%(title)s and %(num)s more", more, title=title
        )

    def frame(title: str) -> str:
        named = papers(title)
        if digest.kind == "first":
            return texts.gettext("Your first papers: %(papers)s", papers=named)
        if digest.kind == "alert":
            return texts.gettext("New: %(papers)s", papers=named)
        if signals and not digest.paper_ids():
            return texts.gettext("News: %(papers)s", papers=named)
        if digest.is_trending_only:
            return texts.gettext("Trending: %(papers)s", papers=named)
        if digest.kind == "weekly":
            return texts.gettext("Your week: %(papers)s", papers=named)
        if digest.kind == "catchup" and digest.since is not None:
            return _since(digest, digest.since, named, texts)
        return named

    return frame, more


def _since(digest: Digest, since: date, papers: str, texts: Texts) -> str:
    if (digest.on - since).days < 7:
        day = texts.weekday(since.weekday())
        return texts.gettext("Since %(day)s: %(papers)s", day=day, papers=papers)
    return texts.gettext("Since %(date)s: %(papers)s", date=texts.long_day(since), papers=papers)


def headline(digest: Digest, texts: Texts) -> str:
    """Return the first line: how many papers were checked, how many are what the reader asked for,
    and of how many that came before there is later news."""
    signals = sum(1 for _ in digest.signals())
    if not signals:
        return found(digest, texts)
    news = texts.ngettext(
        "There is news of %(num)s paper you had.",
        "There is news of %(num)s papers you had.",
        signals,
    )
    if not digest.checked and not digest.paper_ids():
        return news
    return texts.sentences(found(digest, texts), news)


def period(digest: Digest, texts: Texts) -> str:
    """Return the day of the mail, or the days it covers."""
    if digest.since is None or digest.since >= digest.on:
        return texts.day(digest.on)
    return texts.gettext(
        "%(first)s to %(last)s", first=texts.day(digest.since), last=texts.day(digest.on)
    )


def preheader(digest: Digest, texts: Texts) -> str:
    """Return what a list of mails shows beside the subject: the count, what is late, then the next
    titles."""
    lines = [line for section in digest.sections for line in section.lines]
    shown: list[Entry | Line | Signal] = [*digest.entries(), *lines, *digest.signals()]
    titles = [one_line(paper.title.text) for paper in shown][1:4]
    first = [headline(digest, texts), *([_follows(digest, texts)] if digest.late else [])]
    line = " · ".join([*(sentence.rstrip(".") for sentence in first), *titles])
    return clipped(line, PREHEADER_CHARS)


def late(digest: Digest, texts: Texts) -> str:
    """Return what was read, what was late, and what follows; "" when nothing was late."""
    if not digest.late:
        return ""
    if not digest.read_from:
        return _follows(digest, texts)
    read = texts.gettext("Checked: %(sources)s.", sources=_names(digest.read_from, texts))
    return texts.sentences(read, _follows(digest, texts))


def _follows(digest: Digest, texts: Texts) -> str:
    return texts.gettext(
        "Late today: %(sources)s. Those papers follow in your next mail.",
        sources=_names(digest.late, texts),
    )


def _names(titles: Sequence[str], texts: Texts) -> str:
    """The first few by name, the others by number."""
    names = [one_line(name) for name in titles[:NAMED_SOURCES]]
    if more := len(titles) - len(names):
        names.append(texts.ngettext("%(num)s more", "%(num)s more", more))
    return texts.join(names)


def section_name(section: Section, texts: Texts) -> str:
    """Return the heading of a section, without its count."""
    if section.kind in ("picks", "trending"):
        picked, trending = texts.gettext("Picked by the editors"), texts.gettext("Trending")
        return picked if section.kind == "picks" else trending
    if section.kind == "chosen":
        return section.name or texts.gettext("Chosen papers")
    if section.kind == "signals":
        return section.name or texts.gettext("News about papers you had")
    if section.since is not None:
        day = texts.long_day(section.since).replace(" ", GLUE)
        return texts.gettext("%(interest)s: since %(date)s", interest=section.name, date=day)
    return section.name


def told(signal: Signal, digest: Digest, texts: Texts) -> str:
    """Return what happened to a paper that the reader had: "Code is out for a paper you had on
    3 November. It passed 50 votes." """
    first, *rest = signal.happenings
    day = ""
    if signal.had_on is not None:
        is_this_year = signal.had_on.year == digest.on.year
        on = signal.had_on
        day = texts.long_day(on) if is_this_year else texts.short_day(on, digest.on)
        day = day.replace(" ", GLUE)
    return texts.sentences(_news(first, day, texts), *(_more_news(one, texts) for one in rest))


def _news(happening: Happening, day: str, texts: Texts) -> str:
    _ = texts.gettext
    match happening.kind:
        case "withdrawn" if day:
            return _("A paper you had on %(date)s was withdrawn.", date=day)
        case "withdrawn":
            return _("A paper you had was withdrawn.")
        case "code" if day:
            return _("Code is out for a paper you had on %(date)s.", date=day)
        case "code":
            return _("Code is out for a paper you had.")
        case "doi" if day:
            return _("A paper you had on %(date)s is in a journal.", date=day)
        case "doi":
            return _("A paper you had is in a journal.")
    number = texts.number(int(happening.value))
    if day:
        return _("A paper you had on %(date)s passed %(number)s votes.", date=day, number=number)
    return _("A paper you had passed %(number)s votes.", number=number)


def _more_news(happening: Happening, texts: Texts) -> str:
    _ = texts.gettext
    match happening.kind:
        case "withdrawn":
            return _("It was withdrawn.")
        case "code":
            return _("Code is out.")
        case "doi":
            return _("It is in a journal.")
    return _("It passed %(number)s votes.", number=texts.number(int(happening.value)))


def told_links(signal: Signal, texts: Texts) -> list[TextLink]:
    """Return the addresses that a late signal brought: Code, Journal."""
    title = one_line(signal.title.text)
    found = []
    for one in signal.happenings:
        label = texts.gettext("Code") if one.kind == "code" else texts.gettext("Journal")
        at = {"code": one.value, "doi": f"https://doi.org/{one.value}"}.get(one.kind, "")
        if url := safe_url(at):
            found.append(TextLink(label, url, f"{label}: {title}"))
    return found


def meta(entry: Entry, digest: Digest, texts: Texts) -> list[str]:
    """Return the pieces of the grey line: authors, date, place, votes, comments, withdrawn.

    The short ones hold together by no-break spaces.
    """
    pieces = []
    if entry.authors:
        more = entry.author_count - len(entry.authors)
        names = ", ".join(entry.authors)
        pieces.append(f"{names}{GLUE}+{GLUE}{texts.number(more)}" if more > 0 else names)
    if entry.dated_on is not None:
        pieces.append(texts.short_day(entry.dated_on, digest.on).replace(" ", GLUE))
    if entry.place:
        pieces.append(with_name(entry.place))
    if entry.votes:
        votes = texts.ngettext("%(num)s vote", "%(num)s votes", entry.votes)
        pieces.append(votes.replace(" ", GLUE))
    if entry.comments:
        comments = texts.ngettext("%(num)s comment", "%(num)s comments", entry.comments)
        pieces.append(comments.replace(" ", GLUE))
    if entry.withdrawn:
        pieces.append(texts.gettext("withdrawn"))
    return pieces


def reasons(entry: Entry, texts: Texts) -> str:
    """Return "LoRA in the title, low-rank adaptation in the abstract", or ""."""
    return said_reasons(entry.reasons, texts)


def said_reasons(found: Sequence[Reason], texts: Texts) -> str:
    """Return the same of reasons alone; terms of one place stand together."""
    places = {one.where: [r.term for r in found if r.where == one.where] for one in found}
    return texts.commas(_reason(texts.join(terms), at, texts) for at, terms in places.items())


def _reason(term: str, where: Field, texts: Texts) -> str:
    match where:
        case "title":
            return texts.gettext("%(term)s in the title", term=term)
        case "abstract":
            return texts.gettext("%(term)s in the abstract", term=term)
        case "authors":
            return texts.gettext("%(term)s among the authors", term=term)
        case "categories":
            return texts.gettext("%(term)s among the categories", term=term)
        case "organisation":
            return texts.gettext("%(term)s as the organisation", term=term)
        case "source":
            return texts.gettext("%(term)s as the source", term=term)
        case "id":
            return texts.gettext("%(term)s by its number", term=term)


def safe_url(url: str) -> str:
    """Return the address when it is one of the web, else ""; nothing else is ever linked."""
    cleaned = one_line(url)
    try:
        parts = urlsplit(cleaned)
    except ValueError:
        return ""
    is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    return quote(cleaned, safe="%:/?#[]@!$&'()*+,;=~-._") if is_web else ""


def page_path(paper: Entry | Line | Signal) -> str:
    """Return "arxiv/2611.00000": the paper in our own addresses."""
    return f"{paper.scheme}/{quote(one_line(paper.value), safe='/')}"


def anchor(place: Entry | Line | Signal | Section) -> str:
    """Return the id of a paper ("arxiv-2611.00000") or of a part ("interest-12") in its mail, for
    links into the page of the mail."""
    if isinstance(place, Section):
        return f"{place.kind}-{place.profile_id or 0}"
    name = handle(place.scheme, place.value)
    return f"news-{name}" if isinstance(place, Signal) else name


def more_url(section: Section, frame: ReaderFrame) -> str:
    """Return where the papers are that a mail only counts: below the others on its page."""
    return f"{frame.view_url}#more-{anchor(section)}" if frame.view_url else frame.papers_url


def title_url(paper: Entry | Line | Signal, base_url: str) -> str:
    """Return the paper's own page, else ours about it."""
    links = _first(paper, "abs", "doi", "html") if isinstance(paper, Entry) else (paper.link,)
    found = next((url for url in map(safe_url, links) if url), "")
    return found or f"{base_url}/papers/{page_path(paper)}"


def text_links(entry: Entry, frame: ReaderFrame, texts: Texts) -> list[TextLink]:
    """Return at most four: PDF, Code or else Project, Discuss (those that exist), and Tune."""
    code = next(filter(None, map(safe_url, _first(entry, "code"))), "")
    wanted = [
        (texts.gettext("PDF"), _first(entry, "pdf")),
        (texts.gettext("Code"), (code,)),
        (texts.gettext("Project"), () if code else _first(entry, "project")),
        (texts.gettext("Discuss"), _first(entry, "discuss")),
        (texts.gettext("Tune"), (f"{frame.tune_base}/{page_path(entry)}",)),
    ]
    if not frame.tune_base:
        wanted.pop()
    found = ((label, next(filter(None, map(safe_url, urls)), "")) for label, urls in wanted)
    title = one_line(entry.title.text)
    return [TextLink(label, url, f"{label}: {title}") for label, url in found if url]


def _first(entry: Entry, *names: str) -> tuple[str, ...]:
    return tuple(entry.links[name] for name in names if entry.links.get(name))
