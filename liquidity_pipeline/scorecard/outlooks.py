"""What the outlooks of settlements, of the Treasury's account and of reserves missed by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from liquidity_pipeline.models.statements import query
from liquidity_pipeline.scorecard.markdown import origin, table

READS = frozenset({"marts.settlement_outlook_score", "marts.drain_outlook_score"})

_QUERIES = Path(__file__).parent / "queries"
_GROUPS = ("all", "bills", "coupons")


def settlements(connection: duckdb.DuckDBPyConnection, endpoints: str) -> str:
    """Return the errors of the settlement outlook and of two simple forecasts, as Markdown."""
    found: dict[int, dict[str, list[float]]] = {}
    for weeks, group, *numbers in _rows(connection, "settlement_errors"):
        found.setdefault(weeks, {})[group] = numbers
    lines = [
        (
            str(weeks),
            *(f"{errors[group][0]:.1f} ({errors[group][1]:.1f})" for group in _GROUPS),
            " / ".join(f"{errors[group][2]:.1f}" for group in _GROUPS),
            " / ".join(f"{errors[group][3]:.1f}" for group in _GROUPS),
        )
        for weeks, errors in found.items()
    ]
    header = (
        "weeks ahead",
        *_GROUPS,
        "last year: all / bills / coupons",
        "roll-over: all / bills / coupons",
    )
    return f"{_span(connection, 'settlement_span', endpoints)}\n\n{table(header, lines)}"


def drains(connection: duckdb.DuckDBPyConnection, endpoints: str) -> str:
    """Return the errors of the outlook of the account and of reserves, as Markdown."""
    found: dict[int, dict[str, list[float | None]]] = {}
    for weeks, component, *numbers in _rows(connection, "drain_errors"):
        found.setdefault(weeks, {})[component] = numbers
    lines = []
    for weeks, of_component in found.items():
        account, reserves = of_component["tga"], of_component["drain_reserves"]
        lines.append(
            (
                str(weeks),
                " / ".join(_whole(error) for error in account[:3]),
                f"{_whole(account[3])} %",
                " / ".join(_whole(error) for error in reserves[:2]),
                f"{_whole(reserves[3])} %",
            )
        )
    header = (
        "weeks ahead",
        "account: outlook / no change / path to Treasury's assumed balance",
        "band",
        "reserves: outlook / no change",
        "band",
    )
    return f"{_span(connection, 'drain_span', endpoints)}\n\n{table(header, lines)}"


def _span(connection: duckdb.DuckDBPyConnection, name: str, endpoints: str) -> str:
    ((first, last, count),) = _rows(connection, name)
    return (
        f"{origin(endpoints)}, {count:,} Fridays from {first} to {last}. Written by "
        "`python -m liquidity_pipeline.scorecard`; edit nothing here by hand."
    )


def _whole(value: float | None) -> str:
    return "not known" if value is None else f"{value:.0f}"


def _rows(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[Any, ...]]:
    return connection.execute(query(name, _QUERIES)).fetchall()
