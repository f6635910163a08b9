"""Topics for programs: made, changed, taken away, brought back. Reading them needs no token."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from service.api.callers import caller_of, place_of
from service.api.shapes import Topic
from service.flows import topics as flow
from service.flows.runtime import Runtime
from service.flows.tokens import Caller
from service.pages.network import Proxies

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
_Likes = Annotated[list[Annotated[str, Field(max_length=500)]], Field(max_length=50)]


class TopicChange(BaseModel):
    """What is to be another one; what is left out stays. kind: how ``text`` is read · likes: seed
    papers, each an arXiv id, a DOI or a link of a stored one."""

    model_config = ConfigDict(extra="forbid")
    title: str | None = Field(default=None, min_length=1, max_length=200)
    about: str | None = Field(default=None, max_length=2000)
    kind: Literal["keywords", "query"] | None = None
    text: str | None = Field(default=None, min_length=1, max_length=4000)
    likes: _Likes | None = None


class NewTopic(BaseModel):
    """A topic. name: it stands in its address, and stays."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    title: str = Field(min_length=1, max_length=200)
    about: str = Field(default="", max_length=2000)
    kind: Literal["keywords", "query"] = "keywords"
    text: str = Field(min_length=1, max_length=4000)
    likes: _Likes = Field(default_factory=list)


_GONE: dict[int | str, dict[str, Any]] = {410: {"description": "It was taken away before."}}


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add the acts of /api/v1/topics."""
    Writer = Annotated[Caller, Depends(caller_of(rt, "papers:write"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    @routes.post("/v1/topics", response_model=Topic)
    def add(who: Writer, place: Place, new: NewTopic) -> dict[str, Any]:
        """Make a topic. Scope: papers:write."""
        made = flow.add_topic(rt, new.model_dump(), by=who.signature, address=place)
        return dict(made.facts())

    @routes.patch("/v1/topics/{name}", response_model=Topic, responses=_GONE)
    def change(who: Writer, place: Place, name: str, wanted: TopicChange) -> dict[str, Any]:
        """Change some values of a topic. Its name stays, as its address does. Scope:
        papers:write."""
        values = wanted.model_dump(exclude_none=True)
        made = flow.change_topic(rt, name, values, by=who.signature, address=place)
        return dict(made.facts())

    @routes.delete("/v1/topics/{name}", response_model=Topic, responses=_GONE)
    def remove(who: Writer, place: Place, name: str) -> dict[str, Any]:
        """Take a topic away. Readers who subscribed to its words keep them. Scope: papers:write."""
        return dict(flow.remove_topic(rt, name, by=who.signature, address=place).facts())

    @routes.post("/v1/topics/{name}/restore", response_model=Topic)
    def restore(who: Writer, place: Place, name: str) -> dict[str, Any]:
        """Bring back a topic that was taken away, as it was, for as long as acts are kept. Scope:
        papers:write."""
        return dict(flow.restore_topic(rt, name, by=who.signature, address=place).facts())
