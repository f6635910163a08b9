"""What single providers mean by their own words, as they publish it (2024 to 2026). Pure.

These rows come before the general table: each stands for answers that would be misread there.
"""

from service.delivery.answer_words import words
from service.reports.rows import Row

SPECIAL: tuple[Row, ...] = (
    Row(
        reason="no_such_user",
        source="Gmail 550 5.1.1 (p=NoSuchUser)",
        kind="5",
        links=words(r"[?&]p=nosuchuser"),
    ),
    Row(
        reason="disabled",
        source="Gmail 550 5.2.1 (p=DisabledUser)",
        links=words(r"[?&]p=disableduser"),
    ),
    Row(
        reason="busy",
        source="Gmail 450 4.2.1 and 550 5.2.1 (p=ReceivingRate, ReceivingRatePerm)",
        links=words(r"[?&]p=receivingrate"),
    ),
    Row(
        reason="mailbox_full",
        source="Gmail 452 4.2.2 and 552 5.2.2 (p=OverQuotaTemp, OverQuotaPerm)",
        links=words(r"[?&]p=overquota"),
    ),
    Row(
        reason="no_such_user",
        source="Microsoft 550 5.4.1 AS(201806281): the directory has no such recipient",
        kind="5",
        status=r"4\.1",
        words=words(r"recipient address rejected: access denied"),
    ),
)
