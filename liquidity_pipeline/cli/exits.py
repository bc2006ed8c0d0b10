"""How every command ends: its exit code, and a line on the error stream. Loads no library."""

from __future__ import annotations

# Done; done and published, but a check failed or data are missing; wrong usage; not published.
OK, INCOMPLETE, USAGE, NOT_PUBLISHED = 0, 1, 2, 3


def tell(text: str) -> None:
    """Say one line on the error stream; what is in brackets is no markup."""
    from liquidity_pipeline.cli.console import errors

    errors.print(text, markup=False, highlight=False, soft_wrap=True)
