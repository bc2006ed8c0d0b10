"""The two streams that a command writes to, and the codes that it ends with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

# Done; done and published, but a check failed or data are missing; wrong usage; not published.
OK, INCOMPLETE, USAGE, NOT_PUBLISHED = 0, 1, 2, 3

console = Console()
errors = Console(stderr=True)


def tell(text: str) -> None:
    """Say one line on the error stream; what is in brackets is no markup."""
    errors.print(text, markup=False, highlight=False, soft_wrap=True)


def print_rows(names: Sequence[str], rows: Sequence[tuple[Any, ...]], form: str) -> None:
    """Print a result as `table`, `csv` or `json`."""
    if form == "csv":
        import csv
        import sys

        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows(rows)
    elif form == "json":
        import json

        import click

        records = [dict(zip(names, row, strict=True)) for row in rows]
        click.echo(json.dumps(records, default=str, indent=1))
    else:
        from rich.markup import escape
        from rich.table import Table
        from rich.text import Text

        table = Table(*map(escape, names))
        for row in rows:
            table.add_row(*(Text(_word(value)) for value in row))
        console.print(table)


def _word(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.4g}" if isinstance(value, float) and abs(value) < 1000 else str(value)
