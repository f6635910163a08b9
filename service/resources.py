"""What travels with the package: its version, and where its files lie (templates, migrations,
data)."""

from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from service import __version__

_PACKAGE = Path(str(files("service")))


def resource_dir(name: str) -> Path:
    """Return the folder ``name``: inside the wheel (``service/_bundled``), else in the checkout.

    Raises FileNotFoundError, with the name, when neither holds it.
    """
    for place in (_PACKAGE / "_bundled" / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the folder {name!r} is missing from this installation")


def product_version() -> str:
    """The installed version."""
    try:
        return version("paperpost")
    except PackageNotFoundError:
        return __version__
