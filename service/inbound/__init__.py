"""Ways in for mails that come back: an IMAP mailbox, LMTP, webhooks of mail services."""
