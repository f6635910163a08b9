"""The same by web, by command and by program: every act that leaves a row in the record of acts.

``SAME[ACT] = Ways(COMMAND, OPERATION)``, ACT as the record calls it. Where an act has no command or
no operation, the reason stands in its place, begun with ``NOT:``. An act of the desk or of the API
(tests/support/desk_addresses.py) that is not here fails the build, and so does a command or an
operation that there is not.
"""

from collections.abc import Mapping
from typing import NamedTuple

_PERSON = "NOT: about one's own account and its sessions; a program has neither"
_STAFF = "NOT: who makes accounts or ways in is a person: a stolen token must not make others"
_PAGE = "NOT: a draft is what a page keeps while one writes; programs give all at once"


class Ways(NamedTuple):
    """The command and the operation (several with " | "), or ``NOT: why``."""

    command: str
    operation: str


SAME: Mapping[str, Ways] = {
    "log in failed": Ways(_PERSON, _PERSON),
    "log out": Ways(_PERSON, _PERSON),
    "password set": Ways(_PERSON, _PERSON),
    "password changed": Ways(_PERSON, _PERSON),
    "report address": Ways("admin email", _STAFF),
    "end session": Ways("admin revoke", _STAFF),
    "end sessions": Ways("admin revoke", _STAFF),
    "admin link": Ways("admin create", _STAFF),
    "admin ended": Ways("admin end", _STAFF),
    "change role": Ways("admin role", _STAFF),
    "rename account": Ways("admin rename", _STAFF),
    "make token": Ways("tokens create", _STAFF),
    "rotate token": Ways("tokens rotate", _STAFF),
    "end token": Ways("tokens end", _STAFF),
    "setting": Ways("settings set", "PUT /api/v1/settings/{name}"),
    "end alarm": Ways("alarms end", "POST /api/v1/alarms/{alarm_id}/end"),
    "try one mail": Ways("deliveries try", "POST /api/v1/deliveries/pace/try"),
    "decide mail": Ways("bounces decide", "POST /api/v1/bounces/{inbound_id}/decide"),
    # sends
    "send manual": Ways("send manual", "POST /api/v1/sends"),
    "pause": Ways("editions pause", "POST /api/v1/editions/{edition_id}/pause"),
    "resume": Ways("editions resume", "POST /api/v1/editions/{edition_id}/resume"),
    "cancel": Ways("editions cancel", "POST /api/v1/editions/{edition_id}/cancel"),
    "move send": Ways("editions move", "POST /api/v1/editions/{edition_id}/move"),
    "drop draft": Ways(_PAGE, _PAGE),
    "test mail": Ways("send test", "POST /api/v1/sends/test"),
    "resend": Ways("deliveries resend", "POST /api/v1/deliveries/resend"),
    "resolve": Ways("deliveries resolve | deliveries resolve-held",
                    "POST /api/v1/deliveries/resolve"),
    # readers
    "add reader": Ways("subscribers add", "POST /api/v1/readers"),
    "change name": Ways("subscribers rename", "PATCH /api/v1/readers/{reader_id}"),
    "change address": Ways("subscribers move", "PATCH /api/v1/readers/{reader_id}"),
    "schedule": Ways("subscribers set", "PATCH /api/v1/readers/{reader_id}"),
    "confirm again": Ways(
        "subscribers confirm-again", "NOT: a second mail to a stranger is a person's decision"
    ),
    "unsubscribe": Ways("subscribers unsubscribe", "POST /api/v1/readers/{reader_id}/unsubscribe"),
    "erase": Ways("subscribers erase", "DELETE /api/v1/readers/{reader_id}"),
    "erase readers": Ways("subscribers act", "POST /api/v1/readers/acts"),
    "export readers": Ways(
        "subscribers export",
        "POST /api/v1/readers/export | POST /api/v1/readers/{reader_id}/export",
    ),
    "export deliveries": Ways("deliveries export", "POST /api/v1/deliveries/export"),
    "export bounces": Ways("bounces export | bounces samples", "POST /api/v1/bounces/export"),
    "export problems": Ways("subscribers import", "POST /api/v1/imports/{number}/problems"),
    "import readers": Ways("subscribers import", "POST /api/v1/imports"),
    "stop import": Ways("imports stop", "POST /api/v1/imports/{number}/stop"),
    "undo import": Ways("imports undo", "POST /api/v1/imports/{number}/undo"),
    "tag": Ways("subscribers tag", "PUT /api/v1/readers/{reader_id}/tags/{tag}"),
    "untag": Ways("subscribers untag", "DELETE /api/v1/readers/{reader_id}/tags/{tag}"),
    "tag readers": Ways("subscribers tag", "POST /api/v1/readers/acts"),
    "rename tag": Ways("tags rename", "PATCH /api/v1/tags/{tag}"),
    "remove tag": Ways("tags remove", "DELETE /api/v1/tags/{tag}"),
    "add interest": Ways("interests add", "POST /api/v1/readers/{reader_id}/interests"),
    "change interest": Ways(
        "interests set", "PATCH /api/v1/readers/{reader_id}/interests/{interest_id}"
    ),
    "pause interest": Ways(
        "interests pause", "PATCH /api/v1/readers/{reader_id}/interests/{interest_id}"
    ),
    "remove interest": Ways(
        "interests remove", "DELETE /api/v1/readers/{reader_id}/interests/{interest_id}"
    ),
    "count interests": Ways("interests count", "POST /api/v1/interests/count"),
    "suppress": Ways("suppressions add | suppressions import", "POST /api/v1/suppressions"),
    "lift suppression": Ways("suppressions remove", "POST /api/v1/suppressions/lift"),
    "export suppressions": Ways("suppressions list", "GET /api/v1/suppressions"),
    # papers and sources
    "hide paper": Ways("papers hide", "POST /api/v1/papers/{paper_id}/hide"),
    "show paper": Ways("papers unhide", "POST /api/v1/papers/{paper_id}/unhide"),
    "join papers": Ways("papers merge", "POST /api/v1/papers/{paper_id}/merge"),
    "part papers": Ways("papers unmerge", "POST /api/v1/papers/{paper_id}/unmerge"),
    "note": Ways("day note", "PUT /api/v1/days/{on}/note"),
    "pick": Ways("day picks", "PUT /api/v1/days/{on}/picks"),
    "release": Ways("release", "POST /api/v1/days/{on}/release"),
    "accept proposal": Ways("submissions accept", "POST /api/v1/submissions/{number}/accept"),
    "decline proposal": Ways("submissions decline", "POST /api/v1/submissions/{number}/decline"),
    "add source": Ways("sources add | sources add-field", "POST /api/v1/sources"),
    "change source": Ways("sources set", "PATCH /api/v1/sources/{source_id}"),
    "remove source": Ways("sources remove", "DELETE /api/v1/sources/{source_id}"),
    "pause source": Ways("sources pause", "POST /api/v1/sources/{source_id}/pause"),
    "resume source": Ways("sources resume", "POST /api/v1/sources/{source_id}/resume"),
    "poll source": Ways("sources poll", "POST /api/v1/sources/{source_id}/poll"),
    "bring in days": Ways("sources catch-up", "POST /api/v1/sources/{source_id}/catch-up"),
    "take-known source": Ways("sources take", "POST /api/v1/sources/{source_id}/decide"),
    "add topic": Ways("topics add", "POST /api/v1/topics"),
    "change topic": Ways("topics change", "PATCH /api/v1/topics/{name}"),
    "remove topic": Ways("topics remove", "DELETE /api/v1/topics/{name}"),
    "restore topic": Ways("topics restore", "POST /api/v1/topics/{name}/restore"),
    # programs that are told
    "add webhook": Ways("webhooks add", "POST /api/v1/webhooks"),
    "test webhook": Ways("webhooks test", "POST /api/v1/webhooks/{webhook_id}/test"),
    "rotate webhook": Ways("webhooks rotate", "POST /api/v1/webhooks/{webhook_id}/rotate"),
    "end webhook": Ways("webhooks end", "POST /api/v1/webhooks/{webhook_id}/end"),
    "call webhook again": Ways(
        "webhooks send-again", "POST /api/v1/webhooks/calls/{call_id}/again"
    ),
}  # fmt: skip

