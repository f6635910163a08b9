"""What is said after a mail was asked for."""

from fastapi import Request
from fastapi.responses import Response

from service.delivery.i18n import Texts
from service.flows.caps import Answer
from service.flows.own_link import LINKS_A_DAY
from service.web.door import Door


def link_mailed(door: Door, request: Request, answer: Answer, to: str = "") -> Response:
    """What is said of a link that is mailed. to: the masked address, for who came by a link of its
    reader; a stranger is told of none."""
    if answer.full:
        return full(door, request)
    told = link_told(door, request, answer, to)
    return door.say(request, door.texts(request).gettext("Look in your mailbox"), *told)


def link_told(door: Door, request: Request, answer: Answer, to: str = "") -> tuple[str, str]:
    """When the mail comes, and what it looks like."""
    texts = door.texts(request)
    _ = texts.gettext
    follows = _("If papers go to this address, a mail with the link is on its way to it.")
    if to:
        most = texts.number(LINKS_A_DAY)
        follows = _("The link goes to %(email)s, %(num)s times a day at most.", email=to, num=most)
    if answer.hours:
        follows = when(texts, answer)
    subject = _("Your link to %(site)s", site=door.rt.site.name)
    sender = door.rt.site.sender
    return follows, _("It comes from %(sender)s: “%(subject)s”.", sender=sender, subject=subject)


def when(texts: Texts, answer: Answer) -> str:
    """What a network is told that asked for many mails."""
    if answer.hours == 1:
        return texts.gettext("Many requests from your network. Your mail follows within the hour.")
    return texts.gettext(
        "Many requests from your network. Your mail follows within %(num)s hours.",
        num=texts.number(answer.hours),
    )


def full(door: Door, request: Request) -> Response:
    """What a network is told from which nothing more is taken today."""
    _ = door.texts(request).gettext
    return door.say(
        request,
        _("Very many requests came from your network."),
        _("Nothing more is mailed because of them today. Ask again tomorrow."),
        status=429,
    )
