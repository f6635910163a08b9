"""Where the files that travel with the package lie (templates, migrations, data)."""

from importlib.resources import files
from pathlib import Path

_PACKAGE = Path(str(files("service")))


def resource_dir(name: str) -> Path:
    """Return the folder ``name``: inside the wheel (``service/_bundled``), else in the checkout.

    Raises FileNotFoundError, with the name, when neither holds it.
    """
    for place in (_PACKAGE / "_bundled" / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the folder {name!r} is missing from this installation")
