"""What the form of an interest says: fields that it holds change, those that it lacks do not."""

from datetime import UTC, datetime

import pytest

from service.flows.interests import InterestError, change_of
from service.matching.query import QueryError
from service.pages.forms import Form
from service.store.tables import ProfileRow
from service.web.settings_page import read_change

ROW = ProfileRow(
    subscriber_id=1, name="The lab", kind="follow", text="Ana Silva", cadence="daily", weekday=0,
    cap=3, threshold=2.5, options={"own": "Bo Chen"}, created_at=datetime(2026, 11, 18, tzinfo=UTC),
)  # fmt: skip


def form(**values: str) -> Form:
    return Form({name: [value] for name, value in values.items()})


def test_an_emptied_field_of_people_does_not_become_the_days_most_voted() -> None:
    with pytest.raises(QueryError, match="There is no name here"):
        read_change(form(kind="follow", words=" "), ROW, "")
    assert read_change(form(kind="keywords", words=""), ROW, "").wanted.kind.value == "trending"


def test_words_that_are_not_taken_any_more_can_be_changed_and_kept() -> None:
    old = ProfileRow(
        subscriber_id=1, name="Old", kind="query", text="cat:cs.LGG AND robots", cadence="daily",
        weekday=0, options={}, created_at=ROW.created_at,
    )  # fmt: skip
    assert read_change(form(words="robots"), old, "").wanted.text == "robots"
    kept = change_of(old).wanted
    assert (kept.kind.value, kept.text) == ("query", "cat:cs.LGG AND robots")
    with pytest.raises(QueryError, match=r"no category cs\.LGG"):
        read_change(form(words=old.text), old, "")


def test_what_the_form_lacks_stays() -> None:
    made = read_change(form(kind="follow", words="Ana Silva"), ROW, "")
    assert (made.cap, made.threshold, made.own) == (3, 2.5, "Bo Chen")
    made = read_change(form(kind="follow", words="Ana Silva", cap="", choices="1"), ROW, "")
    assert (made.cap, made.threshold, made.own) == (None, 0.0, "")
    with pytest.raises(InterestError):
        read_change(form(kind="follow", words="Ana Silva", cap="99"), ROW, "")
