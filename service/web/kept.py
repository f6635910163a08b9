"""What is kept of a reader, and for how long, in words: for the page on privacy, and for whoever
erases. Every figure is a setting in force or a fixed rule; ``Kept`` names which, and which tables
it speaks of, so that a test can compare both with the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.defaults import FIXED, Defaults
from service.delivery.i18n import Texts
from service.errors import Sentence, counted


@dataclass(frozen=True, slots=True)
class Kept:
    """what: the thing · how_long: a sentence or two · tables: where it lies · settings: names of
    the figures in it."""

    what: Sentence
    how_long: tuple[Sentence, ...]
    tables: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    def said(self, texts: Texts) -> tuple[str, str]:
        """Both in a reader's language."""
        return texts.said(self.what), texts.sentences(*map(texts.said, self.how_long))


def _days(days: int) -> Sentence:
    return counted("%(num)s day", "%(num)s days", days)


def kept_of_readers(limits: Defaults) -> tuple[Kept, ...]:
    """Everything, in the order of the page."""
    return (
        Kept(
            Sentence(
                "Address, name, language, hour, zone and other choices; your interests and what"
                " they found"
            ),
            (
                Sentence(
                    "While you subscribe, and %(days)s after leaving. Leaving can be undone for"
                    " %(undo)s. Then all of it is erased.",
                    days=_days(limits.keep_left_days), undo=_days(limits.undo_days),
                ),
            ),
            ("subscriber", "profile", "match", "interest_count"),
            ("keep_left_days", "undo_days"),
        ),
        Kept(
            Sentence("A request that nobody confirmed"),
            (Sentence("%(days)s, then it is erased.", days=_days(limits.confirm_days)),),
            ("subscriber", "profile"),
            ("confirm_days",),
        ),
        Kept(
            Sentence("Which papers you had, and which wait for your next mail"),
            (
                Sentence(
                    "%(days)s, so that none comes twice; with the rest, where that goes before.",
                    days=_days(limits.keep_sent_days),
                ),
            ),
            ("sent_paper", "carry"),
            ("keep_sent_days",),
        ),
        Kept(
            Sentence("Papers you wanted more or less of"),
            (Sentence("Until you take it back, or with the rest."),),
            ("feedback",),
        ),
        Kept(
            Sentence("What was in your mails"),
            (
                Sentence(
                    "%(days)s, for your history and the view in the browser.",
                    days=_days(limits.keep_digest_days),
                ),
            ),
            ("delivery",),
            ("keep_digest_days",),
        ),
        Kept(
            Sentence("That a mail was made, and what became of it"),
            (
                Sentence("With your address while you subscribe."),
                Sentence("Afterwards without it, for the count of mails."),
            ),
            ("delivery", "release_wait"),
        ),
        Kept(
            Sentence("What your mail server answered"),
            (
                Sentence("Each answer %(days)s.", days=_days(limits.keep_attempt_days)),
                Sentence("The last one with the mail it was about, for your history."),
            ),
            ("attempt", "delivery"),
            ("keep_attempt_days",),
        ),
        Kept(
            Sentence("Mails that came back, and answers to ours"),
            (
                Sentence("As they came: %(days)s.", days=_days(limits.keep_inbound_days)),
                Sentence(
                    "What they said: %(days)s. Of what kind they were: with the mail they were"
                    " about.",
                    days=_days(limits.keep_attempt_days),
                ),
            ),
            ("inbound", "report"),
            ("keep_inbound_days", "keep_attempt_days"),
        ),
        Kept(
            Sentence("The page of a mail in the browser"),
            (
                Sentence(
                    "Whoever you give its address sees the papers and the words they were found"
                    " by; neither your address nor a link that changes anything."
                ),
            ),
            ("delivery",),
        ),
        Kept(
            Sentence("A feed of your own, where you open one"),
            (
                Sentence("Whoever knows its address reads what your interests bring."),
                Sentence("You close it, or give it another address, in your settings."),
            ),
            ("subscriber",),
        ),
        _consent(),
        Kept(
            Sentence("Why you left, where you said so"),
            (
                Sentence("Your own words until you are erased."),
                Sentence("Which reason it was is counted on, without you."),
            ),
            ("consent",),
        ),
        Kept(
            Sentence(
                "Words by which the people who run this service find you, and the list by which"
                " they entered you"
            ),
            (Sentence("With the rest; they are in the file of your data."),),
            ("reader_tag", "reader_imported"),
        ),
        Kept(
            Sentence("Papers you proposed, and papers you voted for"),
            (
                Sentence("With the rest; of votes only the number is shown."),
                Sentence("A proposal that was accepted stays, without your name and your words."),
            ),
            ("submission", "vote"),
        ),
        Kept(
            Sentence("What the people who run this service did with your subscription"),
            (
                Sentence("%(days)s, under its number and not your address.",
                         days=_days(limits.keep_audit_days)),
            ),
            ("audit",),
            ("keep_audit_days",),
        ),
        _logs(),
        _asked(),
        _routes(),
        _code(),
        _copies(),
    )  # fmt: skip


def kept_after_erasing() -> tuple[Kept, ...]:
    """What is left when a reader was erased at once."""
    return (
        _code(),
        _consent(),
        Kept(
            Sentence("That mails were made, and what became of them"),
            (
                Sentence("Without your address and without the papers, for the count of mails."),
                Sentence("Of what your mail server answered your address is taken out."),
            ),
            ("delivery",),
        ),
        _logs(),
        _asked(),
        _routes(),
        _copies(),
    )


def _consent() -> Kept:
    return Kept(
        Sentence(
            "What you agreed to: which act, when, from which network address and with which program"
        ),
        (
            Sentence(
                "While you subscribe, and %(days)s after erasing, under a code in place of your"
                " address.",
                days=_days(FIXED.keep_consent_days),
            ),
        ),
        ("consent",),
        ("keep_consent_days",),
    )


def _logs() -> Kept:
    return Kept(
        Sentence("What this service logs of its work"),
        (
            Sentence(
                "%(days)s, without addresses and without the links of your mails.",
                days=_days(FIXED.keep_log_days),
            ),
        ),
        (),
        ("keep_log_days",),
    )


def _asked() -> Kept:
    return Kept(
        Sentence("How often mails were asked for, for an address and from a network"),
        (
            Sentence("For an address a month at most, under a code in its place; for a network a"
                     " day."),
        ),
        ("pace",),
    )  # fmt: skip


def _routes() -> Kept:
    return Kept(
        Sentence("Which service receives the mail of a domain (what follows the @), and how many"
                 " mails went there"),
        (
            Sentence("The service %(days)s, the number two days; of the domain, not of you.",
                     days=_days(FIXED.keep_route_days)),
        ),
        ("pace",),
        ("keep_route_days",),
    )  # fmt: skip


def _copies() -> Kept:
    return Kept(
        Sentence("Copies of all this against loss"),
        (Sentence("As long as the people who run this service keep them; they can say."),),
    )


def _code() -> Kept:
    return Kept(
        Sentence("A code made from your address with a secret key"),
        (
            Sentence("It stays after leaving and erasing, so that no list brings you back."),
            Sentence("The address cannot be read out of it."),
        ),
        ("suppression",),
    )


def said_rows(rows: Sequence[Kept], texts: Texts) -> list[tuple[str, str]]:
    """(what, how long) for a template."""
    return [row.said(texts) for row in rows]
