"""One act for one Idempotency-Key: repeated, at once, in two processes, and after a crash."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.house import Clock, add, open_house

from service.app import make_app
from service.flows import once
from service.flows.alarms import Alarm, raise_alarm
from service.flows.leave import erase
from service.flows.runtime import Runtime
from service.flows.tidy import tidy
from service.flows.tokens import make_token
from service.store import alarms as alarms_store
from service.store.staff import list_audit
from service.wiring import House

pytestmark = pytest.mark.slow  # whole applications
BASE = "http://127.0.0.1:8000"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, clock=Clock()) as made:
        yield made


def asking(house: House, key: str | None = "k-1", name: str = "bench") -> TestClient:
    """A program with a token, and a key in each of its requests."""
    token = make_token(house.runtime, name, ["deliveries:send", "deliveries:read"], by="cli")
    headers = {"Authorization": f"Bearer {token['token']}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    return TestClient(make_app(house.runtime, house.settings), base_url=BASE, headers=headers)


def alarm(rt: Runtime, key: str = "relay") -> int:
    """An alarm that is not over; its number."""
    said = Alarm(kind="disk", key=key, what="It fails.", place="here", next_step="Look.")
    rt.db.write(lambda s: raise_alarm(rt, s, said))
    return max(row.id or 0 for row in rt.db.read(alarms_store.list_open))


def acts(rt: Runtime) -> int:
    """How often an alarm was ended, as the record of acts says."""
    return sum("alarm" in row.what for row in rt.db.read(lambda s: list_audit(s, limit=100)))


def test_the_same_request_is_answered_again_and_done_once(house: House) -> None:
    rt = house.runtime
    first, second = alarm(rt), alarm(rt, "disk")
    client = asking(house)
    made = client.post(f"/api/v1/alarms/{first}/end")
    again = client.post(f"/api/v1/alarms/{first}/end")
    assert made.status_code == again.status_code == 200
    assert again.json() == made.json()
    assert "Idempotency-Replayed" not in made.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert acts(rt) == 1
    other = client.post(f"/api/v1/alarms/{second}/end")
    assert other.status_code == 422
    assert other.json()["error"]["where"] == "Idempotency-Key"
    assert acts(rt) == 1
    # another program may use the same words, and a quoted key is the same as a plain one
    assert asking(house, name="other").post(f"/api/v1/alarms/{second}/end").status_code == 200
    quoted = client.post(f"/api/v1/alarms/{first}/end", headers={"Idempotency-Key": '"k-1"'})
    assert quoted.headers["Idempotency-Replayed"] == "true"


def test_a_refusal_is_not_kept_and_no_key_of_24_hours_ago(house: House) -> None:
    rt = house.runtime
    client = asking(house)
    assert client.post("/api/v1/alarms/999/end").status_code == 404
    number = alarm(rt)
    assert client.post(f"/api/v1/alarms/{number}/end").status_code == 200
    for key in ("", "a" * 201, "é"):
        bad = client.post(f"/api/v1/alarms/{number}/end", headers={"Idempotency-Key": key.encode()})
        assert bad.status_code == 400, key
    rt.clock.at += timedelta(hours=25)
    assert tidy(rt).removed["answers"] == 1
    again = client.post(f"/api/v1/alarms/{number}/end")
    assert "Idempotency-Replayed" not in again.headers


def test_an_answer_goes_with_the_reader_it_names(house: House) -> None:
    rt = house.runtime
    add(rt, "ada@example.org", "adapters")
    number = once.begin(rt, "token 1", "key", "asked")
    assert isinstance(number, int)
    once.keep(rt, number, once.Kept(200, '{"email": "Ada@example.org"}'))
    erase(rt, "ada@example.org")
    with pytest.raises(once.AnswerLostError):
        once.begin(rt, "token 1", "key", "asked")


def test_a_crash_is_told_before_and_after_the_act(house: House, tmp_path: Path) -> None:
    rt = house.runtime
    number = alarm(rt)
    client = asking(house)
    path = f"/api/v1/alarms/{number}/end"
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patched:  # the process is gone before the answer is kept
        patched.setattr(once, "keep", lambda *_: None)
        patched.setattr(once, "release", lambda *_: None)
        assert client.post(path).status_code == 200
        assert client.post(path).status_code == 409  # it seems to be worked on
        assert client.post(path).headers["Retry-After"] == "1"
        assert client.post("/api/v1/alarms/77/end", headers={"Idempotency-Key": "k-2"}).is_error
    house._process.close()
    house._process = None
    lost = client.post(path)
    assert lost.status_code == 409
    assert "Retry-After" not in lost.headers
    assert "before its answer was kept" in lost.json()["error"]["what"]
    assert acts(rt) == 1
    # nothing was written for the other one: it is simply done now
    assert (
        client.post("/api/v1/alarms/77/end", headers={"Idempotency-Key": "k-2"}).status_code == 404
    )


def test_twenty_at_once_are_one_act(tmp_path: Path, database_url: str) -> None:
    with (
        open_house(tmp_path, database_url=database_url) as one,
        open_house(tmp_path, database_url=database_url) as two,
    ):
        number = alarm(one.runtime)
        client = asking(one)
        second = TestClient(
            make_app(two.runtime, two.settings), base_url=BASE, headers=client.headers
        )
        path = f"/api/v1/alarms/{number}/end"
        for program in (client, second):  # an application makes its routes at its first request
            assert program.get("/api/v1/alarms").status_code == 200
        with ThreadPoolExecutor(20) as pool:
            asked = [pool.submit((client, second)[i % 2].post, path) for i in range(20)]
            answers = [one.result() for one in asked]
        assert {a.status_code for a in answers} <= {200, 409}
        done = [a for a in answers if a.status_code == 200]
        fresh = [a for a in done if "Idempotency-Replayed" not in a.headers]
        assert len(fresh) == 1
        assert all(a.headers["Retry-After"] == "1" for a in answers if a.status_code == 409)
        assert acts(one.runtime) == 1
        assert second.post(path).headers["Idempotency-Replayed"] == "true"
