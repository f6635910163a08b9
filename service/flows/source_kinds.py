"""The kinds of sources as their adapters declare them: for pages, commands and docs/sources.md."""

from typing import Any

from service.flows.asking import GAPS, HOST_GAP
from service.sources.adapter import Adapter, Parameter
from service.sources.registry import ADAPTERS

_LISTS = {
    "batch": "a list each announcement day, in one piece",
    "grows": "a list each day, which grows during the day",
    "": "no days: what is new is new",
}


def list_kinds() -> list[dict[str, Any]]:
    """One object per kind: kind, title, about, parameters (name, label, example, required, default,
    choices, hint), example (a command's words), days, politeness, past (days that one question
    covers, 0 = the past cannot be asked for) and votes."""
    return [_described(made) for made in ADAPTERS.values()]


def _described(made: Adapter) -> dict[str, Any]:
    return {
        "kind": made.kind,
        "title": made.title,
        "about": made.about,
        "parameters": [_parameter(one) for one in made.parameters],
        "example": " ".join(["sources add", made.kind, *_example(made)]),
        "days": _LISTS[made.rhythm.lists],
        "politeness": _politeness(made),
        "past": made.history_days if made.history_kind else 0,
        "votes": made.has_votes,
    }


def _parameter(one: Parameter) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": one.label,
        "example": one.example,
        "required": one.required,
        "default": one.default,
        "choices": [{"value": value, "words": words} for value, words in one.choices],
        "hint": one.hint,
    }


def _example(made: Adapter) -> list[str]:
    """Words of a command: the bare value where one parameter is needed, pairs where more are."""
    needed = [one for one in made.parameters if one.required]
    if len(needed) == 1 and needed[0] is made.parameters[0]:
        value = needed[0].example
        return [f'"{value}"' if " " in value else value]
    pairs = " ".join(f"{one.name}={one.example}" for one in needed)
    return [f'"{pairs}"'] if pairs else []


def _politeness(made: Adapter) -> str:
    gap = GAPS.get(made.politeness, HOST_GAP).total_seconds()
    pause = "1 second" if gap == 1 else f"{gap:g} seconds"
    if made.politeness:
        return f"one request in {pause}, over all sources of {made.politeness} and all processes"
    return f"one request in {pause} to each server, over all processes"
