"""One-click unsubscribes while a send runs: ``bench/campaigns/one_click.py`` in its short form."""

import pytest

from bench.campaigns.one_click import measured


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_leaving_while_mails_go_is_answered_and_holds() -> None:
    found = measured(10, 80, wait=0.5)
    assert found["codes"] == {200: 20}
    assert found["readers_left"] == 10
    assert found["acts_of_leaving"] == 10
    assert found["mails_sent_meanwhile"] > 0
    assert found["bodies_begun_after_an_answer"] == 0
    assert found["ms"]["p50"] <= 500
