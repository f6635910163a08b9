"""The figures of the design stand in the table, and nobody changes a fixed rule."""

from datetime import time, timedelta

import pytest

from service.defaults import Defaults, fixed_table, parse, spread, table, with_rows
from service.errors import SettingError
from service.sources.calendar import rhythm_of
from service.store.tables import ProfileRow

FIGURES = {
    "hour": 8, "weekly_day": "fri", "spread_minutes": 10, "late_wait_minutes": 60,
    "abstracts": "short", "weekdays": "mon,tue,wed,thu,fri", "interests": 20, "pause_days": 365,
    "first_papers": 5, "first_days": 7, "quiet_days": 7,
    "full_entries": 10, "line_entries": 30, "window_days": 7, "catchup_days": 14,
    "trending_entries": 10, "trending_days": 3, "papers_a_page": 100,
    "alert_bundle_minutes": 15, "alert_quiet_from": 21, "alert_quiet_until": 7, "alerts_a_day": 4,
    "confirm_days": 7, "manage_days": 30, "undo_days": 7, "manage_links_a_day": 3,
    "broad_a_day": 20, "estimate_days": 30, "history_days": 30,
    "list_poll_minutes": 30, "list_poll_until_hour": 14, "list_idle_minutes": 120,
    "list_poll_days": 3, "batch_poll_from": "00:10", "batch_poll_minutes": 20,
    "batch_idle_minutes": 360, "feed_poll_minutes": 60,
    "smtp_connections": 10, "per_connection": 100, "digest_deadline_hours": 20,
    "alert_deadline_hours": 6, "notice_deadline_hours": 24,
    "retry_minutes": "10,30,60,120,240", "retry_spread_percent": 20,
    "undo_minutes": 2, "canary": 20, "canary_offered_above": 1000, "canary_ticked_above": 5000,
    "typed_above": 1000, "typed_times_last": 2, "test_addresses": 5,
    "confirmations_a_day": 1, "confirmations_a_month": 3, "network_an_hour": 30,
    "signups_an_hour": 500, "login_tries": 5, "login_minutes": 15,
    "session_idle_hours": 12, "session_days": 14,
    "keep_raw_days": 30, "keep_digest_days": 400, "keep_attempt_days": 90,
    "keep_consent_days": 365, "keep_audit_days": 730, "keep_left_days": 30,
    "keep_log_days": 14, "signup_papers": 5, "old_days": 30, "burst_times": 3,
    "burst_after_days": 10, "keep_draft_days": 30, "keep_process_days": 14,
    "keep_watch_days": 400, "batch_due": "00:30", "list_due": "12:00", "silent_times": 3,
    "crosscheck_polls": 2, "crosscheck_minutes": 60, "hold_look_minutes": 5, "usual_percent": 80,
    "breaker_percent": 5, "breaker_least": 20, "breaker_in_a_row": 20, "rest_minutes": 10,
    "pause_at_domains": 2, "mails_a_second": 0, "mails_a_minute": 0, "mails_an_hour": 0,
    "mails_a_day": 0, "domain_a_second": 0, "domain_a_minute": 0, "domain_an_hour": 0,
    "domain_a_day": 0,
}  # fmt: skip


def test_every_figure_of_the_design_stands_in_the_table() -> None:
    rows = {row["name"]: row["value"] for row in table(Defaults()) + fixed_table()}
    assert {name: rows.get(name) for name in FIGURES} == FIGURES


def test_a_name_stands_once() -> None:
    names = [row["name"] for row in table(Defaults()) + fixed_table()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", [row["name"] for row in fixed_table()])
def test_a_fixed_rule_is_shown_as_such_and_refused(name: str) -> None:
    row = next(row for row in fixed_table() if row["name"] == name)
    assert row["default"] == "fixed"
    assert row["about"]
    with pytest.raises(SettingError) as caught:
        parse(name, "7")
    assert caught.value.where == name
    assert "fixed" in caught.value.what
    assert "settings list" in caught.value.next_step
    assert with_rows({name: "7"}) == Defaults()


def test_the_rooms_obey_the_table() -> None:
    lists, batches = rhythm_of("hf_daily"), rhythm_of("arxiv_rss")
    assert (lists.often, lists.seldom) == (timedelta(minutes=30), timedelta(hours=2))
    assert (batches.opens, lists.closes) == (time(0, 10), time(14))
    assert Defaults().retries[0] == timedelta(minutes=10)
    assert Defaults().retries[-1] == timedelta(hours=4)
    assert [spread(jitter) for jitter in (0.0, 0.5, 1.0)] == [0.8, 1.0, 1.2]
    assert spread(7) == 1.2
    assert ProfileRow(subscriber_id=1, name="x", kind="query").weekday == 4  # Friday
