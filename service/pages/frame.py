"""A mail shown inside a page: its own document, without scripts, forms or anything fetched."""

import re

from fastapi.responses import HTMLResponse

from service.pages.headers import ALONE_POLICY, FRAME_POLICY

_HEAD = re.compile(r"<head(?:\s[^>]*)?>", re.IGNORECASE)
_DOCTYPE = re.compile(r"\s*<!doctype[^>]*>", re.IGNORECASE)
_BASE = '<base target="_blank">'


def framed(html: str) -> HTMLResponse:
    """Return a mail's HTML for an ``<iframe sandbox>``; its links open beside the page.

    Safe against hostile mails by policy, not by cleaning: the bytes are the mail's own, but for
    one ``<base target>``. Embed it with the macro ``mail_frame``.
    """
    place = _HEAD.search(html) or _DOCTYPE.match(html)
    at = place.end() if place else 0
    return HTMLResponse(
        html[:at] + _BASE + html[at:],
        headers={
            "Content-Security-Policy": FRAME_POLICY,
            "X-Robots-Tag": "noindex, nofollow",
            "Cache-Control": "no-store",
        },
    )


def alone(html: str) -> HTMLResponse:
    """Return a mail's HTML as a page of its own ("view in browser"), as safe as a framed one."""
    return HTMLResponse(
        html,
        headers={
            "Content-Security-Policy": ALONE_POLICY,
            "X-Robots-Tag": "noindex, nofollow",
            "Cache-Control": "no-store",
        },
    )
