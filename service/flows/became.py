"""What became of a reader's day, in words: the same for the reader, the staff and the commands."""

from datetime import date

from service.delivery.i18n import Texts
from service.digest.model import Asks
from service.flows.mail_days import MailDay
from service.store.missed_rows import MISSED
from service.store.releases import UNRELEASED
from service.store.sent import TESTED


def what_became(one: MailDay, texts: Texts) -> str:
    """look.md's words for one day."""
    _ = texts.gettext
    if one.state == "accepted" and one.reason == TESTED:
        return _("It went to the people who run this service, as a test.")
    if one.state == "accepted" and one.kind == "newsletter":
        return _("A letter from the people who run this service.")
    if one.state == "accepted" and not one.kept:
        return _("Mailed. What was in it is not kept any more.")
    if one.state == "accepted" and not one.papers and not one.news:
        return _("A mail that nothing new came, as you had asked for.")
    if one.state == "accepted":
        mailed = texts.ngettext("%(num)s paper mailed.", "%(num)s papers mailed.", one.papers)
        if not one.news:
            return mailed
        news = texts.ngettext(
            "Later news of %(num)s paper mailed.", "Later news of %(num)s papers mailed.", one.news
        )
        return texts.sentences(mailed, news) if one.papers else news
    if one.state == "skipped":
        why = why_skipped(
            texts, one.reason, one.checked,
            asks=one.asks, had=one.had, later=one.later, is_kept=one.kept,
            paused_until=one.paused_until,
        )  # fmt: skip
        return why or _("This mail could not be made, and that is our fault.")
    words = one.said
    match one.state:
        case "failed" if one.fault:
            what = texts.said(one.fault)
            return _("%(what)s No mail can be sent to it: change your address.", what=what)
        case "failed" if not words:
            return _("This mail could not be made, and that is our fault.")
        case "failed" | "expired":
            follow = _("The papers ride in the next mail that is made.")
            said = _("Your mail server did not take it.")
            if words:
                said = _("Your mail server did not take it: %(words)s.", words=words)
            return texts.sentences(said, follow)
        case "deferred":
            if words:
                return _("Your mail server asked us to wait: %(words)s.", words=words)
            return _("Your mail server asked us to wait; we try again.")
        case "unknown" | "presumed" | "sending":
            return _("Handed over, but your mail server never confirmed it.")
        case "suppressed" if one.reason == "bounced":
            return _("Stopped: your mail server had refused an earlier mail.")
        case "suppressed" if one.reason == "suppressed":
            return _("Stopped: this address is on the list of those that get no mail.")
        case "suppressed":
            return _("Stopped: you had left.")
        case "cancelled":
            return _("Cancelled by the people who run this service.")
    return _("On its way.")


def why_skipped(
    texts: Texts,
    reason: str,
    checked: int,
    *,
    asks: Asks = "words",
    had: int = 0,
    later: int = 0,
    is_kept: bool = True,
    paused_until: date | None = None,
) -> str:
    """Why a date brought no mail; "" where the reason is none of those of a day without papers.

    asks: what papers were compared with. had, later: of those that matched, how many came before
    and how many come with the next alert. is_kept: whether the figures of that day are.
    """
    _ = texts.gettext
    if reason == "paused" and paused_until is not None:
        return _("You had paused until %(date)s.", date=texts.long_day(paused_until))
    if reason == "paused":
        return _("You had paused.")
    if reason == "already_had":
        return _("You had all of these papers already.")
    if reason == "in_digest":
        return _("It waited, and its papers came with the digest that was made first.")
    if reason == "hidden":
        return _("Its papers were taken out of the lists by the people who run this service.")
    if reason == "bounced":
        return _("Earlier mails had come back from your mail server, so none was made.")
    if reason == MISSED:
        return _("Nothing was sent at your hour; what was new came with the mail that followed.")
    if reason == UNRELEASED:
        return _("The editors did not release that day; what was new came with the mail that "
                 "followed.")  # fmt: skip
    if reason == "not_your_day":
        return _("None of your interests has its day.")
    if reason not in ("too_few", "nothing_new"):
        return ""
    if not is_kept:
        return _("Nothing new was found for you.")
    if not checked:
        return _("No new paper came that day.")
    counted = texts.ngettext("%(num)s paper checked", "%(num)s papers checked", checked)
    if reason == "too_few":
        return _("%(checked)s, fewer matched than you want in one mail.", checked=counted)
    if asks == "trending":
        return _("%(checked)s, none with votes was new to you.", checked=counted)
    has_words = asks == "words"
    if later and has_words:
        return _("%(checked)s. What contained your words comes with your next alert.",
                 checked=counted)  # fmt: skip
    if later:
        return _("%(checked)s. What matched your interests comes with your next alert.",
                 checked=counted)  # fmt: skip
    if had and has_words:
        return _("%(checked)s. You already had what contained your words.", checked=counted)
    if had:
        return _("%(checked)s. You already had what matched your interests.", checked=counted)
    if has_words:
        return _("%(checked)s, none contained your words.", checked=counted)
    return _("%(checked)s, none matched your interests.", checked=counted)
