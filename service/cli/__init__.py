"""The command line: every act of the product, with ``--json`` wherever data is printed."""

import gc
import os
import signal
import sys

_SERVING = ("run", "web", "scheduler")


def main() -> None:
    """Run ``paperpost``; the commands are imported only now, which takes seconds where it is slow.

    A service that is stopped meanwhile has opened nothing yet: to end at once is to end in order.
    At the end everything was given back; looking through all objects once more would take half a
    second and find nothing.
    """
    if sys.argv[1:2] and sys.argv[1] in _SERVING:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from service.cli.program import run

    try:
        run()
    finally:
        gc.freeze()
