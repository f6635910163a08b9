"""From digest to a mailbox: states, message, retry (pure); render, i18n, smtp (IO)."""
