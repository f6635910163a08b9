"""Private keys of a test's own, and what the DNS would say of them."""

import shutil
import subprocess
from pathlib import Path

import dkim
import pytest

from service.delivery.dkim import DkimKeys


def make_key(file: Path, kind: str = "rsa", bits: int = 1024, form: str = "") -> Path:
    """Make one with openssl; skips where that is not installed. kind: rsa, ed25519 · form:
    "traditional" = as PKCS #1."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the test's keys, is not installed")
    made = ["genpkey", "-algorithm", "ed25519"] if kind == "ed25519" else ["genrsa"]
    more = ([f"-{form}"] if form else []) + [str(bits)] if kind == "rsa" else []
    subprocess.run(["openssl", *made, "-out", str(file), *more], check=True, capture_output=True)
    return file


def records(keys: DkimKeys) -> dict[tuple[str, str], list[str]]:
    """The text records of all keys, as ``DnsStub`` takes them: strings of 255 bytes at most."""
    found = {}
    for key in keys.keys:
        text = key.record
        parts = [f'"{text[at : at + 250]}"' for at in range(0, len(text), 250)]
        found[f"{key.selector}._domainkey.{keys.domain}", "TXT"] = [" ".join(parts)]
    return found


def holds(message: bytes, keys: DkimKeys) -> list[bool]:
    """dkimpy's word on each signature, the topmost first."""
    known = {f"{key.selector}._domainkey.{keys.domain}.": key.record for key in keys.keys}

    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        found = known.get(name.decode())
        return found.encode() if found is not None else None

    def is_good(at: int) -> bool:
        try:
            return bool(dkim.DKIM(message).verify(at, dnsfunc=look_up))
        except dkim.ValidationError:  # of the body
            return False

    count = message.split(b"\r\n\r\n")[0].count(b"DKIM-Signature:")
    return [is_good(at) for at in range(count)]