ALSO: Mapping[str, Ways] = {
    "log in": Ways(_PERSON, _PERSON),
    "password not changed": Ways(_PERSON, _PERSON),
    "instance": Ways(
        "instance go-on", "NOT: which database this is, says who restored or copied it"
    ),
    "undo send": Ways("editions undo", "POST /api/v1/editions/{edition_id}/undo"),
    "send the rest": Ways("editions rest", "POST /api/v1/editions/{edition_id}/rest"),
    "resume interest": Ways(
        "interests resume", "PATCH /api/v1/readers/{reader_id}/interests/{interest_id}"
    ),
    "join tags": Ways("tags rename", "PATCH /api/v1/tags/{tag}"),
    "fetch paper again": Ways("papers fetch", "POST /api/v1/papers/{paper_id}/fetch"),
}
"""The same of acts on record that no row of the tables of addresses leaves by itself."""

ALONE: Mapping[str, str] = {
    "POST /api/v1/imports/{number}/press": "the second step of import readers",
    "POST /api/v1/editions/{edition_id}/undo": "cancel, while it has not begun",
    "POST /api/v1/editions/{edition_id}/rest": "goes on with a canary; recorded as send the rest",
    "POST /api/v1/editions/{edition_id}/late": "send manual, to who came since",
    "POST /api/v1/deliveries/{delivery_id}/resolve": "resolve, of one mail",
    "POST /api/v1/sources/try": "sources test; nothing is stored by it",
    "POST /api/v1/papers/{paper_id}/fetch": "papers fetch; nothing is decided by it",
}
"""Operations that do a part of an act above, or the same in a form of their own."""
