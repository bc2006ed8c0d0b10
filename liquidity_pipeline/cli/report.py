"""The result of a run on a terminal: drains, coming settlements, funding, sensitivity, stress.

Every table and sentence names the day it is about. What is not known is said to be so, with the
reason from `meta.coverage`; that nothing is wrong is said only of what was evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from liquidity_pipeline.storage.warehouse import reading

_COMPONENTS = {
    "tga": "Treasury General Account rises",
    "on_rrp": "overnight reverse repo rises",
    "foreign_rrp": "foreign reverse repo rises",
    "other_liabilities": "currency and other liabilities rise",
    "fed_bill_purchases": "the Fed buys bills",
    "fed_other_assets": "the Fed's other assets rise",
    "settlement": "net settlement paid by the public",
    "total": "drain",
}

# H.4.1's Wednesday is out eight days later at the latest, around holidays.
_RECENT_DAYS = 9

_DRAINS = """
    select week_ending, component, amount_usd_mn / 1000, drain_reserves_usd_mn / 1000,
        drain_headline_usd_mn / 1000
    from marts.weekly_drains
    where week_ending = (select max(week_ending) from marts.weekly_drains)
    order by component = 'total', abs(coalesce(amount_usd_mn, 0)) desc
"""
# A later week whose parts are not all known.
_LATER_DRAIN = """
    select week_ending, drain_reserves_usd_mn / 1000, d_tga_usd_mn / 1000
    from marts.reserve_drains
    where week_ending > (
        select coalesce(max(week_ending), date '1900-01-01') from marts.weekly_drains
    )
    order by week_ending desc limit 1
"""
# The newest week of each component that has an expectation.
_SEASON = """
    select component, week_ending, actual_usd_mn / 1000, expected_usd_mn / 1000,
        surprise_usd_mn / 1000, surprise_sd
    from marts.drain_seasonality
    where component in ('drain_reserves', 'tga', 'net_settlement_calendar_week')
    qualify row_number() over (partition by component order by week_ending desc) = 1
    order by component
"""
_SEASONAL = {
    "drain_reserves": "fall of reserve balances",
    "tga": "rise of the Treasury General Account",
    "net_settlement_calendar_week": "net settlement, Monday to Sunday",
}
_EPISODE = """
    select
        (select max(week_ending) from marts.drain_episode_weeks),
        start_date, depth_usd_mn / 1000, depth_pct, tga_share_pct, on_rrp_share_pct,
        fed_assets_share_pct, is_alarm
    from marts.drain_episodes
    where is_open
"""
_NEWEST_EPISODE_WEEK = "select max(week_ending) from marts.drain_episode_weeks"
# This week and the next; until all of a week is announced, what matures in it is to be rolled over.
_SETTLEMENTS = """
    select week_start, net_usd_mn / 1000, net_public_usd_mn / 1000, refinancing_usd_mn / 1000,
        is_settled
    from marts.weekly_settlements, meta.publication
    where security_class = 'all'
        and week_start between date_trunc('week', as_of) and as_of + interval 7 day
    order by week_start
"""
# Each gauge on the newest day on which it is known.
_GAUGES = {
    "sofr_pct": "SOFR, %",
    "sofr_iorb_bp": "SOFR over interest on reserves, bp",
    "tgcr_iorb_bp": "TGCR over interest on reserves, bp",
    "sofr_p99_p25_bp": "dispersion (p99 - p25), bp",
    "srf_usd_mn / 1000": "standing repo take-up, USD bn",
    "on_rrp_usd_mn / 1000": "overnight reverse repo, USD bn",
}
_GAUGE = """
    select date, {gauge} from marts.funding_conditions
    where {gauge} is not null order by date desc limit 1
"""
_SENSITIVITY = """
    select universe.asset, returns.date, returns.return_5d_pct, returns.return_5_sessions_pct,
        correlations.date, correlations.correlation, correlations.correlation_low,
        correlations.correlation_high, correlations.n_obs
    from meta.universe as universe
    left join (
        select * from marts.asset_returns
        qualify row_number() over (partition by asset order by date desc) = 1
    ) as returns on returns.asset = universe.asset
    left join (
        select * from marts.rolling_correlations
        where driver = 'reserve_drain_estimate' and window_days = 60 and correlation is not null
        qualify row_number() over (partition by asset order by date desc) = 1
    ) as correlations on correlations.asset = universe.asset
    order by universe.asset_class, universe.asset
