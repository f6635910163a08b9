"""Mails that come back, read: bounces, complaints, wishes to leave, automatic answers. Pure."""
