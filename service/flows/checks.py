"""The named checks before a send by hand: what was looked at, what it said, what mends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

from service.defaults import FIXED
from service.errors import PaperpostError
from service.flows.audience import Audience, Plan
from service.flows.leave import look as look_up_token
from service.flows.links import ask_links, is_ours, links_of
from service.flows.preview import Preview
from service.flows.runtime import Runtime
from service.flows.trial import look
from service.store import edition_lists
from service.store import editions as editions_store
from service.store import subscribers as subscribers_store
from service.store.newest_days import list_late_titles
from service.subscribers.address import read_address
from service.text.markdown import count_images, markdown_links

Grade = Literal["ok", "warn", "fail"]
LARGEST = 90_000
_SET = "It is set in the environment: PAPERPOST_{}."
_MACHINE = "settings/machine#PAPERPOST_{}"
"""Where the machine's settings are shown, to owners."""
SHORTEST_SUBJECT, LONGEST_SUBJECT = 10, 70


@dataclass(frozen=True, slots=True)
class Check:
    """name · grade · why, with a number where there is one · link: where it is mended, "" or an
    address under /admin (without a leading slash)."""

    name: str
    grade: Grade
    why: str
    link: str = ""


async def check_relay(rt: Runtime) -> Check:
    """Speaks to the relay, offering our sender."""
    pool = rt.open_mailer(rt.defaults())
    try:
        found = await pool.probe(rt.site.sender)
    except PaperpostError as error:
        return Check("Relay answers", "fail", f"{error} {_SET.format('SMTP_URL')}",
                     _MACHINE.format("SMTP_URL"))  # fmt: skip
    finally:
        await pool.aclose()
    return Check("Relay answers", "ok", found.greeting[:120], "deliveries/pace")


async def check_links(rt: Runtime, plan: Plan) -> list[Check]:
    """Asks what a newsletter links to; nothing for other mails."""
    if plan.kind != "newsletter":
        return []
    name, every = "Links answer", links_of(plan.body)
    where = f"send?draft={plan.key}"
    if not every:
        return [Check(name, "ok", "There are none", where)]
    links = [link for link in every if not is_ours(link, rt.site.base_url)]
    ours = len(every) - len(links)
    asked = await ask_links(rt, links)
    broken = [one for one in asked if one.fault]
    beyond = f"; {len(links) - len(asked)} more were not asked" if len(links) > len(asked) else ""
    beyond += f"; {ours:,} to this site, not asked" if ours else ""
    if broken:
        told = "; ".join(f"{one.url[:80]}: {one.fault}" for one in broken[:5])
        more = f"; {len(broken) - 5} more" if len(broken) > 5 else ""
        return [Check(name, "warn", told + more + beyond, where)]
    return [Check(name, "ok", f"{len(asked)} asked{beyond}", where)]


def check_plan(rt: Runtime, plan: Plan, audience: Audience) -> list[Check]:
    """Every check that needs no network, on the mails of up to ten readers."""
    mails = []
    for email in audience.samples:
        mails.append((email, look(rt, plan, read_address(email).key)))
    return [
        _sender(rt),
        _test_mode(rt),
        *_of_mails(rt, plan, mails),
        _number(rt, plan, audience),
        Check(
            "Suppressed left out",
            "ok",
            f"{len(audience.groups.get('refused', ())):,} of this audience",
            f"send/{plan.key}/readers/refused",
        ),
        _sources(rt, plan),
        *_unused(plan),
        *_links(plan),
    ]


