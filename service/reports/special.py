"""What single providers mean by their own words, as they publish it (2024 to 2026). Pure.

These rows come before the general table: each stands for answers that would be misread there.
"""

from service.delivery.answer_words import FULL, words
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
        reason="unreachable",
        source="Gmail: DNS answered, and had no address for the domain just then",
        words=words(r"responded with code (noerror|servfail)"),
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
    Row(
        reason="no_such_user",
        source="Outlook.com 550 5.5.0: the mailbox does not exist",
        kind="5",
        status=r"5\.0",
        words=words(r"requested action not taken: mailbox unavailable"),
        where=frozenset({"", "rcpt"}),
    ),
    Row(
        reason="domain_gone",
        source="Outlook.com 554 5.5.0, Exchange Online 5.4.310: the domain is not there",
        kind="5",
        words=words(r"because the domain is not reachable", r"dns domain .{0,80}does not exist"),
    ),
    Row(
        reason="too_fast",
        source="Exchange Online 5.1.90, 5.7.705, 5.7.708, 5.7.750: more than we may send",
        status=r"1\.90|7\.(705|708|750)",
    ),
    Row(
        reason="busy",
        source="Exchange Online 5.2.121, 5.2.122: the recipient gets too much in an hour",
        status=r"2\.12[12]",
    ),
    Row(
        reason="reputation",
        source="Exchange Online 5.7.511, 5.7.606 to 5.7.649: a banned address",
        status=r"7\.(511|60[6-9]|6[1-4]\d)",
    ),
    Row(
        reason="relaying",
        source="Exchange 5.7.54, 5.7.57, 5.7.60, 5.7.64: no relaying, not that sender",
        status=r"7\.(54|57|60|64)",
    ),
    Row(
        reason="policy",
        source="Exchange RESOLVER.RST, 5.7.124 to 5.7.136: closed to senders from outside",
        words=words(r"resolver\.rst\.(?!recipsizelimit)"),
    ),
    Row(
        reason="sender_refused",
        source="Exchange Online 5.1.8: an outbound sender that is blocked",
        words=words(r"bad outbound sender"),
    ),
    Row(
        reason="no_such_user",
        source="Yahoo 554, given after the body: no such account",
        kind="5",
        words=words(r"delivery error: dd .{0,120}does ?n[o']t have an? "),
    ),
    Row(
        reason="disabled",
        source="Yahoo 554: an account that was switched off",
        words=words(r"delivery error: dd .{0,160}(disabled|discontinued)", r"\(554\.30\)"),
    ),
    Row(
        reason="greylisted",
        source="Yahoo 421 4.7.0 [GL01], [TSS01] to [TSS03]: come again later",
        words=words(r"\[(gl01|tss0[1-3])\]"),
    ),
    Row(
        reason="reputation",
        source="Yahoo 421 4.7.0 [TSS04] to [TSS11], 553 5.7.1 [BL21], [BL23]: our standing",
        words=words(r"\[(tss(0[4-9]|1\d)|bl2\d|ipts04)\]"),
    ),
    Row(
        reason="filtered",
        source="Facebook 550 5.1.1 RCP-P2, RCP-P3: the reader's preferences",
        words=words(r"\brcp-p[23]\b"),
    ),
    *(
        Row(
            reason=reason,
            source=f"I.UA's page {page}: {means}",
            kind="5",
            links=words(rf"mail\.i\.ua/err/{page}(/|$)"),
        )
        for page, reason, means in (
            ("2", "no_such_user", "the user is not found"),
            ("3", "disabled", "the mailbox was not used for three months"),
            ("4", "mailbox_full", "the mailbox is full"),
            ("(1|6)", "relaying", "not by this server"),
            ("7", "no_ptr", "the name given at EHLO"),
            ("8", "sender_refused", "the sender's address could not be checked"),
            ("9", "reputation", "the sending host is on a list"),
        )
    ),
    Row(
        reason="reputation",
        source="AOL's codes (RLY:..), (HVU:..), (DYN:..), (CON:..), (DNS:..), (RTR:..)",
        kind="5",
        words=words(r"\((rly|hvu|dyn|con|dns|rtr):[a-z]{1,2}\d?\)"),
    ),
    Row(
        reason="spam_content",
        source="NetEase DT:SPM, DT:SUM, MI:SPB: looks like spam",
        words=words(r"\b(dt:(spm|sum)|mi:spb)\b"),
    ),
    Row(
        reason="reputation",
        source="NetEase HL:..., RP:...: the host's name, its pace and standing",
        words=words(r"\b(hl:(rep|ihu|ipb|itc)|rp:(drc|ccl|rcl|trc|cel))\b"),
    ),
    Row(
        reason="unreachable",
        source="SendGrid: it found no exchanger of the reader's domain",
        words=words(r"unable to get mx info"),
    ),
    Row(
        reason="policy",
        source="Charter and Spectrum AUP#, Cox CX...: their rules for senders",
        words=words(r"\baup#", r"\bcx(bl|thrt|cnct|dns|sndr|mj)\w*\b"),
        unless=FULL,
    ),
    Row(
        reason="suppressed",
        source="Amazon SES, SendGrid and others: their own list of addresses that bounced",
        words=words(r"suppression list", r"has suppressed sending", r"suppressed address"),
    ),
    Row(
        reason="no_such_user",
        source="Cisco Secure Email 550 #5.1.0: the recipient was looked up and is not there",
        kind="5",
        status=r"1\.0",
        words=words(r"^.{0,20}address rejected\W*$"),
        where=frozenset({"", "named", "rcpt"}),
    ),
    Row(
        reason="spam_content",
        source="Orange OFR_506: looks like spam",
        words=words(r"\bofr_?506\b"),
    ),
    Row(
        reason="policy",
        source="Google Groups: the group is closed to us, or not there",
        links=words(r"groups\.google\.com/support|support\.google\.com/\S{0,40}groups"),
    ),
)
