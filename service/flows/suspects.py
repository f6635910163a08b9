"""A paper for which mail servers refuse mails is found and hidden, as one that cannot be rendered.

Its mails are carried, so it would spoil those of the next days as well.
"""

from datetime import timedelta

from service.flows.quarantine import hide
from service.flows.runtime import Runtime
from service.store.db import Session
from service.store.suspects import list_suspects

MAILS = 3
"""Refused mails, and mails accepted without it, from which on a paper is blamed."""

DOMAINS = 2
"""One domain alone may dislike what is common to its readers."""

_LOOK_BACK = timedelta(days=1)


def accuse(rt: Runtime, session: Session) -> int:
    """Hide the papers that only refused mails held; how many."""
    now = rt.clock()
    found = list_suspects(session, now - _LOOK_BACK, mails=MAILS, domains=DOMAINS)
    hide(session, {paper: f"refused by mail servers: {said}" for paper, said in found.items()}, now)
    if found:
        rt.log("papers_hidden", papers=len(found))
    return len(found)
