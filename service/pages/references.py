"""Papers as files that reference managers open."""

import re
from collections.abc import Callable, Mapping, Sequence

from fastapi.responses import Response

from service.papers.model import Paper
from service.papers.reference_files import bibtex, ris

Write = Callable[[Sequence[Paper], int], str]

FILES: Mapping[str, tuple[Write, str]] = {
    "bib": (bibtex, "application/x-bibtex"),
    "ris": (ris, "application/x-research-info-systems"),
}
"""By the ending of the file: what writes it, and the type by which Zotero's connector knows it."""


def reference_file(kind: str, papers: Sequence[Paper], name: str, *, missing: int = 0) -> Response:
    """Return a file of papers to be saved as NAME.KIND. missing: papers that are not told of."""
    write, media_type = FILES[kind]
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", name)[:80]
    return Response(
        write(papers, missing).encode(),
        media_type=f"{media_type}; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{plain}.{kind}"',
            "X-Robots-Tag": "noindex",
        },
    )
