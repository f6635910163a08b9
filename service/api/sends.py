"""Sends by hand for programs: who would get it, the checks, then the send itself, and the hand on
the brake of an edition. The same flows as the desk's."""

from asyncio import gather, to_thread
from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from service.api.callers import ScopeError, caller_of, place_of
from service.flows import canary, editions, late, ledger, manual, move_send, progress, trial
from service.flows.audience import Audience, Plan
from service.flows.checks import Check, check_links, check_plan, check_relay, needs_typing
from service.flows.runtime import Runtime
from service.flows.segment import read_segment
from service.flows.timing import read_begin
from service.flows.tokens import Caller
from service.pages.forms import RowNumber
from service.pages.network import Proxies

Kind = Literal["manual", "newsletter", "daily", "alert"]
_SEGMENT = 2_000_000
"""Characters: a list of some 60,000 addresses."""


class Mail(BaseModel):
    """What a mail says, and to whom it goes.

    papers: like arxiv/2611.00000, in the order of the mail · dates: A..B, every paper listed then ·
    segment: all, words:LoRA, lang:de, cadence:daily, joined:A..B, tag:NAME, list:ADDRESSES,
    state:EDITION:failed, late:EDITION · body: a newsletter's Markdown, a digest's note.
    """

    model_config = ConfigDict(extra="forbid")
    kind: Kind
    papers: list[Annotated[str, Field(max_length=700)]] = Field(
        default_factory=list, max_length=200
    )
    dates: str = Field(default="", max_length=40)
    segment: str = Field(default="all", max_length=_SEGMENT)
    subject: str = Field(default="", max_length=200)
    body: str = Field(default="", max_length=60_000)


class Send(Mail):
    """What to send, to whom, and when.

    papers: like arxiv/2611.00000, in the order of the mail · dates: A..B, every paper listed then ·
    segment: all, words:LoRA, lang:de, cadence:daily, joined:A..B, tag:NAME, list:ADDRESSES,
    state:EDITION:failed, late:EDITION · body: a newsletter's Markdown, a digest's note · key: the
    same one twice is one edition · canary: to a few first · at: "2026-11-23 14:00" on the house's
    wall, or with an offset · own_hour: to each reader at the hour of theirs that comes next ·
    at_once: without the time in which it can be taken back · mails: the number that is expected, as
    a dry run gave it · dry_run: only look.
    """

    key: str = Field(default="", max_length=80)
    canary: bool = False
    at: str = Field(default="", max_length=40)
    own_hour: bool = False
    at_once: bool = False
    mails: int | None = Field(default=None, ge=0, le=2**53, strict=True)
    dry_run: StrictBool = False


class Test(Mail):
    """A mail to look at. reader: whose it is; "" = of the first who would get it · addresses: where
    it goes, marked as a test, with links that belong to nobody."""

    reader: str = Field(default="", max_length=254)
    addresses: list[Annotated[str, Field(max_length=254)]] = Field(min_length=1, max_length=20)


class Tested(BaseModel):
    """One test mail. accepted: by the mail server · words: its own."""

    email: str
    accepted: bool
    words: str


class Counted(BaseModel):
    """readers − each of left_out = mails. samples: addresses of up to ten who get one, for tokens
    that may look at readers or deliveries · strangers, unread: of a list, those that are no reader,
    and those that are no address."""

    readers: int
    left_out: dict[str, int]
    mails: int
    equation: str
    samples: list[str]
    strangers: int
    unread: int


class Checked(BaseModel):
    """One named check. grade: ok, warn or fail."""

    name: str
    grade: Literal["ok", "warn", "fail"]
    why: str


class Looked(BaseModel):
    """What a send would be. is_unusual: the number is above the threshold, or twice the last."""

    dry_run: Literal[True] = True
    audience: Counted
    checks: list[Checked]
    is_unusual: bool


class Begun(BaseModel):
    """The edition that was made. editions: of a daily, one for each date · is_new: False where this
    key was sent before · until: it can be taken back before then."""

    edition: int
    editions: list[int]
    planned: int
    mails: int
    is_new: bool
    until: datetime | None


class Done(BaseModel):
    """What an act came to. mails: how many it concerned, where it is counted."""

    edition: int
    state: str
    mails: int | None = None


class Move(BaseModel):
    """Another time for a send.

    at: "2026-11-23 14:00" on the house's wall, or with an offset; or own_hour: to each reader at
    the hour of theirs that comes next, on: on this date of theirs or later · dry_run: only look.
    """

    model_config = ConfigDict(extra="forbid")
    at: str = Field(default="", max_length=40)
    own_hour: StrictBool = False
    on: str = Field(default="", max_length=10)
    dry_run: StrictBool = False


