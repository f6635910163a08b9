"""The page about one paper of one mail: why it came, more or less like it, not this word, its
authors, its entry in a bibliography. GET shows, POST acts, and every act can be taken back."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.delivery import phrases
from service.delivery.i18n import Texts
from service.digest.model import Entry, Line, Reason, Section
from service.errors import PaperpostError, Sentence
from service.flows import browse, tune, view
from service.flows.browse import NotHereError
from service.flows.letter import share_name
from service.flows.manage import tune as mark
from service.flows.related import papers_like
from service.flows.tune import TuneError, Undo
from service.flows.view import Mail, read_mail
from service.matching.query import QueryError
from service.pages.forms import Form
from service.pages.guard import FormTokens
from service.pages.templates import web_address
from service.web.door import Door
from service.web.following import NameLine, read_names_back
from service.web.mails import not_here

_SIGNS = {"more": 1, "less": -1, "none": 0}
_ACTS = ("out", "without", "follow", "undo")
_PURPOSE = "tune"
_MOST_AUTHORS = 300
"""In the list to choose from; the longest lists of authors have thousands."""

_MOST_ID = 2**31


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a form did. act: the form · said: in words · undo: the value of the form that takes it
    back · fault: what was wrong, and what to do · typed: to be shown again · name: an author read
    back."""

    act: str = ""
    said: str = ""
    undo: str = ""
    fault: str = ""
    typed: str = ""
    name: NameLine | None = None


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/tune/T/SCHEME/VALUE``; T is a mail's random token, or its share name: then the page is
    to be read, and no more of the reader stands on it than on the page of the mail."""

    @routes.get("/tune/{token}/{scheme}/{value:path}")
    def why(request: Request, token: str, scheme: str, value: str) -> Response:
        try:
            mail = read_mail(door.rt, token, shared=True)
            paper = view.find_paper(door.rt, mail, scheme, value)
        except NotHereError as error:
            return not_here(door, request, error)
        return _page(door, request, mail, paper, Outcome())

    @routes.post("/tune/{token}/{scheme}/{value:path}")
    def say(
        request: Request,
        token: str,
        scheme: str,
        value: str,
        form: Annotated[Form, Depends(door.form)],
    ) -> Response:
        try:
            mail = read_mail(door.rt, token, shared=True)
            paper = view.find_paper(door.rt, mail, scheme, value)
        except NotHereError as error:
            return not_here(door, request, error)
        if mail.is_shared:
            return _refused(door, request, token)
        done = _done(door, mail, paper, form, door.texts(request))
        return _page(door, request, mail, paper, done)


def _refused(door: Door, request: Request, name: str) -> Response:
    """What the page that may be shared answers to whoever acts."""
    _ = door.texts(request).gettext
    lines = (
        _("Its address may be shared, and does not say who opens it."),
        _("To change what you get, use “Tune” in your own mail."),
    )
    whole = (door.pages.links.here.digest(name), _("The whole mail"))
    return door.say(request, _("This page changes nothing."), *lines, link=whole, status=403)


def _done(door: Door, mail: Mail, paper: Entry | Line, form: Form, texts: Texts) -> Outcome:
    """Do what the form asks for."""
    act = form.choice("act", _ACTS) if "act" in form else "mark"
    if act == "mark":
        return _marked(door, mail, paper, form, texts)
    if not form.ok:
        return Outcome("act", fault=form.errors["act"].what)
    acts = {"out": _taken_out, "without": _left_out, "follow": _followed, "undo": _undone}
    try:
        return acts[act](door, mail.row.token, form, texts)
    except (QueryError, TuneError, PaperpostError) as error:
        said = texts.sentences(texts.said(error.what), texts.said(error.next_step))
        return Outcome(act, fault=said, typed=form.raw("word")[:200])


def _marked(door: Door, mail: Mail, paper: Entry | Line, form: Form, texts: Texts) -> Outcome:
    sign = _SIGNS[form.choice("sign", tuple(_SIGNS))]
    if not form.ok:
        return Outcome("mark", fault=form.errors["sign"].what)
    if mail.row.subscriber_id is None:
        return Outcome()
    mark(door.rt, mail.row.subscriber_id, paper.paper_id, sign)
    words = {
        1: texts.gettext("Noted: more like this."),
        -1: texts.gettext("Noted: less like this."),
        0: texts.gettext("Taken back."),
    }
    return Outcome("mark", said=words[sign])


def _taken_out(door: Door, token: str, form: Form, texts: Texts) -> Outcome:
    term = form.raw("term")[:1200]
    done = tune.take_out(door.rt, token, _id(form), term)
    if done.was == "paused":
        said = texts.gettext(
            "%(word)s was all that this interest asked for: the interest rests now.", word=term
        )
    elif form.raw("who"):
        said = texts.gettext("You follow %(name)s no more.", name=term)
    else:
        said = texts.gettext("%(word)s is taken out of your words.", word=term)
    return Outcome("follow" if form.raw("who") else "out", said, _sealed(door, token, done))


def _left_out(door: Door, token: str, form: Form, texts: Texts) -> Outcome:
    word = form.text("word", most=200, required=True)
    if not form.ok:
        fault = form.errors["word"]
        return Outcome(
            "without", fault=texts.sentences(fault.what, fault.next_step), typed=form.raw("word")
        )
    done = tune.leave_out(door.rt, token, _id(form), word)
    said = texts.gettext("Papers that contain %(word)s come no more for this interest.", word=word)
    return Outcome("without", said, _sealed(door, token, done))


def _followed(door: Door, token: str, form: Form, texts: Texts) -> Outcome:
    name = form.text("author", most=200, required=True)
    if not form.ok:
        return Outcome("follow", fault=form.errors["author"].what)
    done = tune.follow_author(door.rt, token, name)
    said = texts.gettext("You follow %(name)s now.", name=name)
    read = read_names_back(door, tune.line_for(name), texts)
    return Outcome("follow", said, _sealed(door, token, done), name=read[0] if read else None)


def _undone(door: Door, token: str, form: Form, texts: Texts) -> Outcome:
    kept = FormTokens(door.rt.signer.keys).read(_PURPOSE, form.raw("undo"))
    try:
        holder, values = json.loads(kept or "[]")
        done = Undo(**values)
    except (TypeError, ValueError):
        holder, done = "", None
    if done is None or holder != token:
        return Outcome("undo", fault=texts.gettext("The form cannot be read."))
    tune.undo(door.rt, token, done)
    return Outcome("undo", said=texts.gettext("Taken back."))


def _sealed(door: Door, token: str, done: Undo) -> str:
    """What takes an act back, signed: whoever sends it can do nothing else with it."""
    return FormTokens(door.rt.signer.keys).make(_PURPOSE, json.dumps([token, asdict(done)]))


def _id(form: Form) -> int:
    return form.whole("interest", low=0, high=_MOST_ID, default=0)


def _page(door: Door, request: Request, mail: Mail, paper: Entry | Line, done: Outcome) -> Response:
    texts, here = door.texts(request), door.pages.links.here
    full = paper if isinstance(paper, Entry) else None
    can = tune.read_tunable(door.rt, mail, paper.paper_id)
    links = full.links if full else {"abs": paper.link} if isinstance(paper, Line) else {}
    held = _holding(mail, paper)
    whole = f"{here.digest(share_name(mail.row))}#{phrases.anchor(paper)}"
    context = {
        "entry": paper,
        "full": full,
        "why": _why(mail, held, full.reasons if full else can.reasons, texts),
        "sections": [name for part in held if (name := phrases.section_name(part, texts))],
        "score": texts.number(round(full.score, 1)) if full else "",
        "parts": _parts(full, texts) if full and not mail.is_shared else [],
        "links": [(kind, at) for kind in ("abs", "pdf", "html", "doi", "code", "project", "discuss")
                  if (at := web_address(links.get(kind)))],
        "files": _files(door, paper),
        "feedback": view.feedback(door.rt, mail, paper.paper_id),
        "can": can,
        "authors": can.authors[:_MOST_AUTHORS],
        "followed": [one for one in can.authors if one.profile_id is not None],
        "done": done,
        "day": mail.digest.on,
        "token": "" if mail.is_shared else mail.row.token,
        "whole": whole,
        "alike": door.entries(papers_like(door.rt, paper.paper_id)),
    }  # fmt: skip
    status = 422 if done.fault else 200
    return door.answer(request, "reader/tune.html", context, status=status)


def _files(door: Door, paper: Entry | Line) -> list[tuple[str, str]]:
    """Its entry in a bibliography, where the paper still is in our lists."""
    try:
        browse.read_paper(door.rt, paper.scheme, paper.value)
    except NotHereError:
        return []
    address = door.pages.links.here.paper(paper.scheme, paper.value)
    return [("BibTeX", f"{address}?format=bib"), ("RIS", f"{address}?format=ris")]


def _holding(mail: Mail, wanted: Entry | Line) -> list[Section]:
    """The sections that show, count or tell news of a paper."""
    found = []
    for section in mail.digest.sections:
        full = (entry.paper_id for entry in section.entries)
        short = (line.paper_id for line in section.lines)
        told = (signal.paper_id for signal in section.signals)
        if wanted.paper_id in (*full, *short, *section.rest, *told):
            found.append(section)
    return found


_UNASKED: dict[str, Sentence] = {
    "trending": Sentence("It was among the most-voted papers of its days."),
    "chosen": Sentence("The people who run this service chose it."),
    "picks": Sentence("The editors picked it for that day."),
    "signals": Sentence("It had come before: this mail brought news of it."),
}
"""Why a paper came that no words brought, by the kind of its section."""


def _why(mail: Mail, held: Sequence[Section], reasons: Sequence[Reason], texts: Texts) -> str:
    if reasons:
        return phrases.said_reasons(reasons, texts)
    if held and held[0].kind in _UNASKED:
        return texts.said(_UNASKED[held[0].kind])
    has_words = mail.digest.asks == "words" and not (held and held[0].kind == "people")
    if mail.is_shared and has_words:
        return texts.gettext("It contains words of the reader whose mail it was.")
    if mail.is_shared:
        return texts.gettext("It matched interests of the reader whose mail it was.")
    if has_words:
        return texts.gettext(
            "It contains your words, and stood as one line because better ones took the room."
        )
    return texts.gettext(
        "It matched your interests, and stood as one line because better ones took the room."
    )


_PARTS = {
    "title": Sentence("your words in the title"),
    "abstract": Sentence("your words in the abstract"),
    "other": Sentence("what you asked for elsewhere"),
    "fresh": Sentence("how new it is"),
    "votes": Sentence("votes"),
    "comments": Sentence("comments"),
    "feedback": Sentence("papers you wanted more or less of"),
}
"""The parts of ``matching.score``, in words."""


def _parts(entry: Entry, texts: Texts) -> list[tuple[str, str]]:
    """What the score is made of, the largest part first; what adds nothing is not told."""
    parts = sorted(entry.parts.items(), key=lambda part: -part[1])
    shown = [(name, round(value, 2)) for name, value in parts if name in _PARTS]
    return [(texts.said(_PARTS[name]), texts.number(value)) for name, value in shown if value]