def _sender(rt: Runtime) -> Check:
    host = urlsplit(rt.site.base_url).hostname or ""
    domain = rt.mail_domain
    name = "Sender set and aligned"
    if domain == host or host.endswith(f".{domain}"):
        why = f"{rt.site.sender}, links to {host}"
        return Check(name, "ok", why, _MACHINE.format("MAIL_FROM"))
    if host in ("127.0.0.1", "localhost", "::1"):
        why = f"{rt.site.sender}; links lead to this machine only ({host})."
        return Check(name, "warn", f"{why} {_SET.format('BASE_URL')}", _MACHINE.format("BASE_URL"))
    why = f"{rt.site.sender}, but links lead to {host}."
    return Check(name, "warn", f"{why} {_SET.format('MAIL_FROM')}", _MACHINE.format("MAIL_FROM"))


def _test_mode(rt: Runtime) -> Check:
    if rt.test_recipient:
        why = f"On: every mail goes to {rt.test_recipient}. {_SET.format('TEST_RECIPIENT')}"
        return Check("Test mode off", "warn", why, _MACHINE.format("TEST_RECIPIENT"))
    return Check(
        "Test mode off", "ok", "Mails go to their readers", _MACHINE.format("TEST_RECIPIENT")
    )


def _of_mails(rt: Runtime, plan: Plan, mails: Sequence[tuple[str, Preview]]) -> list[Check]:
    if not mails:
        return [Check("No empty mail", "fail", "Nobody gets a mail", f"send?draft={plan.key}")]
    n = f"{len(mails)} looked at"
    empty = [email for email, mail in mails if not mail.is_mail]
    real = [(email, mail) for email, mail in mails if mail.is_mail]
    bare = [email for email, mail in real if not (mail.text.strip() and mail.html.strip())]
    sizes = {email: len(mail.html.encode()) for email, mail in real}
    largest = max(sizes, key=lambda email: sizes[email], default="")
    size = sizes.get(largest, 0)
    left = [email for email, m in real if any(x in m.html + m.text for x in ("{{", "{%", "%("))]
    odd = [
        (email, mail.subject)
        for email, mail in real
        if not SHORTEST_SUBJECT <= len(mail.subject) <= LONGEST_SUBJECT
    ]

    is_typed = plan.kind == "newsletter"
    mended = f"send?draft={plan.key}" if is_typed else "settings/full_entries"

    def seen(emails: Sequence[str]) -> str:
        """Where the mail of the first of them is looked at."""
        reader = emails[0] if emails else mails[0][0]
        return f"send/{plan.key}?reader={quote(reader, safe='@')}#mail"

    return [
        Check("No empty mail", "fail" if empty else "ok", ", ".join(empty) or n, seen(empty)),
        Check("Text and HTML present", "fail" if bare else "ok", ", ".join(bare) or n, seen(bare)),
        _unsubscribe(rt, plan, mails),
        Check(
            "Largest mail under 90 kB",
            "fail" if size > LARGEST else "ok",
            f"{size:,} bytes" + (f", of {largest}" if size > LARGEST else ""),
            mended if size > LARGEST else seen([largest] if largest else []),
        ),
        Check(
            "Template variables filled", "warn" if left else "ok", ", ".join(left) or n, seen(left)
        ),
        Check(
            "Subject of 10 to 70 characters",
            "warn" if odd else "ok",
            f"{len(odd[0][1])} characters: {odd[0][1][:80]}" if odd else n,
            f"send?draft={plan.key}" if plan.subject else seen([email for email, _ in odd]),
        ),
    ]


def _unsubscribe(rt: Runtime, plan: Plan, mails: Sequence[tuple[str, Preview]]) -> Check:
    name = "Unsubscribe works"
    for email, mail in mails:
        if not mail.is_mail:
            continue
        where = f"send/{plan.key}?reader={quote(email, safe='@')}#mail"
        key = read_address(email).key
        row = rt.db.read(
            lambda s, k=key: subscribers_store.get_subscriber_row(s, email_key=k)  # type: ignore[misc]
        )
        token = row.unsubscribe_token if row is not None else ""
        link = rt.links.unsubscribe(token)
        if (
            link not in mail.html
            or link not in mail.text
            or b"List-Unsubscribe:" not in mail.message
        ):
            return Check(name, "fail", f"The mail to {email} has no link to leave", where)
        if look_up_token(rt, token).email != email:
            return Check(name, "fail", f"The link in the mail to {email} is somebody else's", where)
    where = f"send/{plan.key}?reader={quote(mails[0][0], safe='@')}#mail" if mails else ""
    return Check(name, "ok", "Header, HTML and text lead to the reader's own page", where)


