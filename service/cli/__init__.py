"""The command line: every act of the product, with ``--json`` wherever data is printed."""


def main() -> None:
    """Run ``paperpost``; the commands are imported only now."""
    from service.cli.program import run

    run()
