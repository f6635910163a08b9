"""What the desk and the programs' interface answer, with the least role or scope of each.

A route that is in no table fails the build, and so does one without a role. How to add one:

- ``DESK_PAGES["/admin/thing/{thing_id}"] = ("editor", "/admin/thing/{thing}", ...)``: the least
  role, then addresses as they are asked (the first one must open for that role).
- ``DESK_ACTS["/admin/thing/{thing_id}/{act}"] = (Act("sender", "/admin/thing/{thing}/stop", {...}),
  ...)``: each act with the form that does it (without the token). ``leaves`` is what the record of
  acts calls it; ``leaves=None`` only for what changes no row that a person would ask about.
- ``API_PAGES`` and ``API_ACTS``: the same with a scope in place of the role and JSON as body; the
  keys of API_ACTS begin with the method: ``"PUT /api/v1/thing/{name}"``.

In an address and in texts of a body ``{name}`` is a value of ``World.values`` or of ``laden``
(tests/support/laden.py), where what an act needs is laid. ``tests/integration/test_role_matrix.py``
asks each of them as everybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ROLES = ("viewer", "editor", "sender", "owner")


@dataclass(frozen=True)
class Act:
    """may: the least role (desk) or the scope (API) · body: form fields or JSON · leaves: what the
    record of acts calls it, None = it changes nothing that is recorded · refused: the status of an
    act that is not done as it stands here · unrecorded: why what it stores leaves no row · keeps:
    whose session is over gets what they typed back, with the way in."""

    may: str
    address: str
    body: Mapping[str, Any] = field(default_factory=dict)
    leaves: str | None = ""
    refused: int = 0
    unrecorded: str = ""
    keeps: bool = False


PASSWORDS = {"password": "a new long password", "again": "a new long password"}

DESK_PAGES: dict[str, tuple[str, ...]] = {
    "/admin": ("viewer", "/admin"),
    "/admin/account": ("viewer", "/admin/account"),
    "/admin/alarms": ("viewer", "/admin/alarms", "/admin/alarms?q=x&sort=-to&page=9"),
    "/admin/overview/now": ("viewer", "/admin/overview/now", "/admin/overview/now?told=x"),
    "/admin/audit": (
        "owner", "/admin/audit", "/admin/audit?who=olga&sort=-what",
        "/admin/audit?from=2026-11-19&to=2026-11-18",
    ),
    "/admin/audit/export.{kind}": (
        "owner", "/admin/audit/export.csv", "/admin/audit/export.json?who=olga",
        "/admin/audit/export.x",
    ),
    "/admin/bounces": (
        "viewer", "/admin/bounces", "/admin/bounces?kind=hard&q=x",
        "/admin/bounces?page=9&sort=-kind",
    ),
    "/admin/bounces/rates": (
        "viewer", "/admin/bounces/rates", "/admin/bounces/rates?domain=x&days=7",
        "/admin/bounces/rates?q=x&sort=-hard&page=9",
    ),
    "/admin/bounces/review": ("viewer", "/admin/bounces/review"),
    "/admin/bounces/{inbound_id}": ("viewer", "/admin/bounces/{inbound}", "/admin/bounces/999"),
    "/admin/bounces/{inbound_id}/raw": ("editor", "/admin/bounces/{inbound}/raw"),
    "/admin/deliveries": ("viewer", "/admin/deliveries", "/admin/deliveries?state=accepted"),
    "/admin/deliveries/groups": (
        "viewer", "/admin/deliveries/groups", "/admin/deliveries/groups?words=x",
    ),
    "/admin/deliveries/held": (
        "sender", "/admin/deliveries/held?answer=accepted", "/admin/deliveries/held?answer=x",
    ),
    "/admin/deliveries/pace": (
        "viewer", "/admin/deliveries/pace", "/admin/deliveries/pace?q=x&sort=-waiting&page=9",
    ),
    "/admin/deliveries/resend": ("sender", "/admin/deliveries/resend?edition={edition}"),
    "/admin/deliveries/{delivery_id}": (
        "viewer", "/admin/deliveries/{delivery}", "/admin/deliveries/999",
    ),
    "/admin/deliveries/{delivery_id}/mail": ("editor", "/admin/deliveries/{delivery}/mail"),
    "/admin/editions": (
        "viewer", "/admin/editions", "/admin/editions?kind=digest&state=paused&q=x&sort=-planned",
        "/admin/editions?page=9&from=2026-11-19&to=2026-11-20",
    ),
    "/admin/editions/export.csv": ("viewer", "/admin/editions/export.csv?kind=digest"),
    "/admin/instance": ("viewer", "/admin/instance"),
    "/admin/editions/{edition_id}": (
        "viewer", "/admin/editions/{edition}", "/admin/editions/999",
        "/admin/editions/{edition}?when=own",
        "/admin/editions/{edition}?when=at&at=x",
    ),
    "/admin/editions/{edition_id}/after": ("viewer", "/admin/editions/{edition}/after"),
    "/admin/editions/{edition_id}/{act}": (
        "viewer", "/admin/editions/{edition}/pause", "/admin/editions/{edition}/x",
    ),
    "/admin/editions/{edition_id}/progress": ("viewer", "/admin/editions/{edition}/progress"),
    "/admin/find": ("viewer", "/admin/find?email=ada@uni.example", "/admin/find"),
    "/admin/import": ("editor", "/admin/import"),
    "/admin/imports": (
        "editor", "/admin/imports", "/admin/imports?state=done&sort=-by&page=9",
    ),
    "/admin/imports/{number}": (
        "editor", "/admin/imports/1", "/admin/imports/999",
    ),
    "/admin/imports/{number}/progress": ("editor", "/admin/imports/1/progress"),
    "/admin/link/{token}": ("", "/admin/link/{staff_link}", "/admin/link/x"),
    "/admin/login": ("", "/admin/login"),
    "/admin/readers": (
        "viewer", "/admin/readers", "/admin/readers?q=ada&sort=-joined&tag=lab&paused=1",
        "/admin/readers?segment=nobody",
    ),
    "/admin/readers/act": ("editor", "/admin/readers/act?act=tag&q=ada", "/admin/readers/act"),
    "/admin/readers/{reader_id}": (
        "viewer", "/admin/readers/{reader}", "/admin/readers/{reader}?kind=act",
        "/admin/readers/999",
    ),
    "/admin/tags": ("viewer", "/admin/tags", "/admin/tags?sort=-readers"),
    "/admin/readers/{reader_id}/interests": ("editor", "/admin/readers/{reader}/interests"),
    "/admin/readers/{reader_id}/interests/{interest_id}": (
        "editor",
        "/admin/readers/{reader}/interests/{interest}",
        "/admin/readers/{reader}/interests/999",
    ),
    "/admin/readers/{reader_id}/mail": ("editor", "/admin/readers/{reader}/mail"),
    "/admin/readers/{reader_id}/preview": ("editor", "/admin/readers/{reader}/preview"),
    "/admin/send": ("editor", "/admin/send"),
    "/admin/send/count": ("editor", "/admin/send/count"),
    "/admin/send/find": ("editor", "/admin/send/find"),
    "/admin/send/keep": ("editor", "/admin/send/keep"),
    "/admin/send/{key}/drop": ("editor", "/admin/send/{draft}/drop"),
    "/admin/send/{key}/links": ("editor", "/admin/send/{draft}/links"),
    "/admin/send/{key}/typed": (
        "editor", "/admin/send/{draft}/typed", "/admin/send/x/typed",
    ),
    "/admin/send/{key}": ("editor", "/admin/send/{draft}", "/admin/send/x"),
    "/admin/send/{key}/mail": (
        "editor", "/admin/send/{draft}/mail?reader=ada@uni.example", "/admin/send/{draft}/mail",
    ),
    "/admin/send/{key}/readers/{term}": ("editor", "/admin/send/{draft}/readers/mails"),
    "/admin/send/{key}/start": ("editor", "/admin/send/{draft}/start"),
    "/admin/send/{key}/test": ("editor", "/admin/send/{draft}/test"),
    "/admin/settings": ("viewer", "/admin/settings", "/admin/settings?only=changed&q=keep"),
    "/admin/settings/machine": ("owner", "/admin/settings/machine"),
    "/admin/settings/{name}": (
        "viewer",
        "/admin/settings/typed_above",
        "/admin/settings/typed_above?value=5",
        "/admin/settings/typed_above?value=x",
        "/admin/settings/x",
    ),
    "/admin/papers": (
        "viewer", "/admin/papers", "/admin/papers?day=2026-11-18&order=newest",
        "/admin/papers?day=x&page=9",
    ),
    "/admin/submissions": (
        "editor", "/admin/submissions", "/admin/submissions?state=declined&sort=title&page=9",
    ),
    "/admin/papers/find": (
        "viewer", "/admin/papers/find", "/admin/papers/find?q=robots", "/admin/papers/find?q=(",
        "/admin/papers/find?state=hidden&q=x",
    ),
    "/admin/papers/merge": (
        "editor", "/admin/papers/merge?keep=1&other=2", "/admin/papers/merge?keep=1",
        "/admin/papers/merge?keep=x", "/admin/papers/merge?keep=1&other=x",
    ),
    "/admin/papers/{paper_id:int}": ("viewer", "/admin/papers/1", "/admin/papers/999"),
    "/admin/interests": (
        "viewer", "/admin/interests", "/admin/interests?q=a&kind=words&sort=-brings&page=2",
    ),
    "/admin/interests/list": (
        "viewer", "/admin/interests/list?state=noisy", "/admin/interests/list?state=dead&q=x",
    ),
    "/admin/interests/try": (
        "viewer", "/admin/interests/try?words=robots&other=adapters",
        "/admin/interests/try?words=(", "/admin/interests/try?words=a&other=(&as=x&days=x",
    ),
    "/admin/sources": (
        "viewer", "/admin/sources", "/admin/sources?sort=-papers&q=x&state=x&kind=x",
    ),
    "/admin/sources/contribution": (
        "viewer", "/admin/sources/contribution", "/admin/sources/contribution?source=1&sort=title",
    ),
    "/admin/sources/{source_id}/asked": (
        "viewer", "/admin/sources/{source}/asked", "/admin/sources/999/asked",
    ),
    "/admin/sources/{source_id}/burst": (
        "viewer", "/admin/sources/{source}/burst", "/admin/sources/999/burst",
    ),
    "/admin/sources/{source_id}/change": (
        "editor", "/admin/sources/{source}/change", "/admin/sources/999/change",
    ),
    "/admin/sources/add": ("editor", "/admin/sources/add"),
    "/admin/sources/add/{kind}": (
        "editor", "/admin/sources/add/arxiv_rss", "/admin/sources/add/x",
    ),
    "/admin/sources/{source_id}": ("viewer", "/admin/sources/{source}", "/admin/sources/999"),
    "/admin/staff": ("owner", "/admin/staff", "/admin/staff?q=x&sort=-seen&page=9"),
    "/admin/staff/{admin_id}": ("owner", "/admin/staff/{member}", "/admin/staff/999"),
    "/admin/suppressions": (
        "viewer", "/admin/suppressions", "/admin/suppressions?q=x@x.example&sort=reason",
        "/admin/suppressions?words=tests",
    ),
    "/admin/tokens": ("owner", "/admin/tokens", "/admin/tokens?q=x&sort=-used&page=9"),
    "/admin/topics": ("viewer", "/admin/topics"),
    "/admin/webhooks": ("owner", "/admin/webhooks", "/admin/webhooks?q=x&sort=-failed&page=9"),
    "/admin/webhooks/{webhook_id}": (
        "owner", "/admin/webhooks/{webhook}", "/admin/webhooks/{webhook}?state=done&sort=event",
        "/admin/webhooks/999",
    ),
    "/admin/topics/add": ("editor", "/admin/topics/add"),
    "/admin/topics/{name}": ("viewer", "/admin/topics/robots", "/admin/topics/x"),
}  # fmt: skip

DESK_ACTS: dict[str, tuple[Act, ...]] = {
    # who is not logged in yet: a form token of the page
    "/admin/login": (
        Act("", "/admin/login", {"name": "otto", "password": "x"}, "log in failed", 403),
    ),
    "/admin/link/{token}": (Act("", "/admin/link/{staff_link}", PASSWORDS, "password set"),),
    "/admin/logout": (Act("viewer", "/admin/logout", leaves="log out"),),
    "/admin/account": (
        Act("viewer", "/admin/account", {"act": "email", "email": "me@x.example"},
            "report address"),
        Act("viewer", "/admin/account", {"act": "others"}, "end sessions"),
        Act("viewer", "/admin/account", {"act": "session", "session": "{own_session}"},
            "end session"),
        Act("viewer", "/admin/account",
            {"act": "password", "old": "a long password for tests", **PASSWORDS},
            "password changed"),
    ),
    "/admin/alarms/{alarm_id}/end": (
        Act("sender", "/admin/alarms/{alarm}/end", leaves="end alarm"),
    ),
    "/admin/bounces/{inbound_id}/decide": (
        Act("editor", "/admin/bounces/{review}/decide", {"kind": "soft"}, "decide mail"),
    ),
    "/admin/bounces/export": (
        Act("editor", "/admin/bounces/export", {"kind": "hard"}, "export bounces"),
    ),
    "/admin/deliveries/pace/try": (
        Act("sender", "/admin/deliveries/pace/try", {"name": "rests.example"}, "try one mail"),
    ),
    "/admin/deliveries/export": (
        Act("editor", "/admin/deliveries/export", {"state": "accepted", "format": "json"},
            "export deliveries"),
    ),
    "/admin/deliveries/resend": (
        Act(
            "sender", "/admin/deliveries/resend",
            {"edition": "{refused_edition}", "meaning": "policy", "mails": "1"}, "resend",
        ),
    ),
    "/admin/deliveries/held": (
        Act("sender", "/admin/deliveries/held", {"answer": "accepted", "mails": "1"}, "resolve"),
    ),
    "/admin/deliveries/{delivery_id}/resolve": (
        Act("sender", "/admin/deliveries/{held}/resolve", {"answer": "accepted"}, "resolve"),
    ),
    "/admin/editions/{edition_id}/late": (
        Act(
            "editor", "/admin/editions/{frozen_edition}/late", {}, None,
            unrecorded="a draft: its own row says whose",
        ),
    ),
    "/admin/editions/{edition_id}/{act}": (
        Act("sender", "/admin/editions/{waiting_edition}/pause", leaves="pause"),
        Act("sender", "/admin/editions/{waiting_edition}/cancel", leaves="cancel"),
        Act("sender", "/admin/editions/{paused_edition}/resume", leaves="resume"),
        Act("sender", "/admin/editions/{waiting_edition}/rest", leaves=None, refused=409),
        Act("sender", "/admin/editions/{waiting_edition}/undo", leaves=None, refused=409),
        Act("sender", "/admin/editions/{frozen_edition}/move", {"when": "own"}, "move send"),
    ),
    "/admin/import": (
        Act("editor", "/admin/import",
            {"text": "email\nnew@x.example\n", "basis": "institution"}, None,
            unrecorded="a list that was looked at: its own row says whose"),
    ),
    "/admin/imports/{number}": (
        Act("editor", "/admin/imports/{looked_import}", leaves="import readers"),
    ),
    "/admin/imports/{number}/problems": (
        Act("editor", "/admin/imports/1/problems", leaves="export problems"),
        Act("editor", "/admin/imports/999/problems", leaves=None, refused=404),
    ),
    "/admin/imports/{number}/stop": (
        Act("editor", "/admin/imports/{open_import}/stop", leaves="stop import"),
    ),
    "/admin/imports/{number}/undo": (
        Act("owner", "/admin/imports/{done_import}/undo", {"number": "1", "reason": "wrong"},
            "undo import"),
    ),
    "/admin/suppressions": (
        Act("editor", "/admin/suppressions",
            {"addresses": "out@x.example", "reason": "asked"}, "suppress"),
        Act(
            "editor", "/admin/suppressions",
            {"addresses": "barred@x.example", "act": "lift", "reason": "asked"},
            "lift suppression",
        ),
    ),
    "/admin/suppressions/export": (
        Act("editor", "/admin/suppressions/export", leaves="export suppressions"),
    ),
    "/admin/tags": (
        Act("editor", "/admin/tags", {"act": "rename", "tag": "lab", "name": "x", "reason": "r"},
            "rename tag"),
        Act("editor", "/admin/tags", {"act": "remove", "tag": "lab", "reason": "r"}, "remove tag"),
        Act("editor", "/admin/tags",
            {"act": "list", "word": "x", "list": "ada@uni.example", "reason": "r"}, "tag"),
    ),
    "/admin/readers/act": (
        Act("editor", "/admin/readers/act",
            {"act": "tag", "word": "x", "q": "ada@", "number": "1", "reason": "r"}, "tag readers"),
        Act("owner", "/admin/readers/act",
            {"act": "erase", "q": "ada@", "number": "1", "reason": "r"}, "erase readers"),
    ),
    "/admin/readers/export": (
        Act("editor", "/admin/readers/export", {"q": "ada@"}, "export readers"),
    ),
    "/admin/readers/{reader_id}/export": (
        Act("editor", "/admin/readers/{reader}/export", leaves="export readers"),
    ),
    "/admin/readers/{reader_id}/person": (
        Act("editor", "/admin/readers/{reader}/person",
            {"email": "ada@uni.example", "name": "Ada", "reason": "asked"}, "change name"),
    ),
    "/admin/readers/{reader_id}/tags": (
        Act("editor", "/admin/readers/{reader}/tags", {"tags": "new"}, "tag"),
    ),
    "/admin/instance": (
        Act("owner", "/admin/instance", {"answer": "x"}, None, refused=409),
    ),
    "/admin/papers/merge": (
        Act(
            "editor", "/admin/papers/merge", {"keep": "1", "other": "2", "reason": "one work"},
            "join papers",
        ),
    ),
    "/admin/papers/{paper_id:int}/{act}": (
        Act("editor", "/admin/papers/1/hide", {"reason": "spam"}, "hide paper"),
        Act("editor", "/admin/papers/{hidden_paper}/unhide", leaves="show paper"),
        Act("editor", "/admin/papers/{joined_paper}/unmerge",
            {"join": "{join}", "reason": "two works"}, "part papers"),
    ),
    "/admin/sources/add/{kind}": (
        Act(
            "editor", "/admin/sources/add/arxiv_rss",
            {"param-category": "cs.RO", "history": "0"}, "add source",
        ),
    ),
    "/admin/sources/fields": (
        Act("editor", "/admin/sources/fields", {"field": "{field}", "source": "{field_source}"},
            "add source"),
    ),
    "/admin/interests/count": (
        Act("editor", "/admin/interests/count", leaves="count interests"),
    ),
    "/admin/sources/{source_id}/change": (
        Act("editor", "/admin/sources/{source}/change", {"title": "Another"}, None),
        Act("editor", "/admin/sources/{source}/change", {"title": "Another", "sure": "1"},
            "change source"),
    ),
    "/admin/sources/{source_id}/{act}": (
        Act("editor", "/admin/sources/{source}/pause", leaves="pause source"),
        Act("editor", "/admin/sources/{asked_source}/poll", leaves="poll source"),
        Act("editor", "/admin/sources/{asked_source}/catch-up", {"days": "3"}, "bring in days"),
        Act("editor", "/admin/sources/{source}/take-known", leaves="take-known source"),
    ),
    "/admin/papers/picks": (
        Act("editor", "/admin/papers/picks", {"day": "{day}", "paper": "1", "act": "pick"}, "pick"),
    ),
    "/admin/papers/release": (
        Act("editor", "/admin/papers/release", {"day": "{tomorrow}"}, "release"),
    ),
    "/admin/submissions/{number}/accept": (
        Act("editor", "/admin/submissions/{proposal}/accept", {}, "accept proposal"),
    ),
    "/admin/submissions/{number}/decline": (
        Act("editor", "/admin/submissions/{proposal}/decline", {"reason": "Off topic."},
            "decline proposal"),
    ),
    "/admin/papers/note": (
        Act("editor", "/admin/papers/note", {"day": "2026-11-19", "note": "A word."}, "note"),
    ),
    "/admin/readers": (
        Act(
            "editor", "/admin/readers",
            {"email": "new@x.example", "words": "adapters", "confirmed": "1"}, "add reader",
        ),
    ),
    "/admin/readers/{reader_id}/confirm-again": (
        Act("editor", "/admin/readers/{asked_reader}/confirm-again", leaves="confirm again"),
    ),
    "/admin/readers/{reader_id}/interests": (
        Act("editor", "/admin/readers/{reader}/interests",
            {"words": "towels", "reason": "asked", "cadence": "daily", "weekday": "fri"},
            "add interest"),
    ),
    "/admin/readers/{reader_id}/interests/{interest_id}": (
        Act(
            "editor", "/admin/readers/{reader}/interests/{interest}",
            {"act": "pause", "reason": "asked"}, "pause interest",
        ),
        Act(
            "editor", "/admin/readers/{reader}/interests/{interest}",
            {"act": "remove", "sure": "1", "reason": "asked"}, "remove interest",
        ),
    ),
    "/admin/readers/{reader_id}/schedule": (
        Act(
            "editor", "/admin/readers/{reader}/schedule",
            {"hour": "9", "zone": "UTC", "weekdays": "mon", "reason": "asked"}, "schedule",
        ),
    ),
    "/admin/readers/{reader_id}/{act}": (
        Act("editor", "/admin/readers/{reader}/unsubscribe", {"sure": "1", "reason": "r"},
            "unsubscribe"),
        Act("editor", "/admin/readers/{reader}/erase", {"sure": "1", "reason": "r"}, "erase"),
    ),
    "/admin/send": (
        Act(
            "editor", "/admin/send",
            {"kind": "manual", "segment": "all", "key": "k2", "dates": "2026-11-16..2026-11-18"},
            None, unrecorded="a draft: its own row says whose", keeps=True,
        ),
    ),
    "/admin/send/count": (
        Act(
            "editor", "/admin/send/count",
            {"kind": "manual", "segment": "all", "key": "k2", "dates": "2026-11-16..2026-11-18"},
            None, unrecorded="a draft: its own row says whose", keeps=True,
        ),
    ),
    "/admin/send/find": (
        Act(
            "editor", "/admin/send/find", {"find": "adapters", "key": "k2", "papers": "x"},
            None, keeps=True,
        ),
    ),
    "/admin/send/keep": (
        Act(
            "editor", "/admin/send/keep", {"kind": "newsletter", "body": "Words", "key": "k3"},
            None, unrecorded="a draft: its own row says whose", keeps=True,
        ),
    ),
    "/admin/send/{key}/drop": (Act("editor", "/admin/send/{draft}/drop", {}, "drop draft"),),
    "/admin/send/{key}/start": (
        Act("sender", "/admin/send/{draft}/start", {"expected": "{expected}"}, "send manual"),
    ),
    "/admin/send/{key}/test": (
        Act(
            "editor", "/admin/send/{draft}/test",
            {"addresses": "me@x.example", "reader": "ada@uni.example"}, "test mail",
        ),
    ),
    "/admin/settings/{name}": (
        Act("owner", "/admin/settings/hour", {"value": "9", "was": "8"}, "setting"),
    ),
    "/admin/staff": (
        Act("owner", "/admin/staff", {"name": "nina", "role": "viewer"}, "admin link"),
        Act("owner", "/admin/staff", {"name": "otto", "act": "end"}, "admin ended"),
        Act("owner", "/admin/staff", {"act": "session", "session": "{other_session}"},
            "end session"),
    ),
    "/admin/staff/{admin_id}": tuple(
        Act("owner", "/admin/staff/{member}", body, leaves)
        for body, leaves in (
            ({"act": "role", "role": "editor"}, "change role"),
            ({"act": "rename", "new": "otto the second"}, "rename account"),
            ({"act": "email", "email": "otto@x.example"}, "report address"),
            ({"act": "session", "session": "{other_session}"}, "end session"),
            ({"act": "sessions"}, "end sessions"),
            ({"act": "link"}, "admin link"),
            ({"act": "end"}, "admin ended"),
        )
    ),
    "/admin/tokens": (
        Act("owner", "/admin/tokens", {"name": "new", "scope": "audit:read"}, "make token"),
        Act("owner", "/admin/tokens", {"name": "tests", "act": "rotate"}, "rotate token"),
        Act("owner", "/admin/tokens", {"name": "tests", "act": "end"}, "end token"),
    ),
    "/admin/webhooks": (
        Act(
            "owner", "/admin/webhooks",
            {"name": "crm", "url": "https://crm.example/hook", "event": "reader.left"},
            "add webhook",
        ),
    ),
    "/admin/webhooks/{webhook_id}": (
        Act("owner", "/admin/webhooks/{webhook}", {"act": "test"}, "test webhook"),
        Act("owner", "/admin/webhooks/{webhook}", {"act": "rotate"}, "rotate webhook"),
        Act("owner", "/admin/webhooks/{webhook}", {"act": "again", "call": "{call}"},
            "call webhook again"),
        Act("owner", "/admin/webhooks/{webhook}", {"act": "end"}, "end webhook"),
    ),
    "/admin/topics/add": (
        Act(
            "editor", "/admin/topics/add",
            {"name": "hands", "title": "Hands", "kind": "keywords", "text": "hands", "likes": ""},
            "add topic",
        ),
    ),
    "/admin/topics/{name}": (
        Act(
            "editor", "/admin/topics/robots",
            {"title": "Robots!", "kind": "keywords", "text": "robots", "likes": ""},
            "change topic",
        ),
    ),
    "/admin/topics/{name}/remove": (
        Act("editor", "/admin/topics/robots/remove", leaves="remove topic"),
    ),
    "/admin/topics/{name}/restore": (
        Act("editor", "/admin/topics/towels/restore", leaves="restore topic"),
        Act("editor", "/admin/topics/robots/restore", leaves=None, refused=422),
    ),
}  # fmt: skip

API_PAGES: dict[str, tuple[str, ...]] = {
    "/api/v1/readers": (
        "readers:read", "/api/v1/readers", "/api/v1/readers?tag=lab&order=joined&down=true&limit=1",
        "/api/v1/readers?segment=nobody",
    ),
    "/api/v1/readers/{reader_id}": (
        "readers:read", "/api/v1/readers/{reader}", "/api/v1/readers/999",
    ),
    "/api/v1/readers/{reader_id}/story": (
        "readers:read", "/api/v1/readers/{reader}/story?kind=mail", "/api/v1/readers/999/story",
    ),
    "/api/v1/readers/{reader_id}/preview": (
        "readers:write", "/api/v1/readers/{reader}/preview",
        "/api/v1/readers/{reader}/preview?on=2026-11-02", "/api/v1/readers/999/preview",
    ),
    "/api/v1/readers/{reader_id}/days": ("readers:read", "/api/v1/readers/{reader}/days"),
    "/api/v1/readers/{reader_id}/interests": (
        "readers:read", "/api/v1/readers/{reader}/interests", "/api/v1/readers/999/interests",
    ),
    "/api/v1/tags": ("readers:read", "/api/v1/tags"),
    "/api/v1/imports": (
        "readers:read", "/api/v1/imports", "/api/v1/imports?state=done&sort=-by",
    ),
    "/api/v1/imports/{number}": (
        "readers:read", "/api/v1/imports/1", "/api/v1/imports/999",
    ),
    "/api/v1/suppressions": (
        "readers:read", "/api/v1/suppressions", "/api/v1/suppressions?email=x@x.example",
    ),
    "/api/v1/interests": (
        "readers:read", "/api/v1/interests", "/api/v1/interests?state=dead&words=x&sort=email",
    ),
    "/api/v1/interests/terms": (
        "readers:read", "/api/v1/interests/terms?kind=person", "/api/v1/interests/terms?sort=term",
    ),
    "/api/v1/sources": ("sources:read", "/api/v1/sources", "/api/v1/sources?kind=feed"),
    "/api/v1/sources/kinds": ("sources:read", "/api/v1/sources/kinds"),
    "/api/v1/sources/contribution": (
        "sources:read", "/api/v1/sources/contribution", "/api/v1/sources/contribution?category=*",
    ),
    "/api/v1/sources/{source_id}": (
        "sources:read", "/api/v1/sources/{source}", "/api/v1/sources/999",
    ),
    **{
        f"/api/v1/sources/{{source_id}}/{part}": (
            "sources:read", f"/api/v1/sources/{{source}}/{part}", f"/api/v1/sources/999/{part}",
        )
        for part in ("burst", "days", "missing")
    },
    "/api/v1/audit": ("audit:read", "/api/v1/audit", "/api/v1/audit?who=olga&since=2026-11-01"),
    "/api/v1/settings": ("settings:read", "/api/v1/settings", "/api/v1/settings?changed=true"),
    "/api/v1/settings/{name}": (
        "settings:read",
        "/api/v1/settings/typed_above",
        "/api/v1/settings/x",
    ),
    "/api/v1/days/{on}": (
        "papers:write", "/api/v1/days/2026-11-19", "/api/v1/days/x",
    ),
    "/api/v1/submissions": (
        "papers:write", "/api/v1/submissions", "/api/v1/submissions?state=waiting&sort=title",
        "/api/v1/submissions?state=x",
    ),
    "/api/v1/papers/find": (
        "sources:read", "/api/v1/papers/find", "/api/v1/papers/find?q=robots&limit=2",
    ),
    "/api/v1/papers/{paper_id}": (
        "sources:read", "/api/v1/papers/1", "/api/v1/papers/999",
    ),
    "/api/v1/papers/{paper_id}/merge": (
        "sources:read", "/api/v1/papers/1/merge?other=2", "/api/v1/papers/1/merge?other=1",
    ),
    "/api/v1/alarms": ("deliveries:read", "/api/v1/alarms", "/api/v1/alarms?every=true"),
    "/api/v1/bounces": (
        "deliveries:read", "/api/v1/bounces",
        "/api/v1/bounces?kind=hard&since=2026-11-01&sort=-kind",
    ),
    "/api/v1/bounces/rates": (
        "deliveries:read", "/api/v1/bounces/rates", "/api/v1/bounces/rates?days=7&domain=x",
    ),
    "/api/v1/bounces/{inbound_id}": (
        "deliveries:read", "/api/v1/bounces/{inbound}", "/api/v1/bounces/999",
    ),
    "/api/v1/deliveries": (
        "deliveries:read", "/api/v1/deliveries", "/api/v1/deliveries?state=held&words=x",
    ),
    "/api/v1/deliveries/groups": ("deliveries:read", "/api/v1/deliveries/groups"),
    "/api/v1/deliveries/pace": ("deliveries:read", "/api/v1/deliveries/pace"),
    "/api/v1/deliveries/{delivery_id}": (
        "deliveries:read", "/api/v1/deliveries/{delivery}", "/api/v1/deliveries/999",
    ),
    "/api/v1/webhooks": ("settings:read", "/api/v1/webhooks"),
    "/api/v1/webhooks/{webhook_id}": (
        "settings:read", "/api/v1/webhooks/{webhook}", "/api/v1/webhooks/999",
    ),
    "/api/v1/webhooks/{webhook_id}/calls": (
        "settings:read", "/api/v1/webhooks/{webhook}/calls",
        "/api/v1/webhooks/{webhook}/calls?state=done&sort=-state",
    ),
    "/api/v1/overview": ("deliveries:read", "/api/v1/overview"),
    "/api/v1/editions": (
        "deliveries:read", "/api/v1/editions",
        "/api/v1/editions?kind=digest&state=done&sort=-planned&since=2026-11-19&limit=2",
        "/api/v1/editions?since=2026-11-20&until=2026-11-19",
    ),
    "/api/v1/sends/audience": (
        "deliveries:send", "/api/v1/sends/audience",
        "/api/v1/sends/audience?segment=lang:en&kind=manual&dates=2026-11-16..2026-11-18",
        "/api/v1/sends/audience?segment=x",
    ),
    "/api/v1/editions/{edition_id}": (
        "deliveries:read", "/api/v1/editions/{edition}", "/api/v1/editions/999",
    ),
}  # fmt: skip

_R = "/api/v1/readers/{reader}"
_RI = "/api/v1/readers/{reader}/interests/{interest}"
API_ACTS: dict[str, tuple[Act, ...]] = {
    "POST /api/v1/readers": (
        Act("readers:write", "/api/v1/readers", {"email": "new@x.example"}, "add reader"),
    ),
    "POST /api/v1/readers/export": (
        Act("readers:read", "/api/v1/readers/export", {"q": "ada@"}, "export readers"),
    ),
    "POST /api/v1/readers/acts": (
        Act("readers:write", "/api/v1/readers/acts",
            {"act": "tag", "tag": "x", "which": {"q": "ada@"}, "readers": 1, "reason": "r"},
            "tag readers"),
        Act("readers:write", "/api/v1/readers/acts",
            {"act": "erase", "which": {}, "dry_run": True, "reason": "r"}, None),
    ),
    "PATCH /api/v1/readers/{reader_id}": (
        Act("readers:write", _R, {"name": "Ada", "reason": "asked"}, "change name"),
        Act("readers:write", _R, {"hour": 9, "reason": "asked"}, "schedule"),
        Act("readers:write", _R, {"email": "ada2@uni.example", "reason": "asked"},
            "change address"),
    ),
    "DELETE /api/v1/readers/{reader_id}": (
        Act("readers:write", _R + "?reason=asked", leaves="erase"),
    ),
    "POST /api/v1/readers/{reader_id}/export": (
        Act("readers:read", _R + "/export", leaves="export readers"),
    ),
    "POST /api/v1/readers/{reader_id}/unsubscribe": (
        Act("readers:write", _R + "/unsubscribe", {"reason": "asked"}, "unsubscribe"),
    ),
    "POST /api/v1/readers/{reader_id}/interests": (
        Act("readers:write", _R + "/interests", {"text": "towels", "reason": "r"}, "add interest"),
    ),
    "PATCH /api/v1/readers/{reader_id}/interests/{interest_id}": (
        Act("readers:write", _RI, {"paused": True, "reason": "r"}, "pause interest"),
        Act("readers:write", _RI, {"cadence": "weekly", "reason": "r"}, "change interest"),
    ),
    "DELETE /api/v1/readers/{reader_id}/interests/{interest_id}": (
        Act("readers:write", _RI + "?reason=asked", leaves="remove interest"),
    ),
    "PUT /api/v1/readers/{reader_id}/tags/{tag}": (
        Act("readers:write", _R + "/tags/new", leaves="tag"),
    ),
    "DELETE /api/v1/readers/{reader_id}/tags/{tag}": (
        Act("readers:write", _R + "/tags/lab", leaves="untag"),
    ),
    "PATCH /api/v1/tags/{tag}": (
        Act("readers:write", "/api/v1/tags/lab", {"name": "x", "reason": "r"}, "rename tag"),
    ),
    "DELETE /api/v1/tags/{tag}": (
        Act("readers:write", "/api/v1/tags/lab?reason=asked", leaves="remove tag"),
    ),
    "POST /api/v1/imports": (
        Act("readers:write", "/api/v1/imports",
            {"lists": [{"text": "email\nnew@x.example\n"}], "basis": "institution"}, None,
            unrecorded="a list that was looked at: its own row says whose"),
        Act("readers:write", "/api/v1/imports",
            {"lists": [{"text": "email\nnew@x.example\n"}], "basis": "institution",
             "dry_run": False}, "import readers"),
    ),
    "POST /api/v1/imports/{number}/problems": (
        Act("readers:read", "/api/v1/imports/1/problems", leaves="export problems"),
        Act("readers:read", "/api/v1/imports/999/problems", leaves=None, refused=404),
    ),
    "POST /api/v1/imports/{number}/press": (
        Act("readers:write", "/api/v1/imports/{looked_import}/press", {}, "import readers"),
    ),
    "POST /api/v1/imports/{number}/stop": (
        Act("readers:write", "/api/v1/imports/{open_import}/stop", {}, "stop import"),
    ),
    "POST /api/v1/imports/{number}/undo": (
        Act("readers:write", "/api/v1/imports/{done_import}/undo",
            {"readers": 1, "reason": "wrong"}, "undo import"),
    ),
    "POST /api/v1/suppressions": (
        Act("readers:write", "/api/v1/suppressions",
            {"emails": ["out@x.example"], "reason": "asked"}, "suppress"),
    ),
    "POST /api/v1/suppressions/lift": (
        Act("readers:write", "/api/v1/suppressions/lift",
            {"email": "barred@x.example", "reason": "asked"}, "lift suppression"),
    ),
    "POST /api/v1/interests/count": (
        Act("readers:write", "/api/v1/interests/count", leaves="count interests"),
    ),
    "POST /api/v1/sources/try": (
        Act("sources:write", "/api/v1/sources/try",
            {"kind": "x"}, None, refused=422),
    ),
    "POST /api/v1/sources": (
        Act("sources:write", "/api/v1/sources",
            {"kind": "arxiv_rss", "params": {"category": "cs.RO"}, "history_days": 0},
            "add source"),
    ),
    "PATCH /api/v1/sources/{source_id}": (
        Act("sources:write", "/api/v1/sources/{source}", {"title": "x", "dry_run": True}, None),
        Act("sources:write", "/api/v1/sources/{source}", {"title": "Another"}, "change source"),
    ),
    "DELETE /api/v1/sources/{source_id}": (
        Act("sources:write", "/api/v1/sources/{source}", leaves="remove source"),
    ),
    "POST /api/v1/sources/{source_id}/poll": (
        Act("sources:write", "/api/v1/sources/{asked_source}/poll", leaves="poll source"),
    ),
    "POST /api/v1/sources/{source_id}/catch-up": (
        Act("sources:write", "/api/v1/sources/{asked_source}/catch-up", {"days": 3},
            "bring in days"),
    ),
    "POST /api/v1/sources/{source_id}/decide": (
        Act("sources:write", "/api/v1/sources/{source}/decide", {"take": "known"},
            "take-known source"),
    ),
    "POST /api/v1/sources/{source_id}/pause": (
        Act("sources:write", "/api/v1/sources/{source}/pause", leaves="pause source"),
    ),
    "POST /api/v1/sources/{source_id}/resume": (
        Act("sources:write", "/api/v1/sources/{source}/resume", leaves="resume source"),
    ),
    "PUT /api/v1/settings/{name}": (
        Act("settings:write", "/api/v1/settings/hour", {"value": 9}, "setting"),
        Act("settings:write", "/api/v1/settings/hour", {"value": 9, "dry_run": True}, None),
    ),
    "PUT /api/v1/days/{on}/note": (
        Act("papers:write", "/api/v1/days/{day}/note", {"note": "A word."}, "note"),
    ),
    "PUT /api/v1/days/{on}/picks": (
        Act("papers:write", "/api/v1/days/{day}/picks", {"papers": ["1"]}, "pick"),
    ),
    "POST /api/v1/days/{on}/release": (
        Act("papers:write", "/api/v1/days/{tomorrow}/release", leaves="release"),
    ),
    "POST /api/v1/submissions/{number}/accept": (
        Act("papers:write", "/api/v1/submissions/{proposal}/accept", {}, "accept proposal"),
    ),
    "POST /api/v1/submissions/{number}/decline": (
        Act("papers:write", "/api/v1/submissions/{proposal}/decline", {"reason": "Off topic."},
            "decline proposal"),
    ),
    "POST /api/v1/papers/{paper_id}/hide": (
        Act("papers:write", "/api/v1/papers/1/hide", {"reason": "spam"}, "hide paper"),
    ),
    "POST /api/v1/papers/{paper_id}/unhide": (
        Act("papers:write", "/api/v1/papers/{hidden_paper}/unhide", leaves="show paper"),
    ),
    "POST /api/v1/papers/{paper_id}/merge": (
        Act("papers:write", "/api/v1/papers/1/merge", {"other": 2, "reason": "one work"},
            "join papers"),
    ),
    "POST /api/v1/papers/{paper_id}/unmerge": (
        Act("papers:write", "/api/v1/papers/{joined_paper}/unmerge",
            {"join": "{join}", "reason": "two works"}, "part papers"),
    ),
    "POST /api/v1/papers/{paper_id}/fetch": (
        Act("papers:write", "/api/v1/papers/999/fetch", leaves=None, refused=404),
    ),
    "POST /api/v1/deliveries/pace/try": (
        Act("deliveries:send", "/api/v1/deliveries/pace/try", {"name": "rests.example"},
            "try one mail"),
    ),
    "POST /api/v1/alarms/{alarm_id}/end": (
        Act("deliveries:send", "/api/v1/alarms/{alarm}/end", leaves="end alarm"),
    ),
    "POST /api/v1/webhooks": (
        Act(
            "settings:write", "/api/v1/webhooks",
            {"name": "crm", "url": "https://crm.example/hook", "events": ["reader.left"]},
            "add webhook",
        ),
    ),
    **{
        f"POST /api/v1/webhooks/{{webhook_id}}/{act}": (
            Act(
                "settings:write", f"/api/v1/webhooks/{{webhook}}/{act}", leaves=f"{act} webhook"
            ),
        )
        for act in ("rotate", "test", "end")
    },
    "POST /api/v1/webhooks/calls/{call_id}/again": (
        Act(
            "settings:write", "/api/v1/webhooks/calls/{call}/again", leaves="call webhook again"
        ),
    ),
    "POST /api/v1/sends/test": (
        Act("deliveries:send", "/api/v1/sends/test",
            {"kind": "newsletter", "subject": "x", "body": "x", "addresses": ["me@x.example"]},
            "test mail"),
        Act("deliveries:send", "/api/v1/sends/test",
            {"kind": "daily", "addresses": ["me@x.example"]}, None, refused=403),
    ),
    "POST /api/v1/sends": (
        Act(
            "deliveries:send", "/api/v1/sends",
            {"kind": "newsletter", "subject": "x", "body": "x", "dry_run": True}, None,
        ),
        Act(
            "deliveries:send", "/api/v1/sends",
            {"kind": "manual", "dates": "2026-11-16..2026-11-18", "mails": "{expected}"},
            "send manual",
        ),
    ),
    "POST /api/v1/editions/{edition_id}/pause": (
        Act("deliveries:send", "/api/v1/editions/{waiting_edition}/pause", leaves="pause"),
    ),
    "POST /api/v1/editions/{edition_id}/resume": (
        Act("deliveries:send", "/api/v1/editions/{paused_edition}/resume", leaves="resume"),
    ),
    "POST /api/v1/editions/{edition_id}/cancel": (
        Act("deliveries:send", "/api/v1/editions/{waiting_edition}/cancel", leaves="cancel"),
    ),
    "POST /api/v1/editions/{edition_id}/move": (
        Act("deliveries:send", "/api/v1/editions/{frozen_edition}/move", {"own_hour": True},
            "move send"),
        Act("deliveries:send", "/api/v1/editions/{waiting_edition}/move", {"own_hour": True}, None,
            refused=409),
    ),
    "POST /api/v1/editions/{edition_id}/undo": (
        Act("deliveries:send", "/api/v1/editions/{frozen_edition}/undo", {}, "cancel"),
    ),
    "POST /api/v1/editions/{edition_id}/rest": (
        Act(
            "deliveries:send", "/api/v1/editions/{waiting_edition}/rest", leaves=None, refused=409
        ),
    ),
    "POST /api/v1/editions/{edition_id}/late": (
        Act("deliveries:send", "/api/v1/editions/{frozen_edition}/late", leaves=None),
    ),
    "POST /api/v1/deliveries/resend": (
        Act("deliveries:send", "/api/v1/deliveries/resend", {"dry_run": True}, None),
        Act(
            "deliveries:send", "/api/v1/deliveries/resend",
            {"edition": "{refused_edition}", "meaning": "policy", "mails": 1}, "resend",
        ),
    ),
    "POST /api/v1/bounces/export": (
        Act("deliveries:read", "/api/v1/bounces/export", {"kind": "hard"}, "export bounces"),
    ),
    "POST /api/v1/deliveries/export": (
        Act("deliveries:read", "/api/v1/deliveries/export",
            {"state": "accepted", "format": "json"}, "export deliveries"),
    ),
    "POST /api/v1/bounces/{inbound_id}/decide": (
        Act("deliveries:send", "/api/v1/bounces/{review}/decide", {"kind": "soft"},
            "decide mail"),
    ),
    "POST /api/v1/topics": (
        Act("papers:write", "/api/v1/topics",
            {"name": "hands", "title": "Hands", "text": "hands"}, "add topic"),
    ),
    "PATCH /api/v1/topics/{name}": (
        Act("papers:write", "/api/v1/topics/robots", {"title": "Robots!"}, "change topic"),
    ),
    "DELETE /api/v1/topics/{name}": (
        Act("papers:write", "/api/v1/topics/robots", leaves="remove topic"),
    ),
    "POST /api/v1/topics/{name}/restore": (
        Act("papers:write", "/api/v1/topics/towels/restore", leaves="restore topic"),
        Act("papers:write", "/api/v1/topics/x/restore", leaves=None, refused=404),
    ),
    "POST /api/v1/deliveries/resolve": (
        Act("deliveries:send", "/api/v1/deliveries/resolve",
            {"answer": "accepted", "mails": 1}, "resolve"),
    ),
    "POST /api/v1/deliveries/{delivery_id}/resolve": (
        Act(
            "deliveries:send", "/api/v1/deliveries/{held}/resolve", {"answer": "accepted"},
            "resolve",
        ),
    ),
}  # fmt: skip
