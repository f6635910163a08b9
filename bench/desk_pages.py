"""What is asked of the desk: each route of the table that the tests keep, with what a large house
has in it. A route that is in no table here ends ``bench.desk`` with its name, as does one that is
gone.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import sqlalchemy as sa
from support.desk_addresses import DESK_PAGES

from bench.desk_house import NOW
from service.flows.runtime import Runtime

LAST = 999_999_999
"""A page far beyond the end: the last one is shown."""

Filters = Mapping[str, Mapping[str, str | int]]
"""How a list is asked, by name: a query. Of "all" the first, a middle and the last page are
asked, of others the first."""

PAGES: Mapping[str, Mapping[str, str]] = {
    "/admin": {"overview": ""},
    "/admin/account": {"own account": "account"},
    "/admin/alarms": {"alarms": "alarms"},
    "/admin/overview/now": {"overview, the moving part": "overview/now"},
    "/admin/bounces/rates": {
        "rates 7": "bounces/rates?days=7",
        "rates 30": "bounces/rates?days=30",
        "rates 90": "bounces/rates?days=90",
        "rates of a domain": "bounces/rates?days=30&domain=large1.example.net",
    },
    "/admin/bounces/review": {"review": "bounces/review"},
    "/admin/bounces/{inbound_id}": {"a mail that came back": "bounces/{inbound}"},
    "/admin/bounces/{inbound_id}/raw": {"its text": "bounces/{inbound}/raw"},
    "/admin/deliveries/groups": {
        "groups of all": "deliveries/groups",
        "groups of an edition": "deliveries/groups?edition={before}",
        "groups of a week": "deliveries/groups?from=2026-11-02&to=2026-11-08",
    },
    "/admin/deliveries/held": {"held in bulk": "deliveries/held?answer=accepted"},
    "/admin/deliveries/pace": {"pace": "deliveries/pace"},
    "/admin/deliveries/resend": {"resend": "deliveries/resend?edition={before}&meaning=policy"},
    "/admin/deliveries/{delivery_id}": {
        "delivery": "deliveries/{mail}",
        "delivery, refused": "deliveries/{refused}",
    },
    "/admin/deliveries/{delivery_id}/mail": {"delivery, its mail": "deliveries/{mail}/mail"},
    "/admin/editions/{edition_id}": {
        "edition under way": "editions/{daily}",
        "edition of yesterday": "editions/{before}",
        "edition by hand": "editions/{manual}",
    },
    "/admin/editions/{edition_id}/after": {
        "edition under way, after": "editions/{daily}/after",
        "edition by hand, after": "editions/{manual}/after",
    },
    "/admin/editions/{edition_id}/progress": {
        "edition under way, progress": "editions/{daily}/progress"
    },
    "/admin/find": {"find a reader": "find?email={email}"},
    "/admin/import": {"import": "import"},
    "/admin/imports/{number}": {"an import": "imports/{import}"},
    "/admin/imports/{number}/progress": {"an import, progress": "imports/{import}/progress"},
    "/admin/instance": {"instance": "instance"},
    "/admin/readers/act": {
        "act on readers of a tag": "readers/act?act=tag&tag=staff",
        "act on readers found": "readers/act?act=tag&q=reader77",
    },
    "/admin/readers/{reader_id}": {
        "reader": "readers/501",
        "reader, mails": "readers/501?kind=mail",
        "reader, last page": f"readers/501?page={LAST}",
        "reader, acts": "readers/501?kind=act",
    },
    "/admin/readers/{reader_id}/interests": {"reader, interests": "readers/501/interests"},
    "/admin/readers/{reader_id}/interests/{interest_id}": {
        "reader, an interest": "readers/501/interests/501"
    },
    "/admin/readers/{reader_id}/preview": {"reader, preview": "readers/501/preview"},
    "/admin/send": {"compose": "send"},
    "/admin/send/{key}": {"check": "send/d1"},
    "/admin/send/{key}/links": {"check, links": "send/d1/links"},
    "/admin/send/{key}/mail": {"check, mail": "send/d1/mail?reader={email}"},
    "/admin/send/{key}/readers/{term}": {
        "check, its readers": "send/d1/readers/mails",
        "check, whose mail came back": "send/d1/readers/refused",
    },
    "/admin/settings": {"settings": "settings"},
    "/admin/settings/machine": {"settings of the machine": "settings/machine"},
    "/admin/settings/{name}": {"a setting": "settings/typed_above?value=5"},
    "/admin/papers": {
        "papers": "papers",
        "papers of a day": "papers?day={day}",
        "papers of a day, newest": "papers?day={day}&order=newest",
    },
    "/admin/papers/merge": {"join two papers": "papers/merge?keep={paper}&other={paper2}"},
    "/admin/papers/{paper_id:int}": {"paper": "papers/{paper}"},
    "/admin/interests/try": {"try words": "interests/try?words=diffusion&other=speech"},
    "/admin/sources/{source_id}": {"source": "sources/1", "source, all days": "sources/1?days=90"},
    "/admin/sources/{source_id}/asked": {"source, asked": "sources/1/asked"},
    "/admin/sources/{source_id}/burst": {"source, burst": "sources/1/burst"},
    "/admin/sources/{source_id}/change": {"source, change": "sources/1/change"},
    "/admin/sources/add": {"add a source": "sources/add"},
    "/admin/sources/add/{kind}": {"add a source of a kind": "sources/add/arxiv_rss"},
    "/admin/staff": {"staff": "staff"},
    "/admin/staff/{admin_id}": {"one of the staff": "staff/{member}"},
    "/admin/tokens": {"tokens": "tokens"},
    "/admin/topics": {"topics": "topics"},
    "/admin/topics/add": {"add a topic": "topics/add"},
    "/admin/topics/{name}": {"a topic": "topics/topic-1"},
    "/admin/webhooks": {"webhooks": "webhooks"},
}
"""Pages by route: their names and addresses."""

_DAYS = {"from": "2026-11-02", "to": "2026-11-08"}
LISTS: Mapping[str, tuple[str, int, Filters]] = {
    "/admin/deliveries": (
        "deliveries",
        15_000,
        {
            "all": {},
            "of an edition": {"edition": "{before}"},
            "of an edition, refused": {"edition": "{before}", "state": "failed"},
            "under way": {"edition": "{daily}", "state": "ready"},
            "address": {"q": "reader77.1"},
            "no such address": {"q": "nobody-of-that-name"},
            "words": {"words": "no such user"},
            "words, rare": {"words": "never said by any server"},
            "words of an edition": {"words": "no such user", "edition": "{before}"},
            "domain": {"domain": "d8.example.org"},
            "large domain": {"domain": "large1.example.net"},
            "refused of a large domain": {"domain": "large1.example.net", "state": "failed"},
            "meaning": {"meaning": "policy"},
            "meaning, put off": {"meaning": "temporary"},
            "today": {"from": "{today}"},
            "a week": _DAYS,
            "refused of a week": {**_DAYS, "state": "failed"},
            "edition and address": {"edition": "{before}", "q": "reader77"},
            **{
                state: {"state": state}
                for state in (
                    "accepted", "skipped", "failed", "expired", "deferred", "ready", "suppressed",
                    "presumed", "held", "planned",
                )
            },
            **{
                f"order {order}": {"order": order}
                for order in ("oldest", "address", "domain", "state", "tries")
            },
        },
    ),
    "/admin/editions": (
        "editions",
        12,
        {
            "all": {},
            "words": {"q": "2026-11"},
            "days": _DAYS,
            **{f"kind {k}": {"kind": k} for k in ("digest", "alert", "manual", "notice")},
            **{f"state {s}": {"state": s} for s in ("open", "done", "paused")},
            **{f"sort {s}": {"sort": s} for s in ("name", "kind", "state", "begun", "-planned")},
        },
    ),
    "/admin/readers": (
        "readers",
        500,
        {
            "all": {},
            "words": {"q": "reader77"},
            "words of many": {"q": "example"},
            "words of an interest": {"words": "term123"},
            "no such": {"q": "nobody-of-that-name"},
            "tag": {"tag": "staff"},
            "language": {"lang": "de"},
            "cadence": {"cadence": "weekly"},
            "joined": {"joined_from": "2026-10-01", "joined_to": "2026-10-31"},
            "paused": {"paused": "1"},
            "resting": {"resting": "1"},
            "segment": {"segment": "state:{before}:failed"},
            "import": {"import": "{import}"},
            **{f"state {s}": {"state": s} for s in ("active", "pending", "left")},
            **{
                f"sort {s}": {"sort": s}
                for s in ("-address", "name", "-joined", "state", "hour", "next")
            },
        },
    ),
    "/admin/bounces": (
        "bounces",
        100,
        {
            "all": {},
            "kind": {"kind": "hard"},
            "domain": {"domain": "large1.example.net"},
            "state": {"state": "review"},
            "address": {"q": "r77"},
            "days": _DAYS,
        },
    ),
    "/admin/audit": (
        "audit",
        100,
        {
            "all": {},
            "who": {"who": "ann"},
            "what": {"what": "pause"},
            "words": {"q": "reader 77"},
            "sort": {"sort": "what"},
            "days": _DAYS,
        },
    ),
    "/admin/suppressions": (
        "suppressions",
        20,
        {
            "all": {},
            "reason": {"reason": "hard"},
            "address": {"q": "out@x.example"},
            "sort": {"sort": "reason"},
        },
    ),
    "/admin/imports": ("imports", 2, {"all": {}}),
    "/admin/tags": ("tags", 1, {"all": {}, "sort": {"sort": "-readers"}}),
    "/admin/submissions": (
        "submissions",
        5,
        {"all": {"state": ""}, "waiting": {}, "sort": {"state": "", "sort": "title"}},
    ),
    "/admin/papers/find": (
        "papers/find",
        2,
        {"all": {}, "words": {"q": "diffusion"}, "rare": {"q": "nothing-like-this"}},
    ),
    "/admin/interests": (
        "interests",
        100,
        {
            "all": {},
            "words": {"q": "term123"},
            "kind": {"kind": "words"},
            "never": {"never": "1"},
            "sort": {"sort": "-brings"},
        },
    ),
    "/admin/interests/list": (
        "interests/list",
        100,
        {
            "all": {},
            "noisy": {"state": "noisy"},
            "dead": {"state": "dead"},
            "words": {"q": "term123"},
        },
    ),
    "/admin/sources": ("sources", 1, {"all": {}, "sort": {"sort": "-papers"}}),
    "/admin/sources/contribution": (
        "sources/contribution",
        1,
        {"all": {}, "of one": {"source": "1", "sort": "title"}},
    ),
    "/admin/webhooks/{webhook_id}": (
        "webhooks/{webhook}",
        20,
        {"all": {}, "failed": {"state": "failed"}},
    ),
}  # fmt: skip
"""Lists by route: (address, a page in the middle, filters)."""

EXPORTS: Mapping[str, Mapping[str, str]] = {
    "/admin/editions/export.csv": {"editions": "editions/export.csv?kind=notice"},
    "/admin/audit/export.{kind}": {"acts": "audit/export.csv"},
}
"""Streams that are asked for by GET."""

SENT_FOR: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "bounces": ("bounces/export", {}),
    "readers, CSV": ("readers/export", {"format": "csv"}),
    "readers, JSON": ("readers/export", {"format": "json"}),
    "suppressions": ("suppressions/export", {}),
    "problems of an import": ("imports/{import}/problems", {}),
    "deliveries refused, CSV": ("deliveries/export", {"state": "failed"}),
    "deliveries, CSV": ("deliveries/export", {}),
    "deliveries, JSON": ("deliveries/export", {"format": "json"}),
}
"""Streams that are asked for by a form, since they leave a row on record."""

NOT_ASKED = {
    "/admin/link/{token}": "for who is not logged in",
    "/admin/login": "for who is not logged in",
    "/admin/readers/{reader_id}/mail": "stands in the page of the preview, which makes it",
    "/admin/editions/{edition_id}/{act}": "leads to the edition",
    "/admin/send/count": "an act's address: asked by GET, it leads to Compose",
    "/admin/send/find": "as above",
    "/admin/send/keep": "as above",
    "/admin/send/{key}/drop": "leads to the draft",
    "/admin/send/{key}/start": "leads to the draft",
    "/admin/send/{key}/test": "leads to the draft",
    "/admin/send/{key}/typed": "leads to Compose",
}
"""Routes that are not measured, each with why."""


def faults() -> list[str]:
    """Routes that are asked nowhere, and those that are no route of the desk any more."""
    mine = {*PAGES, *LISTS, *EXPORTS, *NOT_ASKED}
    return [
        *(f"{route} is not asked" for route in DESK_PAGES.keys() - mine),
        *(f"{route} is no page of the desk" for route in mine - DESK_PAGES.keys()),
    ]


def values_of(rt: Runtime) -> dict[str, str | int]:
    """Numbers of rows as they are in the house."""

    def one(query: str) -> str | int:
        found: str | int = rt.db.read(lambda s: s.execute(sa.text(query)).scalar_one())
        return found

    daily = one("SELECT max(id) FROM edition WHERE kind = 'digest'")
    before = one(f"SELECT max(id) FROM edition WHERE kind = 'digest' AND id < {daily}")  # nosec B608
    return {
        "daily": daily,
        "before": before,
        "manual": one("SELECT min(id) FROM edition WHERE kind = 'manual'"),
        "mail": one(
            f"SELECT max(id) FROM delivery WHERE state = 'accepted' AND edition_id = {before}"  # nosec B608
        ),
        "refused": one("SELECT max(id) FROM delivery WHERE state = 'failed'"),
        "inbound": one("SELECT max(id) FROM inbound WHERE state = 'review'"),
        "email": one("SELECT email FROM subscriber WHERE id = 501"),
        "import": one("SELECT max(id) FROM reader_import"),
        "member": one("SELECT min(id) FROM admin"),
        "webhook": one("SELECT min(id) FROM webhook"),
        "paper": one("SELECT min(paper_id) FROM sent_paper"),
        "paper2": one("SELECT min(paper_id) + 1 FROM sent_paper"),
        "day": "2026-11-18",
        "today": NOW.date().isoformat(),
    }


def addresses(rt: Runtime) -> Iterator[tuple[str, str]]:
    """(name, address below /admin) of every page and list."""
    values = values_of(rt)
    for named in PAGES.values():
        for name, address in named.items():
            yield name, address.format(**values)
    for name, middle, filters in LISTS.values():
        path = name.format(**values)
        title = name.partition("/{")[0]
        for how, query in filters.items():
            pages = {"first": 1}
            if how == "all":
                pages |= {"middle": middle, "last": LAST} if middle > 1 else {"last": LAST}
            elif how in ("of an edition", "accepted"):
                pages |= {"last": LAST}
            for where, page in pages.items():
                words = {key: str(value).format(**values) for key, value in query.items()}
                asked = urlencode(words | ({"page": str(page)} if page > 1 else {}))
                yield f"{title}: {how}, {where}", f"{path}?{asked}"


def exports(rt: Runtime, token: str) -> Iterator[tuple[str, str, dict[str, str] | None]]:
    """(name, address below /admin, form or None) of every stream. token: of the forms."""
    values = values_of(rt)
    for named in EXPORTS.values():
        for name, address in named.items():
            yield name, address.format(**values), None
    for name, (address, form) in SENT_FOR.items():
        yield name, address.format(**values), {**form, "token": token}