class Moved(BaseModel):
    """What a move means. mails: how many · before, begins, last: when the first was to go, and when
    the first and the last go · until: it can be taken back before then · deadline: no mail of it is
    tried later · is_paused: nothing goes before it is resumed · is_new: false where it goes at that
    time already."""

    edition: int
    dry_run: bool
    mails: int
    before: datetime | None
    begins: datetime
    last: datetime
    until: datetime | None
    deadline: datetime
    own_hour: bool
    is_paused: bool
    is_new: bool


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/sends and the acts on /api/v1/editions/ID."""

    Sender = Annotated[Caller, Depends(caller_of(rt, "deliveries:send"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    def composed(asked: Mail, who: Caller, key: str = "", canary: bool = False) -> Plan:
        if asked.kind != "manual" and (asked.papers or asked.dates.strip()):
            raise manual.ManualError(
                f"A send of kind {asked.kind} names no papers.",
                "papers" if asked.papers else "dates",
                "Leave them out, or send a digest of chosen papers: kind manual.",
            )
        return manual.draft(
            rt,
            kind=asked.kind,
            papers=asked.papers,
            dates=asked.dates,
            segment=read_segment(asked.segment, from_files=False),
            subject=asked.subject,
            body=asked.body,
            key=key,
            created_by=who.signature,
            canary=canary,
        )

    def drafted(asked: Send, who: Caller) -> Plan:
        plan = composed(asked, who, asked.key, asked.canary)
        if not asked.at:
            return replace(plan, own_hour=asked.own_hour)
        ahead = rt.defaults().send_ahead_days
        begin = read_begin(asked.at, rt.zone, rt.clock(), ahead)
        return replace(plan, at=begin, own_hour=asked.own_hour)

    @routes.get("/v1/sends/audience")
    def audience(
        who: Sender,
        segment: Annotated[str, Query(max_length=4000)] = "all",
        kind: Kind = "newsletter",
        paper: Annotated[list[str] | None, Query(max_length=200)] = None,
        dates: Annotated[str, Query(max_length=40)] = "",
    ) -> Counted:
        """Who would get a send now, and why the others would not. Nothing is planned. Scope:
        deliveries:send; ``samples`` only for tokens that may look at readers or deliveries."""
        plan = manual.draft(
            rt,
            kind=kind,
            papers=paper or (),
            dates=dates,
            segment=read_segment(segment, from_files=False),
            subject="-",
            body="-",
        )
        return _counted(manual.count(rt, plan), who)

    @routes.post("/v1/sends")
    async def send(who: Sender, place: Place, asked: Send) -> Looked | Begun:
        """Send by hand: first with ``dry_run``, which answers the audience and the checks, then
        with the number of ``mails`` that it gave. Scope: deliveries:send."""
        plan = await to_thread(drafted, asked, who)
        if asked.dry_run:
            found = await to_thread(manual.count, rt, plan)
            relay, links = await gather(check_relay(rt), check_links(rt, plan))
            checks = [relay, *await to_thread(check_plan, rt, plan, found), *links]
            return Looked(
                audience=_counted(found, who),
                checks=[_checked(one, who) for one in checks],
                is_unusual=await to_thread(needs_typing, rt, plan, found.mails),
            )
        if asked.mails is None:
            raise manual.ManualError(
                "Nothing was sent: the number of mails was not confirmed.",
                "mails",
                "Ask with dry_run first, then give the number it tells.",
            )
        made = await to_thread(
            manual.start, rt, plan, expected=asked.mails, at_once=asked.at_once, address=place
        )
        return Begun(
            edition=made.edition_id,
            editions=list(made.editions),
            planned=made.planned,
            mails=made.mails,
            is_new=made.is_new,
            until=made.until,
        )

    @routes.post("/v1/sends/test")
    async def test(who: Sender, place: Place, asked: Test) -> list[Tested]:
        """Send a mail to some addresses now, marked as a test; nothing counts as sent, and no
        suppressed address gets one. At most 60 in an hour. Scope: deliveries:send; for a ``reader``
        that is named, a daily or an alert, whose papers are theirs alone, also readers:read or
        deliveries:read."""
        if (asked.reader or asked.kind in ("daily", "alert")) and not _may_look(who):
            raise ScopeError(
                "This token is not for looking at a reader's mail.",
                "reader",
                "Make one that is: paperpost tokens create NAME --scope readers:read "
                "--scope deliveries:send",
            )
        plan = await to_thread(composed, asked, who)
        to = trial.read_addresses(" ".join(asked.addresses), rt.defaults().test_addresses)
        whose = await to_thread(trial.read_reader, rt, plan, asked.reader)
        made = await trial.send_trial(rt, plan, whose, to, by=who.signature, address=place)
        return [Tested(**asdict(one)) for one in made]

    def state_of(edition_id: int, mails: int | None = None) -> Done:
        dead, now = ledger.gone_owners(rt), rt.clock()
        facts = rt.db.read(lambda s: progress.watch(s, edition_id, dead=dead, now=now, whole=False))
        return Done(edition=edition_id, state=facts["state"], mails=mails)

    @routes.post("/v1/editions/{edition_id}/pause")
    def pause(who: Sender, place: Place, edition_id: RowNumber) -> Done:
        """Stop an edition after what is in flight. Scope: deliveries:send."""
        editions.pause(rt, edition_id, who.signature, place)
        return state_of(edition_id)

    @routes.post("/v1/editions/{edition_id}/resume")
    def resume(who: Sender, place: Place, edition_id: RowNumber) -> Done:
        """Go on with a paused edition. Scope: deliveries:send."""
        editions.resume(rt, edition_id, who.signature, place)
        return state_of(edition_id)

    @routes.post("/v1/editions/{edition_id}/cancel")
    def cancel(who: Sender, place: Place, edition_id: RowNumber) -> Done:
        """Send no more of an edition, for good; before it begins that takes it back. ``mails``: how
        many were not sent; their readers are the segment state:ID:cancelled. Scope:
        deliveries:send."""
        return state_of(edition_id, editions.cancel(rt, edition_id, who.signature, place))

    @routes.post("/v1/editions/{edition_id}/undo")
    def undo(
        who: Sender,
        place: Place,
        edition_id: RowNumber,
        key: Annotated[str, Query(max_length=80)] = "",
    ) -> Done:
        """Take a send back while that is possible: a daily begun by hand by its ``key``, as if it
        had not been pressed; another one is cancelled. Scope: deliveries:send."""
        n = manual.undo(rt, edition_id, key, by=who.signature, address=place)
        return state_of(edition_id, n)

    @routes.post("/v1/editions/{edition_id}/move")
    def move(who: Sender, place: Place, edition_id: RowNumber, asked: Move) -> Moved:
        """Give a send of which nothing has begun another time: the same mails to the same readers.
        A paused one stays paused. Scope: deliveries:send."""
        when = move_send.read_when(rt, asked.at, asked.own_hour, asked.on)
        made = (
            move_send.look(rt, edition_id, when)
            if asked.dry_run
            else move_send.move(rt, edition_id, when, by=who.signature, address=place)
        )
        facts = asdict(made)
        return Moved(edition=facts.pop("edition_id"), dry_run=asked.dry_run, **facts)

    @routes.post("/v1/editions/{edition_id}/rest")
    def rest(who: Sender, place: Place, edition_id: RowNumber) -> Done:
        """Let the rest of an edition go, when its first mails look well. Scope: deliveries:send."""
        return state_of(edition_id, canary.go_on(rt, edition_id, by=who.signature, address=place))

    @routes.post("/v1/editions/{edition_id}/late")
    def to_late(
        who: Sender,
        place: Place,
        edition_id: RowNumber,
        mails: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    ) -> Counted | Begun:
        """Send the same to those who joined or confirmed since. Without ``mails`` it only says who
        they are. Scope: deliveries:send."""
        plan = late.late_plan(rt, edition_id, who.signature)
        if mails is None:
            return _counted(manual.count(rt, plan), who)
        made = manual.start(rt, plan, expected=mails, address=place)
        return Begun(
            edition=made.edition_id,
            editions=list(made.editions),
            planned=made.planned,
            mails=made.mails,
            is_new=made.is_new,
            until=made.until,
        )


def _may_look(who: Caller) -> bool:
    """The scope to send is not the one to look."""
    return who.may("readers:read") or who.may("deliveries:read")


def _counted(found: Audience, who: Caller) -> Counted:
    return Counted(
        readers=found.readers,
        left_out={name: n for name, _, n in found.terms()},
        mails=found.mails,
        equation=found.equation(),
        samples=list(found.samples) if _may_look(who) else [],
        strangers=max(found.strangers, 0),
        unread=found.unread,
    )


def _checked(check: Check, who: Caller) -> Checked:
    facts: dict[str, Any] = {k: v for k, v in asdict(check).items() if k != "link"}
    if not _may_look(who) and "@" in facts["why"] and check.name not in ("Test mode off",):
        facts["why"] = f"{check.grade}, of some readers"
    return Checked(**facts)
