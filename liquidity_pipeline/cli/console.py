"""The two streams that a command writes to; rich takes longer to load than many commands run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

console = Console()
errors = Console(stderr=True)


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
