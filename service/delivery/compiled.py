"""Compiled templates kept for the life of the process, one store per language.

Several houses in one process (tests, a demo beside a run) compile each template once. The store
is per language because jinja2 folds filters of constants at compile time.
"""

from functools import cache

from jinja2.bccache import Bucket, BytecodeCache


class MemoryCache(BytecodeCache):
    """Bytecode by template name and file; a changed source has another checksum."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket when this very source was compiled before."""
        kept = self._kept.get((bucket.key, bucket.checksum))
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


@cache
def compiled_for(what: str, language: str) -> MemoryCache:
    """The store of one set of templates ("mails", "pages") in one language."""
    return MemoryCache()
