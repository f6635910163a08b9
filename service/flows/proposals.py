"""A reader proposes a paper by its link, with a sentence; the staff decides (``submissions``)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from service.errors import Sentence
from service.flows.manage import ManageError, mailed_reader
from service.flows.runtime import Runtime
from service.papers.identity import arxiv_id, doi
from service.papers.model import Alias
from service.store import papers as papers_store
from service.store import submissions as store
from service.store.db import Priority, Session
from service.store.desk_tables import SubmissionRow
from service.text.clean import collapse

LONGEST_LINK, LONGEST_WORDS, LONGEST_NAME = 500, 300, 80


class ProposalError(ManageError):
    """A paper that cannot be proposed; ``where`` is the field. here: (scheme, value) of one that is
    in the lists already."""

    def __init__(
        self,
        what: Sentence,
        where: str,
        next_step: Sentence,
        here: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(what, where, next_step)
        self.here = here


@dataclass(frozen=True, slots=True)
class Own:
    """One of a reader's proposals, as they see it."""

    link: str
    title: str
    words: str
    name: str
    state: str
    listed_on: Any


def check_open(rt: Runtime) -> None:
    """Raises ProposalError where the house takes no proposals."""
    if rt.defaults().proposals != "on":
        raise ProposalError(
            Sentence("Readers propose no papers here."),
            "link",
            Sentence("Write to the people who run this service."),
        )


def read_link(text: str) -> Alias:
    """What a link names: an arXiv id (also by Hugging Face, alphaXiv, DOI) or a DOI. Raises
    ProposalError."""
    typed = collapse(text)[:LONGEST_LINK]
    if not typed:
        raise ProposalError(
            Sentence("There is no link."), "link", Sentence("Paste the address of the paper.")
        )
    if found := arxiv_id(typed):
        return Alias("arxiv", found)
    if found := doi(typed):
        return Alias("doi", found)
    raise ProposalError(
        Sentence("This link names no paper that we can read."),
        "link",
        Sentence("Use the paper's page on arXiv or Hugging Face, or its DOI."),
    )


def propose(rt: Runtime, token: str, *, link: str, words: str, name: str) -> SubmissionRow:
    """Keep a proposal for the staff; its paper is looked up meanwhile.

    words: a sentence, at most 300 characters · name: how the reader wants to be named, "" = not at
    all. Raises TokenError, ManageError, ProposalError: no link of a paper, one that is here or
    waits already, too many in 24 hours, too long.
    """
    check_open(rt)
    typed = collapse(link)
    named = read_link(link)
    said, called = collapse(words), collapse(name)
    for text, field, most in (
        (typed, "link", LONGEST_LINK),
        (said, "words", LONGEST_WORDS),
        (called, "name", LONGEST_NAME),
    ):
        if len(text) > most:
            what = Sentence("This is too long: %(num)s characters are the most.", num=most)
            raise ProposalError(what, field, Sentence("Shorten it."))

    def act(session: Session) -> SubmissionRow:
        reader = mailed_reader(rt, session, token)
        assert reader.id is not None
        _refuse_known(session, named)
        most, now = rt.defaults().proposals_a_day, rt.clock()
        if store.count_since(session, reader.id, now - timedelta(days=1)) >= most:
            raise ProposalError(
                Sentence("You proposed %(num)s papers in 24 hours, which is the most.", num=most),
                "link",
                Sentence("Propose it tomorrow."),
            )
        row = SubmissionRow(
            at=now, subscriber_id=reader.id, link=typed, named=f"{named.scheme}/{named.value}",
            words=said, name=called,
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.refresh(row)
        session.expunge(row)
        return row

    made = rt.db.write(act, Priority.WEB)
    rt.log("proposed", submission=made.id)
    rt.engine.enqueue("proposals")
    return made


def _refuse_known(session: Session, named: Alias) -> None:
    """Raises ProposalError: stored, waiting already, or of an archive that cannot be asked."""
    if ids := papers_store.find_ids(session, [named]):
        row = papers_store.get_rows(session, ids[:1]).get(ids[0])
        is_shown = row is not None and not row[0].quarantined and row[0].merged_into is None
        raise ProposalError(
            Sentence("This paper is in our lists already."),
            "link",
            Sentence("Look it up, or propose another one."),
            here=(named.scheme, named.value) if is_shown else None,
        )
    if store.find_waiting(session, f"{named.scheme}/{named.value}") is not None:
        raise ProposalError(
            Sentence("Somebody proposed this paper already; the editors have yet to decide."),
            "link",
            Sentence("Nothing more is needed."),
        )
    if named.scheme != "arxiv":
        raise ProposalError(
            Sentence("Of papers that are not in our lists, only those on arXiv can be looked up."),
            "link",
            Sentence("Use its link on arXiv or Hugging Face, where it has one."),
        )


def own_proposals(rt: Runtime, token: str) -> list[Own]:
    """What a reader proposed, newest first. Raises TokenError, ManageError."""
    check_open(rt)

    def read(session: Session) -> list[Own]:
        reader = mailed_reader(rt, session, token)
        rows = store.list_submissions(session, store.Wanted(reader_id=reader.id), limit=50)
        return [Own(r.link, r.title, r.words, r.name, r.state, r.listed_on) for r in rows]

    return rt.db.read(read)
