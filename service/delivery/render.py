"""From a digest or a notice to subject, text and HTML (Jinja2)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from service.delivery.frame import ReaderFrame, Rendered
from service.delivery.i18n import Catalogs
from service.delivery.site import Site
from service.digest.model import Digest


class Renderer:
    """All mails of one installation. template_dirs: the operator's own first, then ours."""

    def __init__(self, template_dirs: Sequence[Path], catalogs: Catalogs, site: Site) -> None:
        raise NotImplementedError

    def fit(self, digest: Digest, reader: ReaderFrame) -> Digest:
        """Return the digest with full entries turned into lines and counts until it fits."""
        raise NotImplementedError

    def render_digest(
        self, digest: Digest, reader: ReaderFrame, *, public: bool = False, test: bool = False
    ) -> Rendered:
        raise NotImplementedError

    def render_notice(self, kind: str, data: Mapping[str, Any], locale: str = "en") -> Rendered:
        raise NotImplementedError