"""
_INDICATORS = """
    select indicator, date, level, reason, date >= as_of - interval {days} day as is_recent
    from (
        select * from marts.stress_flags
        qualify row_number() over (partition by indicator order by date desc) = 1
    ), meta.publication
    order by indicator
"""
_INDEX = """
    select date, index_value, level, date >= as_of - interval 5 day
    from marts.stress_index, meta.publication order by date desc limit 1
"""
_BEHIND = """
    select table_name || case when entity = '' then '' else ' ' || entity end, known_through, reason
    from meta.coverage
    where known_through is null or known_through < expected_through
    order by table_name, entity
"""


def show(path: Path, console: Console) -> None:
    """Print the result that a published file holds."""
    with reading(path) as published:
        _headline(published, console)
        _drains(published, console)
        _season(published, console)
        _episode(published, console)
        _settlements(published, console)
        _funding(published, console)
        _assets(published, console)
        _stress(published, console)
        _unknown(published, console)


def _headline(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    as_of, endpoints, synthetic = _one(
        published, "select as_of, endpoints, is_synthetic from meta.publication"
    )
    if synthetic:
        console.print("[bold yellow]SYNTHETIC DATA from the sandbox: no real market.[/]")
    console.print(f"[bold]Liquidity as of {as_of}[/]  [dim]({endpoints})[/]\n")


def _drains(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    rows = published.execute(_DRAINS).fetchall()
    if rows:
        table = _table(
            f"Drain of the week ending Wednesday {rows[0][0]}, USD bn",
            ["component", "amount", "counted by the accounting", "counted as the press does"],
        )
        for _, component, amount, reserves, headline in rows:
            table.add_row(_COMPONENTS[component], *map(_signed, (amount, reserves, headline)))
        console.print(table)
    why = _why(published, "fed_balance_sheet", "tga_balance", "fed_operations", "repo_operations")
    later = published.execute(_LATER_DRAIN).fetchall()
    for week, drain, tga in later:
        account = "not known" if tga is None else f"{tga:+,.2f}"
        console.print(
            f"Week ending Wednesday {week}: reserves fell by {drain:+,.2f} USD bn, the Treasury "
            f"General Account rose by {account}; the other parts are not known: {why}\n"
        )
    if not rows and not later:
        console.print(f"Drain of reserves: not known: {why}\n")


def _season(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    rows = published.execute(_SEASON).fetchall()
    if not rows:
        console.print("Usual season: not known: it needs three years of weeks.\n")
        return
    newest = max(row[1] for row in rows)
    table = _table(
        f"Against the usual season, newest known weeks (up to {newest}), USD bn",
        ["week ending", "what", "actual", "expected", "surprise", "deviations"],
    )
    for component, week, actual, expected, surprise, deviations in rows:
        numbers = map(_signed, (actual, expected, surprise, deviations))
        table.add_row(str(week), _SEASONAL[component], *numbers)
    console.print(table)


def _episode(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    episodes = published.execute(_EPISODE).fetchall()
    for week, start, depth, share, *causes, alarm in episodes:
        names = ("Treasury's account", "reverse repos", "the Fed's assets")
        parts = ", ".join(
            f"{name} {cause:+.0f} %"
            for name, cause in zip(names, causes, strict=True)
            if cause is not None
        )
        mark = "[bold red]alarm[/]: " if alarm else ""
        console.print(
            f"{mark}as of {week} reserves had been draining since {start}: USD {depth:,.1f} bn, "
            f"{share:.1f} % of them ({parts or 'parts not known'})\n"
        )
    if episodes:
        return
    ((newest,),) = published.execute(_NEWEST_EPISODE_WEEK).fetchall()
    why = _why(published, "fed_balance_sheet")
    if newest is None:
        console.print("Drain episodes: not known: they need three years of weeks since 2009.\n")
    elif why == _NO_REASON:
        console.print(f"No drain episode was open as of {newest}.\n")
    else:
        console.print(f"Drain episodes: not known after {newest}: {why}\n")


def _settlements(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    rows = published.execute(_SETTLEMENTS).fetchall()
    if not rows:
        why = _why(published, "debt_settlements", "upcoming_settlements")
        console.print(f"Net settlement of Treasury debt: not known: {why}\n")
        return
    table = _table(
        f"Net settlement of Treasury debt, weeks from {rows[0][0]}, USD bn",
        ["week of", "net", "paid by the public", "state"],
    )
    for week, net, public, refinancing, settled in rows:
        to_come = f"{refinancing:,.1f} to be refinanced" if refinancing else "announced"
        table.add_row(str(week), _signed(net), _signed(public), "settled" if settled else to_come)
    console.print(table)


def _funding(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    found = {
        name: published.execute(_GAUGE.format(gauge=gauge)).fetchall()
        for gauge, name in _GAUGES.items()
    }
    days = [rows[0][0] for rows in found.values() if rows]
    if not days:
        why = _why(published, "reference_rates", "repo_operations", "market_series")
        console.print(f"Overnight funding: not known: {why}\n")
        return
    table = _table(f"Overnight funding, newest known (up to {max(days)})", ["gauge", "value", "on"])
    for name, rows in found.items():
        day, value = rows[0] if rows else ("not known", None)
        table.add_row(name, "" if value is None else f"{value:,.2f}", str(day))
    console.print(table)


def _assets(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    rows = published.execute(_SENSITIVITY).fetchall()
    days = [row[1] for row in rows if row[1] is not None]
    if not days:
        why = _why(published, "index_prices", "crypto_prices")
        console.print(f"Assets: not known: {why}\n")
        return
    table = _table(
        f"Assets (newest close {max(days)}), and their correlation with the daily estimate of the "
        "drain over 60 sessions (95 % band)",
        ["asset", "close of", "5 returns, %", "5 sessions, %", "correlation", "n", "up to"],
    )
    for asset, day, five, sessions, until, r, low, high, n in rows:
        band = "" if r is None else f"{r:+.2f}  [{low:+.2f}, {high:+.2f}]"
        table.add_row(
            asset, _day(day), _signed(five), _signed(sessions), band, str(n or ""), _day(until)
        )
    console.print(table)


def _stress(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    index = published.execute(_INDEX).fetchall()
    for day, value, level, is_recent in index:
        known = "" if is_recent else ", not known since"
        console.print(f"Stress index on {day}: {value:.3f}, {level}{known}")
    if not index:
        console.print("Stress index: not known: its segments have too short a history here.")
    rows = published.execute(_INDICATORS.format(days=_RECENT_DAYS)).fetchall()
    recent = [row for row in rows if row[4]]
    for indicator, day, level, reason, _ in recent:
        if level != "normal":
            console.print(f"  [bold]{level}[/] {indicator} on {day}: {reason}")
    if not rows:
        console.print("  stress indicators: not known: none has history enough to be evaluated")
    elif not recent:
        console.print(
            f"  stress indicators: not known: none evaluated since {max(r[1] for r in rows)}"
        )
    else:
        days = sorted({row[1] for row in recent})
        span = str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
        evaluated = f"{len(recent)} of {len(rows)} evaluated, on {span}"
        calm = all(row[2] == "normal" for row in recent)
        console.print(f"  {'no stress indicator was active: ' if calm else ''}{evaluated}")
    for indicator, day, *_, is_recent in rows:
        if recent and not is_recent:
            console.print(f"  {indicator}: not known since {day}")


def _unknown(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    """Name the inputs that are known less far than is due, and why."""
    behind = published.execute(_BEHIND).fetchall()
    if behind:
        console.print("\n[bold]Not known to the end[/]")
    for name, through, reason in behind:
        known = f"known through {through}" if through else "not known"
        console.print(f"  {name}: {known}; {reason}", soft_wrap=True, markup=False)


_NO_REASON = "what is held is too short"


def _why(published: duckdb.DuckDBPyConnection, *tables: str) -> str:
    """Return why inputs of these tables end early, in one line."""
    rows = published.execute(
        "select distinct table_name || ': ' || reason from meta.coverage "
        "where (known_through is null or known_through < expected_through) "
        "and list_contains(?, table_name) order by 1",
        [list(tables)],
    ).fetchall()
    return "; ".join(reason for (reason,) in rows[:3]) or _NO_REASON


def _day(day: object) -> str:
    return "not known" if day is None else str(day)


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 else "right")
    return table


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+,.2f}"


def _one(published: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    rows: list[tuple[Any, ...]] = published.execute(query).fetchall()
    if len(rows) != 1:
        raise ValueError(f"the published file gives {len(rows)} rows, not one, to: {query}")
    return rows[0]
