"""Every mail there is, and what each needs. Pure."""

from collections.abc import Mapping

DIGESTS = ("digest", "alert")
"""Rendered from a Digest and a ReaderFrame."""

NOTICES: Mapping[str, frozenset[str]] = {
    # link: the page with the button · never_link · until: date on which both end.
    # Nothing that the requester typed may ever be added here.
    "confirm": frozenset({"link", "never_link", "until"}),
    "already-subscribed": frozenset({"manage_url"}),
    # link, until: date
    "manage-link": frozenset({"link", "until"}),
    # to the new address; link, until: date
    "address-change": frozenset({"link", "until"}),
    # to the old address; on: date
    "address-changed": frozenset({"on"}),
    # days, checked: numbers · asks: "words" or "interests" (people, categories and figures alone) ·
    # words: [(word, papers it brings alone in 30 days)] · widenings: [(query in words, papers a
    # month, link)]
    "quiet": frozenset(
        {"days", "checked", "asks", "words", "widenings", "manage_url", "unsubscribe_url"}
    ),
    # title: subject · html: sanitised · text: the same as plain text
    "newsletter": frozenset({"title", "html", "text", "view_url", "manage_url", "unsubscribe_url"}),
    # relay: "host:port" · on: date
    "test": frozenset({"relay", "on"}),
    # edition: its name · planned, accepted, ...: numbers · groups: [(state, number)] in order ·
    # refused: [(what it means, number, the server's words)] · link
    "report": frozenset({"edition", "planned", "accepted", "groups", "refused", "link"}),
    # what, place, next_step: sentences · since, ended: instants as text, ended "" while it lasts ·
    # where a server refused: domain, status ("5.7.1"), words: the server's · refused: number · link
    "alarm": frozenset(
        {
            "what",
            "place",
            "next_step",
            "since",
            "ended",
            "domain",
            "status",
            "words",
            "refused",
            "link",
        }
    ),
}
