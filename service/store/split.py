"""What a mail holds, in two: what all have who get the same words, and what is one reader's alone.

A digest, a chosen selection and a newsletter are shared; a notice, and what a skipped row says,
belong to one reader. Pure: rows and statements are in ``contents``.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_BODY = ("digest", "notice", "data")
_LISTED = ("papers", "signals")


@dataclass(frozen=True, slots=True)
class Shared:
    """body: the digest, its sections without the numbers of interests; or the newsletter · papers:
    those that count as sent · signals: those of which it tells later news."""

    body: Mapping[str, Any]
    papers: Sequence[int]
    signals: Sequence[int]

    def sha(self) -> str:
        """SHA-256, hex, of its JSON as it is: the same name is the same text to the last sign, so
        a mail that was begun has the same bytes whoever wrote down its content first."""
        whole = [self.body, list(self.papers), list(self.signals)]
        return hashlib.sha256(json.dumps(whole, separators=(",", ":")).encode()).hexdigest()


def is_shared(content: Mapping[str, Any]) -> bool:
    """Whether others may get the same."""
    return "digest" in content or content.get("notice") == "newsletter"


def shared_of(content: Mapping[str, Any]) -> Shared:
    """What is the same for all who get it."""
    body = {name: content[name] for name in _BODY if name in content}
    if (digest := body.get("digest")) and "sections" in digest:
        sections = [{**section, "profile_id": None} for section in digest["sections"]]
        body["digest"] = {**digest, "sections": sections}
    return Shared(body, content.get("papers", ()), content.get("signals", ()))


def own_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """What is the reader's alone: the frame, and of which interest each section is, which links
    of the mail name."""
    own = {k: v for k, v in content.items() if k not in _BODY and k not in _LISTED}
    profiles = [s.get("profile_id") for s in content.get("digest", {}).get("sections", ())]
    return {"profiles": profiles, **own} if any(p is not None for p in profiles) else own


def joined(shared: Shared, own: Mapping[str, Any] | None) -> dict[str, Any]:
    """What was split, whole again."""
    rest = dict(own or {})
    profiles = rest.pop("profiles", None)
    whole = {**shared.body, "papers": list(shared.papers)}
    if shared.signals:
        whole["signals"] = list(shared.signals)
    if profiles:
        digest = whole["digest"]
        sections = [
            {**section, "profile_id": number}
            for section, number in zip(digest["sections"], profiles, strict=True)
        ]
        whole["digest"] = {**digest, "sections": sections}
    return {**whole, **rest}
