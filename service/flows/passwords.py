"""Passwords of the staff: hashed with argon2, taken as typed, refused where others guess them."""

import secrets

from pwdlib import PasswordHash

from service.errors import PaperpostError

SHORTEST, LONGEST = 10, 200
_LOOKED_AT = 72
"""Characters that zxcvbn looks at; it refuses to read more."""
_LEAST_SCORE = 2
"""Of zxcvbn: below it are passwords found within a million guesses. At five tries in 15 minutes
these are six years, and every list of common passwords is among them."""

_hasher = PasswordHash.recommended()
_nobody = _hasher.hash(secrets.token_urlsafe(16))
"""Checked when the name is unknown, so that the answer takes the same time."""


class PasswordError(PaperpostError):
    """A password that nobody should have."""


def check_password(password: str, *known: str) -> None:
    """Length, and whether others would guess it (NIST SP 800-63B: nothing else is asked).

    known: words that are tried first, as the name and the site's. Raises PasswordError.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        what = f"The password has {len(password)} characters."
        raise PasswordError(what, "password", f"Use {SHORTEST} to {LONGEST}.")
    from zxcvbn import zxcvbn  # its lists are read where a password is chosen, not at every start

    words = [word.lower() for text in known for word in (text, *text.split()) if word]
    if zxcvbn(password[:_LOOKED_AT], user_inputs=words)["score"] < _LEAST_SCORE:
        raise PasswordError(
            "This password is among the first that are tried.",
            "password",
            "Use four words that have nothing to do with each other, or what a manager makes.",
        )


def hashed(password: str) -> str:
    """What is stored."""
    return _hasher.hash(password)


def is_right(password: str, stored: str) -> bool:
    """Whether a password is the stored one; "" is nobody's, and takes as long."""
    right = _hasher.verify(password[: LONGEST + 1], stored or _nobody)
    return right and bool(stored)
