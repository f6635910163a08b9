"""Settings of taste for programs: looked at, changed, taken back. Each asks for its scope."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from service.api.callers import caller_of, place_of
from service.flows import settings_by_hand as flow
from service.flows.runtime import Runtime
from service.flows.setting_effects import effect
from service.flows.tokens import Caller
from service.pages.network import Proxies

Name = Annotated[str, Path(max_length=64, pattern=r"^[a-z0-9_]+$")]


class Choice(BaseModel):
    """A value that a setting of fixed choices may have, and what it does."""

    value: str
    means: str


class SettingFacts(BaseModel):
    """One choice of taste. allowed: in words · choices: the values it may have, none for a number
    or a text · several: of them at once, with commas · since, by: its last change, null and ""
    where none is on record."""

    name: str
    group: str
    about: str
    value: int | str
    default: int | str
    allowed: str
    choices: list[Choice]
    several: bool
    since: datetime | None
    by: str


class SettingList(BaseModel):
    """A page of them."""

    total: int
    offset: int
    settings: list[SettingFacts]


class SettingShown(SettingFacts):
    """effect: what the value changes, in a number of this installation, or in words."""

    effect: str


class NewValue(BaseModel):
    """value: null goes back to the default · was: the value that was looked at; another one by now
    is told and nothing is stored · reason: for the record of acts · dry_run: nothing is stored."""

    model_config = ConfigDict(extra="forbid")
    value: int | str | None = Field(union_mode="left_to_right")
    was: int | str | None = Field(default=None, union_mode="left_to_right")
    reason: str = Field(default="", max_length=500)
    dry_run: StrictBool = False


class Changed(BaseModel):
    """What was changed, or would be. effect_before, effect: in numbers of this installation,
    or in words."""

    name: str
    before: int | str
    after: int | str
    default: int | str
    effect_before: str
    effect: str


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/settings."""
    Reader = Annotated[Caller, Depends(caller_of(rt, "settings:read"))]
    Writer = Annotated[Caller, Depends(caller_of(rt, "settings:write"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    @routes.get("/v1/settings", response_model=SettingList)
    def all_settings(
        _who: Reader,
        changed: bool = False,
        offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    ) -> dict[str, Any]:
        """Every choice of taste, by sense. changed: only those that are not at their default.
        Scope: settings:read."""
        rows = [one.facts() for one in flow.list_settings(rt) if not (changed and one.is_default)]
        return {"total": len(rows), "offset": offset, "settings": rows[offset : offset + limit]}

    @routes.get("/v1/settings/{name}", response_model=SettingShown)
    def one_setting(_who: Reader, name: Name) -> dict[str, Any]:
        """One choice of taste, and what its value changes. Scope: settings:read."""
        row = flow.find_setting(rt, name)
        return row.facts() | {"effect": effect(rt, name, row.value)}

    @routes.put("/v1/settings/{name}", response_model=Changed)
    def change(who: Writer, place: Place, name: Name, new: NewValue) -> dict[str, Any]:
        """Change one; it counts from now on. With ``dry_run`` it is looked at alone. Scope:
        settings:write."""
        text = "" if new.value is None else str(new.value)
        if new.dry_run:
            return flow.look(rt, name, text).facts()
        was = None if new.was is None else str(new.was)
        made = flow.change(rt, name, text, who.signature, place, reason=new.reason, was=was)
        return made.facts()
