"""`liquidity scenario`: what a portfolio has to expect, with the day, the horizon and the doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from liquidity_pipeline.cli.console import console, print_rows

if TYPE_CHECKING:
    from liquidity_pipeline.models.assets.scenarios import Impact, Outlook


def show(published: Path, portfolio: Path, form: str) -> None:
    """Print the impact of each scenario; raise UsageError for a portfolio that cannot be used."""
    import duckdb

    from liquidity_pipeline.models.assets.scenarios import (
        HORIZON_WEEKS,
        PortfolioError,
        portfolio_scenarios,
    )
    from liquidity_pipeline.storage.warehouse import reading

    try:
        with reading(published) as connection:
            outlook = portfolio_scenarios(connection, portfolio)
            ((as_of,),) = connection.execute("select as_of from meta.publication").fetchall()
    except (PortfolioError, duckdb.Error) as error:
        raise click.UsageError(str(error)) from None
    if form == "table":
        _print(outlook, as_of, HORIZON_WEEKS)
        return
    oldest = min(outlook.returns_through.values())
    rows = [
        {"as_of": as_of, "horizon_weeks": HORIZON_WEEKS, **asdict(impact)}
        | {"crosses_zero": _crosses_zero(impact), "drains_through": outlook.drains_through}
        | {"returns_through": outlook.returns_through.get(impact.asset, oldest)}
        for impact in outlook.impacts
    ]
    print_rows(list(rows[0]), [tuple(row.values()) for row in rows], form)


def _print(outlook: Outlook, as_of: date, weeks: int) -> None:
    names = ("scenario", "asset", "weight", "USD bn", "impact %", "95% interval")
    rows = [
        (
            impact.scenario,
            impact.asset,
            f"{impact.weight:g}",
            f"{impact.drain_usd_bn:+,.1f}",
            f"{impact.impact_pct:+.2f}",
            f"[{impact.impact_low_pct:+.2f}, {impact.impact_high_pct:+.2f}]"
            f"{' *' if _crosses_zero(impact) else ''}",
        )
        for impact in outlook.impacts
    ]
    title = f"Over the next {weeks} weeks, as of {as_of}, for three drains"
    console.print(title, style="bold", highlight=False, soft_wrap=True)
    print_rows(names, rows, "table")
    console.print(_reach(outlook), markup=False, highlight=False, soft_wrap=True)
    console.print(_doubt(outlook.impacts), markup=False, highlight=False, soft_wrap=True)


def _reach(outlook: Outlook) -> str:
    """Say which weeks the drains and the slopes are from, asset by asset where they differ."""
    ends: dict[date, list[str]] = {}
    for asset, day in outlook.returns_through.items():
        ends.setdefault(day, []).append(asset)
    returns = "; ".join(
        f"{day}" if len(ends) == 1 else f"{day} ({', '.join(assets)})"
        for day, assets in sorted(ends.items(), reverse=True)
    )
    return (
        f"Drains of H.4.1 weeks through {outlook.drains_through}; slopes on returns through "
        f"{returns}."
    )


def _doubt(impacts: Sequence[Impact]) -> str:
    """Say what the intervals allow to be said."""
    crossing = sum(map(_crosses_zero, impacts))
    says = (
        f"* {crossing} of {len(impacts)} intervals contain zero: there not even the sign is known. "
        if crossing
        else "No interval contains zero. "
    )
    return says + (
        f"The intervals say how well the slope of these {max(i.n_obs for i in impacts)} weeks "
        f"is known; they do not contain what else moves markets, nor that the slope may change."
    )


def _crosses_zero(impact: Impact) -> bool:
    return impact.impact_low_pct <= 0 <= impact.impact_high_pct
