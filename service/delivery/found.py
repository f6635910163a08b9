"""What was found, in numbers: the sentence that a digest begins with. Pure.

Whoever asked for words is told of words; for people, categories or figures alone, of interests; for
the most-voted papers alone, of these.
"""

from service.delivery.i18n import Texts
from service.digest.model import Digest


def found(digest: Digest, texts: Texts) -> str:
    """Return how many papers were checked, and how many of them are what was asked for."""
    shown = sum(s.total for s in digest.sections if s.kind not in ("picks", "signals"))
    if digest.kind == "alert":
        return _new(digest, shown, texts)
    if not digest.sections and not digest.checked:
        return texts.gettext("No new papers reached us.")
    if digest.sections and all(s.kind == "chosen" for s in digest.sections):
        return texts.ngettext(
            "%(num)s paper, chosen for you.", "%(num)s papers, chosen for you.", shown
        )
    if not digest.checked:  # a day without new papers: only what was left from the days before
        return _left(digest, shown, texts)
    checked = texts.ngettext(
        "%(num)s new paper checked", "%(num)s new papers checked", digest.checked
    )
    if digest.kind == "first":
        checked = texts.ngettext("%(num)s paper checked", "%(num)s papers checked", digest.checked)
    if not digest.matched and not digest.interests:
        return texts.ngettext(
            "%(checked)s. This one is trending.",
            "%(checked)s. These %(num)s are trending.",
            shown,
            checked=checked,
        )
    return _compared(digest, checked, texts)


def _compared(digest: Digest, checked: str, texts: Texts) -> str:
    has_words = digest.asks == "words"
    if not digest.matched and has_words:
        return texts.gettext("%(checked)s, none contains your words.", checked=checked)
    if not digest.matched:
        return texts.gettext("%(checked)s, none matches your interests.", checked=checked)
    if has_words:
        line = texts.ngettext(
            "%(checked)s, %(num)s contains your words.",
            "%(checked)s, %(num)s contain your words.",
            digest.matched,
            checked=checked,
        )
    else:
        line = texts.ngettext(
            "%(checked)s, %(num)s matches your interests.",
            "%(checked)s, %(num)s match your interests.",
            digest.matched,
            checked=checked,
        )
    return texts.sentences(line, _best_of(digest, texts))


def _new(digest: Digest, number: int, texts: Texts) -> str:
    if digest.asks == "words":
        return texts.ngettext(
            "%(num)s new paper contains your words.",
            "%(num)s new papers contain your words.",
            number,
        )
    return texts.ngettext(
        "%(num)s new paper matches your interests.",
        "%(num)s new papers match your interests.",
        number,
    )


def _left(digest: Digest, number: int, texts: Texts) -> str:
    if not digest.matched:
        return texts.ngettext("This one is trending.", "These %(num)s are trending.", number)
    if digest.asks == "words":
        return texts.ngettext(
            "%(num)s paper contains your words.",
            "%(num)s papers contain your words.",
            digest.matched,
        )
    return texts.ngettext(
        "%(num)s paper matches your interests.",
        "%(num)s papers match your interests.",
        digest.matched,
    )


def _best_of(digest: Digest, texts: Texts) -> str:
    shown = sum(s.total for s in digest.sections if s.kind not in ("picks", "trending", "signals"))
    if digest.kind != "first" or shown >= digest.matched:
        return ""
    return texts.ngettext("Here is the best one.", "Here are the best %(num)s.", shown)
