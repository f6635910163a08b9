"""What schemathesis cannot know: rows that there are, and that a key is of one request alone."""

import itertools
import json
import os
import re
from typing import Any

import schemathesis

_NUMBERS: dict[str, str] = json.loads(os.environ.get("SCHEMA_NUMBERS", "{}"))
_KEY = re.compile(r"[!-~]{1,200}")
_count = itertools.count(1)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: Any) -> None:
    """Two of three requests name a row that there is, and each has a key of its own."""
    number = next(_count)
    headers = case.headers or {}
    for name in list(headers):
        if name.lower() == "idempotency-key" and _KEY.fullmatch(str(headers[name])):
            headers[name] = f"key-{number}"
    if number % 3:
        for name, value in (case.path_parameters or {}).items():
            if name in _NUMBERS and str(value).isdecimal():
                case.path_parameters[name] = int(_NUMBERS[name])
