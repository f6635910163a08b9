"""Guesses at once, on both databases: no more than the limit reach a password."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from support.house import Clock, open_house

from service.flows import staff
from service.store.staff import list_audit

PASSWORD = "correct horse battery"
THREADS = 12


@pytest.mark.slow
def test_guesses_at_once_are_as_few_as_one_after_the_other(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, cheap_passwords: None
) -> None:
    looked: list[str] = []

    def slowly(password: str, stored: str) -> bool:
        looked.append(password)
        time.sleep(0.02)
        return password == PASSWORD

    with open_house(tmp_path, clock=Clock(), database_url=database_url) as house:
        rt, together = house.runtime, Barrier(THREADS)
        link = staff.create_admin(rt, "ada", "owner", by="cli")
        staff.redeem(rt, link.rpartition("/")[2], PASSWORD)
        monkeypatch.setattr(staff, "is_right", slowly)

        def guess(number: int) -> str:
            together.wait()
            with pytest.raises(staff.LoginError) as refused:
                staff.log_in(rt, "ada", f"guess {number}", f"203.0.{number}.1", "bot")
            return str(refused.value)

        with ThreadPoolExecutor(THREADS) as pool:
            said = list(pool.map(guess, range(THREADS)))
        assert len(looked) == rt.defaults().login_tries == 5
        assert sum("is wrong" in one for one in said) == 5
        failed = [row for row in rt.db.read(list_audit) if row.what == "log in failed"]
        assert len(failed) == 5
        with pytest.raises(staff.LoginError, match="5 tries"):
            staff.log_in(rt, "ada", PASSWORD, "127.0.0.1", "test")
        link = staff.create_admin(rt, "ada", "owner", by="cli")
        staff.redeem(rt, link.rpartition("/")[2], PASSWORD)
        for _ in range(25):  # a good one takes no try from its network
            assert staff.log_in(rt, "ada", PASSWORD, "127.0.0.1", "test")
