"""A small furnished application for page tests, and three invented papers."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from fastapi import FastAPI

from service.delivery.links import Links
from service.digest.model import Marked
from service.mailbox import Mailbox, router
from service.pages.entry import PaperEntry, entry_of
from service.pages.front import furnish
from service.pages.templates import Pages, PageSite
from service.papers.model import Alias, Paper


def make_pages(base_url: str = "http://127.0.0.1:8000", banner: Callable[[], str] = str) -> Pages:
    site = PageSite(
        base_url=base_url,
        org="Example University Library",
        contact="papers@example.org",
        has_mailbox=True,
        banner=banner,
    )
    return Pages(site)


def make_app(pages: Pages, folder: Path | None = None) -> FastAPI:
    """Return an application with the shared furniture, and the mailbox when a folder is given."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if folder is not None:
        app.include_router(router(Mailbox(folder), pages))
    furnish(app, pages)
    return app


def sample_entries() -> list[PaperEntry]:
    names = ("Ana Silva", "Bo Chen", "Carla Diaz", "D. E. F.", "Eva Ek", "Fay Fu", "Gil Ghe")
    paper = Paper(
        aliases=(Alias("arxiv", "2611.00000"),),
        title="LoRA adapters that forget less under long schedules",
        abstract="We study why LoRA drifts when training is long, and give a schedule for it.",
        authors=names,
        categories=("cs.LG",),
        published_on=date(2026, 11, 19),
        links={
            "abs": "https://arxiv.org/abs/2611.00000",
            "pdf": "https://arxiv.org/pdf/2611.00000",
            "code": "javascript:alert(1)",
            "discuss": "https://huggingface.co/papers/2611.00000",
        },
        votes=1041,
        comments=2,
        note="12 pages, 3 figures",
    )
    hostile = Paper(
        aliases=(Alias("doi", "10.1000/a//b?c#d"),),
        title="</a><script>alert('title')</script> & <think>",
        authors=("<b>Mallory</b>",),
        votes=1,
        comments=1,
        withdrawn=True,
    )
    long_word = Paper(
        aliases=(Alias("hf", "x"),),
        title="Supercalifragilisticexpialidocious" * 3 + " in a title",
        summary_line="A title that is longer than a phone is wide.",
        abstract="One sentence.",
    )
    links = Links("http://127.0.0.1:8000").here
    return [
        entry_of(
            paper,
            links,
            title=Marked(paper.title, ((0, 4),)),
            abstract=Marked(paper.abstract, ((13, 17),)),
            submitted_by="akhaliq-like",
        ),
        entry_of(hostile, links),
        entry_of(long_word, links),
    ]
