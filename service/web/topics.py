"""Topics: the list of them, and the page of each."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.defaults import FIXED
from service.flows.browse import NotHereError
from service.flows.topics import (
    FRESH_DAYS,
    PAGE_SIZE,
    TopicGoneError,
    get_topic,
    list_topics,
    read_topic,
)
from service.pages.paging import address_of_page, paging_of
from service.web.door import Door, spoken


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/topics`` and ``/topics/NAME``."""

    @routes.get("/topics")
    def all_topics(request: Request) -> Response:
        context = {"topics": list_topics(door.rt)}
        return door.answer(request, "papers/topics.html", context)

    @routes.get("/topics/{name}")
    def one(request: Request, name: str) -> Response:
        texts, links = door.texts(request), door.pages.links_of(request)
        try:
            topic = get_topic(door.rt, name)
        except NotHereError as error:
            there = (links.topics(), texts.gettext("All topics"))
            said = texts.said(error.what), texts.said(error.next_step)
            status = 410 if isinstance(error, TopicGoneError) else 404
            return door.say(request, *said, link=there, status=status)
        asked = paging_of(request, FIXED.most_found, PAGE_SIZE)
        page = read_topic(door.rt, topic, offset=asked.offset)
        paging = paging_of(request, min(page.total, FIXED.most_found), PAGE_SIZE)
        if paging.is_beyond and page.total:
            return door.no_such_page(request, paging, links.topic(name))
        context = {
            "topic": topic,
            "page": page,
            "reading": spoken(topic.query, texts) if topic.query is not None else "",
            "fresh_days": FRESH_DAYS,
            "most": FIXED.most_found,
            "entries": door.entries(page.papers, request),
            "seeds": door.entries(page.seeds, request),
            "alike": door.entries(page.alike, request),
            "paging": paging,
            "address_of_page": lambda number: address_of_page(request, number),
            "canonical": door.pages.links.topic(name),
            "feed": lambda kind: door.pages.links.topic_feed(name, kind),
        }
        return door.answer(request, "papers/topic.html", context)
