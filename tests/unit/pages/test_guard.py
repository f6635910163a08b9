"""Cross-origin guard, form tokens, sign-up checks, session cookie."""

import secrets
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from starlette.requests import Request
from starlette.responses import Response

from service.pages.guard import CrossOriginGuard, FormTokens, SignUpCheck, SignUpVerdict
from service.pages.sessions import SessionCookie, Sessions, session_hash


async def _nothing(*_: object) -> None:
    raise AssertionError("not called in these tests")


def _guard(base_url: str = "https://papers.example.org") -> CrossOriginGuard:
    return CrossOriginGuard(_nothing, base_url=base_url, refusal=lambda _request: Response())


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://papers.example.org"}, False),
        ({"origin": "https://papers.example.org"}, True),
        ({"origin": "http://internal:8000", "host": "internal:8000"}, True),
        ({"origin": "https://papers.example.org.evil.org"}, False),
        ({"origin": "http://papers.example.org"}, False),
        ({"origin": "https://evil.org", "host": "papers.example.org"}, False),
        ({"origin": "null"}, False),
        ({"origin": "null", "host": ""}, False),
        ({"origin": "https://[bad"}, False),
    ],
)
def test_who_may_write(headers: dict[str, str], allowed: bool) -> None:
    guard = _guard()
    assert guard.allows("POST", "/manage/T", headers) is allowed
    assert guard.allows("DELETE", "/manage/T", headers) is allowed
    assert guard.allows("GET", "/manage/T", headers)
    assert guard.allows("POST", "/u/T", headers)


def test_the_exemption_is_only_the_unsubscribe_address() -> None:
    guard = _guard("https://example.org/papers")
    evil = {"sec-fetch-site": "cross-site"}
    assert guard.allows("POST", "/papers/u/T", evil)
    assert guard.allows("POST", "/u/T", evil)
    for path in ("/papers/users", "/papers/u", "/papers/admin/u/T"):
        assert not guard.allows("POST", path, evil), path


def test_tokens_are_bound_to_purpose_and_holder() -> None:
    tokens = FormTokens(["k1" * 16])
    token = tokens.make("admin", "session-a")
    assert tokens.check("admin", "session-a", token)
    assert not tokens.check("admin", "session-b", token)
    assert not tokens.check("sign-up", "session-a", token)
    # not the last character: two of its bits mean nothing
    other = "A" if token[-2] != "A" else "B"
    assert not tokens.check("admin", "session-a", token[:-2] + other + token[-1])
    assert not tokens.check("admin", "session-a", "")


def test_keys_rotate_the_first_signs_all_verify() -> None:
    old = FormTokens(["old-key"]).make("admin", "s")
    both = FormTokens(["new-key", "old-key"])
    assert both.check("admin", "s", old)
    assert FormTokens(["new-key"]).check("admin", "s", both.make("admin", "s"))
    assert not FormTokens(["new-key"]).check("admin", "s", old)


def test_tokens_end() -> None:
    start = datetime(2026, 11, 20, 8, tzinfo=UTC)
    tokens = FormTokens(["key"])
    with time_machine.travel(start, tick=False) as clock:
        token = tokens.make("admin", "s")
        clock.move_to(start + timedelta(hours=12))
        assert tokens.check("admin", "s", token)
        clock.move_to(start + timedelta(hours=12, seconds=1))
        assert not tokens.check("admin", "s", token)


@pytest.mark.parametrize(
    ("after_s", "verdict"),
    [
        (0, SignUpVerdict.TOO_FAST),
        (1, SignUpVerdict.TOO_FAST),
        (2, SignUpVerdict.PERSON),
        (3600, SignUpVerdict.PERSON),
        (90000, SignUpVerdict.UNTIMED),
    ],
)
def test_sign_up_takes_a_moment(after_s: int, verdict: SignUpVerdict) -> None:
    check = SignUpCheck(FormTokens(["key"]))
    start = datetime(2026, 11, 20, 8, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        shown = check.shown()
        clock.move_to(start + timedelta(seconds=after_s))
        assert check.verdict("", shown) is verdict
        assert check.verdict("http://spam", shown) is SignUpVerdict.TRAPPED
    assert check.verdict("", "made up") is SignUpVerdict.UNTIMED


def test_the_time_check_is_at_most_three_seconds_and_the_trap_has_an_innocent_name() -> None:
    with pytest.raises(ValueError, match="0 to 3"):
        SignUpCheck(FormTokens(["key"]), least_s=4)
    assert "email" not in SignUpCheck.TRAP
    assert "word" not in SignUpCheck.TRAP


def _with_cookie(cookie: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})


def test_session_cookie_flags() -> None:
    answer = Response()
    SessionCookie(https=True).write(answer, "t" * 43)
    said = answer.headers["set-cookie"].lower()
    assert said.startswith("__host-paperpost=")
    for flag in ("httponly", "secure", "samesite=lax", "path=/", "max-age=1209600"):
        assert flag in said, flag
    plain = Response()
    SessionCookie(https=False).write(plain, "t" * 43)
    assert "secure" not in plain.headers["set-cookie"].lower()


def test_sessions_find_rows_by_hash_and_bind_forms_to_them() -> None:
    token, other, unknown = (secrets.token_urlsafe(32) for _ in range(3))
    rows = {session_hash(token): "kim", session_hash(other): "ada"}
    sessions = Sessions(SessionCookie(https=False), FormTokens(["key"]), rows.get)
    kim = sessions.signed_in(_with_cookie(f"paperpost={token}"))
    ada = sessions.signed_in(_with_cookie(f"paperpost={other}"))
    assert kim is not None
    assert ada is not None
    assert (kim.session, ada.session) == ("kim", "ada")
    assert token not in kim.hash
    assert sessions.sent_by(kim, sessions.form_token(kim))
    assert not sessions.sent_by(ada, sessions.form_token(kim))
    for cookie in ("", "paperpost=short", f"other={token}", f"paperpost={unknown}"):
        assert sessions.signed_in(_with_cookie(cookie)) is None, cookie
