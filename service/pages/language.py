"""Which language a page speaks."""

from collections.abc import Sequence

from fastapi import Request

from service.delivery.i18n import PSEUDOS, SIMPLIFIED, is_traditional


def speak(request: Request, locale: str) -> None:
    """Answer this request in the language that its reader chose, whatever the browser says."""
    request.state.locale = locale


def locale_of(request: Request, languages: Sequence[str]) -> str:
    """Return the reader's language: ``?lang=``, else the one they chose (``speak``), else
    Accept-Language (RFC 9110, 12.5.4), else en.

    Only a member of ``languages`` is ever returned (or a pseudo-language of the tests, by
    its whole name); "de-CH" finds "de", "zh-TW" no "zh". A plain "zh" after "zh-TW" is the same
    wish, shortened by the browser.
    """
    accepted = _accepted(request.headers.get("accept-language", ""))
    chosen = getattr(request.state, "locale", "")
    asked = [request.query_params.get("lang", ""), chosen, *accepted]
    is_other = False
    known = {name.lower().replace("_", "-"): name for name in (*languages, *PSEUDOS)}
    for tag in asked:
        wanted = tag.lower().replace("_", "-")
        is_theirs = is_traditional(wanted)
        if is_other and wanted == SIMPLIFIED:
            continue
        is_other = is_other or is_theirs
        while wanted and not (is_theirs and wanted == SIMPLIFIED):
            if wanted in known:
                return known[wanted]
            wanted = wanted.rpartition("-")[0]
    return "en"


def _accepted(header: str) -> list[str]:
    """Return the language tags of an Accept-Language header, most wanted first."""
    weighed: list[tuple[float, int, str]] = []
    for place, item in enumerate(header[:400].split(",")):
        tag, _, rest = item.strip().partition(";")
        weight = 1.0
        if rest.strip().lower().startswith("q="):
            try:
                weight = float(rest.strip()[2:])
            except ValueError:
                continue
        if tag.strip() and tag.strip() != "*" and weight > 0:
            weighed.append((-weight, place, tag.strip()))
    return [tag for _, _, tag in sorted(weighed)]
