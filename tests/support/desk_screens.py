"""Which pages of the desk are screens of their own, and the guide's table of acts.

From the tables of addresses, so that a page that is added is photographed and described, too.
"""

import re

from support.desk_addresses import DESK_PAGES
from support.same_everywhere import SAME

PARTS = (
    "/admin/overview/now", "/admin/editions/{edition_id}/after", "/admin/send/count",
    "/admin/send/find", "/admin/editions/{edition_id}/progress",
    "/admin/imports/{number}/progress", "/admin/sources/{source_id}/asked",
    "/admin/send/{key}/links",
)  # fmt: skip
"""What htmx asks for: no page of its own."""
FILES = tuple(
    route for route in DESK_PAGES
    if route.endswith((".csv", "export.{kind}", "/raw", "/mail", "/typed"))
)  # fmt: skip
"""Downloads, and mails as they are shown in a frame."""
OUTSIDE = ("/admin/login", "/admin/link/{token}")
"""Where one is before one is in."""
SAME_PAGE = (
    "/admin/editions/{edition_id}/{act}", "/admin/find", "/admin/send/keep",
    "/admin/send/{key}/drop", "/admin/send/{key}/start", "/admin/send/{key}/test",
    "/admin/sources/{source_id}/burst",
)  # fmt: skip
"""Addresses of buttons: opened as pages they show the page that the button stands on."""


def screens() -> dict[str, str]:
    """Return the route of each screen, by the name of its picture."""
    left = {*PARTS, *FILES, *SAME_PAGE}
    return {name_of(route): route for route in DESK_PAGES if route not in left}


def name_of(route: str) -> str:
    """Return "readers-one" for /admin/readers/{reader_id}, "overview" for the first page."""
    words = re.sub(r"\{[^}]+\}", "one", route).removeprefix("/admin").strip("/")
    return words.replace("/", "-") or "overview"


def table_of_acts() -> str:
    """Return the guide's table: each act, its command and its operation, or why there is none."""
    lines = ["| act | command | API |", "| --- | --- | --- |"]
    for act, ways in SAME.items():
        command, operation = (
            f"({text.removeprefix('NOT: ')})" if text.startswith("NOT: ")
            else " or ".join(f"`{prefix}{one}`" for one in text.split(" | "))
            for prefix, text in (("paperpost ", ways.command), ("", ways.operation))
        )  # fmt: skip
        lines.append(f"| {act} | {command} | {operation} |")
    return "\n".join(lines) + "\n"
