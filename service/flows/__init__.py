"""The verbs: load -> decide -> act -> record. Flows alone open write transactions.

Each returns a small report: the CLI prints it, the scheduler logs it, the admin sees it.
"""