def _number(rt: Runtime, plan: Plan, audience: Audience) -> Check:
    name = "Number within twice the last"
    last = last_number(rt, plan)
    if last is None:
        return Check(name, "ok", f"{audience.mails:,}; the first of its kind", "editions")
    if audience.mails > FIXED.typed_times_last * last:
        why = f"{audience.mails:,}, the last one had {last:,}"
        return Check(name, "warn", why, f"send/{plan.key}/readers/mails")
    return Check(name, "ok", f"{audience.mails:,}, the last one had {last:,}", "editions")


def last_number(rt: Runtime, plan: Plan) -> int | None:
    """Mails of the newest edition of this kind that sent any, None before the first."""
    kind = {"daily": "digest", "alert": "alert"}.get(plan.kind, plan.kind)
    found = rt.db.read(lambda s: editions_store.list_editions(s, kinds=[kind], limit=30))
    states = rt.db.read(lambda s: edition_lists.states_of(s, found))
    for edition in found:
        if edition.slot != plan.key and (n := states.get(edition.id or 0, {}).get("accepted", 0)):
            return n
    return None


def needs_typing(rt: Runtime, plan: Plan, mails: int) -> bool:
    """True when this number of mails has to be typed: above the threshold, or twice the last."""
    limits = rt.defaults()
    last = last_number(rt, plan)
    most = FIXED.typed_times_last * (last or 0)
    doubled = last is not None and last >= limits.canary and mails > most
    return mails > limits.typed_above or doubled


def _sources(rt: Runtime, plan: Plan) -> Check:
    name = "Sources complete today"
    if plan.kind in ("newsletter", "manual"):
        why = "it holds no papers" if plan.kind == "newsletter" else "the papers are chosen"
        return Check(name, "ok", f"Not asked: {why}", "sources")
    today = rt.clock().date()
    late = rt.db.read(lambda s: list_late_titles(s, today))
    if late:
        return Check(name, "warn", f"Late: {', '.join(late)}", f"sources?q={quote(late[0])}")
    return Check(name, "ok", "None is late", "sources")


def _unused(plan: Plan) -> list[Check]:
    """What somebody wrote that this kind of mail does not carry."""
    left_out = [
        words
        for words, kinds, text in (
            ("the subject", ("daily", "alert"), plan.subject),
            ("the note", ("alert",), plan.body),
        )
        if text and plan.kind in kinds
    ]
    if not left_out:
        return []
    why = f"Left out: {' and '.join(left_out)}. These mails are called by each reader's best paper"
    return [Check("All that was written is used", "warn", why, f"send?draft={plan.key}")]


def _links(plan: Plan) -> list[Check]:
    if plan.kind != "newsletter":
        return []
    where = f"send?draft={plan.key}"
    links = markdown_links(plan.body)
    odd = [x for x in links if not x.startswith(("https://", "http://", "mailto:"))]
    hosts = ", ".join(dict.fromkeys(urlsplit(x).hostname or x for x in links))
    said = f"{len(links)}: {hosts}" if links else "There are none"
    whole = Check("Links are whole", "ok", said[:300], where)
    if odd:
        whole = Check("Links are whole", "warn", f"{odd[0][:80]} has no https:// before it", where)
    n = count_images(plan.body)
    if not n:
        return [whole]
    left_out = "1 is left out" if n == 1 else f"{n} are left out"
    why = f"{left_out}: mails fetch nothing. Link to it instead."
    return [whole, Check("No pictures", "warn", why, where)]
