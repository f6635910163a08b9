"""Where papers come from: one adapter per kind, the fetcher, the clock of polls.

Pure but for ``fetch`` and ``parse_pool``.
"""
