"""The result of a run on a terminal: drains, coming settlements, funding, sensitivity, stress.

Every table and sentence names the day it is about. What is not known is said to be so, with the
reason from `meta.coverage`; that nothing is wrong is said only of what was evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from liquidity_pipeline.brief.inputs import DAY_INPUTS, RESERVES, WEEK_INPUTS
from liquidity_pipeline.cli.reasons import NO_REASON, brief_reason, why_unknown
from liquidity_pipeline.contracts.glossary import COMPONENT_LABELS
from liquidity_pipeline.models.reach import Coverage
from liquidity_pipeline.models.statements import query
from liquidity_pipeline.models.stress.indicators import INDEX_INPUTS, INDICATORS
from liquidity_pipeline.storage.warehouse import reading

_QUERIES = Path(__file__).parent / "queries"

_SEASONAL = {
    "drain_reserves": "fall of reserve balances",
    "tga": "rise of the Treasury General Account",
    "net_settlement_calendar_week": "net settlement, Monday to Sunday",
}
# Each gauge on the newest day on which it is known.
_GAUGES = {
    "sofr_pct": "SOFR, %",
    "sofr_iorb_bp": "SOFR over interest on reserves, bp",
    "tgcr_iorb_bp": "TGCR over interest on reserves, bp",
    "sofr_p99_p25_bp": "dispersion (p99 - p25), bp",
    "srf_usd_mn / 1000": "standing repo take-up, USD bn",
    "on_rrp_usd_mn / 1000": "overnight reverse repo, USD bn",
}
_FUNDING_INPUTS = (
    "reference_rates/SOFR",
    "reference_rates/TGCR",
    "repo_operations/srf",
    "repo_operations/on_rrp",
    "market_series/IORB",
)


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
    console.print(f"[bold]Liquidity as of {as_of}[/]  [dim]({escape(endpoints)})[/]\n")


def _drains(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    rows = _ask(published, "drains")
    if rows:
        table = _table(
            f"Drain of the week ending Wednesday {rows[0][0]}, USD bn",
            ["component", "amount", "reserve accounting", "market convention"],
        )
        for _, component, amount, reserves, headline, _ in rows:
            table.add_row(COMPONENT_LABELS[component], *map(_signed, (amount, reserves, headline)))
        console.print(table)
        console.print(_net_of_buybacks(published, rows), markup=False)
    why = why_unknown(published, *WEEK_INPUTS)
    later = _ask(published, "later_drain")
    for week, drain, tga in later:
        account = "change is not known" if tga is None else _moved(tga)
        console.print(
            f"Week ending Wednesday {week}: reserves {_moved(-drain)}, the Treasury General "
            f"Account {account}; the other parts are not known: {why}\n",
            markup=False,
        )
    if not rows and not later:
        console.print(f"Drain of reserves: not known: {why}\n")
    elif (ended := why_unknown(published, RESERVES)) != NO_REASON:
        console.print(f"Later weeks are not known: {ended}\n", markup=False)


def _net_of_buybacks(published: duckdb.DuckDBPyConnection, rows: Sequence[Any]) -> str:
    """Say what the market convention gives less what Treasury bought back."""
    week, net = rows[0][0], {component: amounts[-1] for _, component, *amounts in rows}
    if net.get("total") is None or net.get("settlement") is None:
        inputs = ("debt_settlements/auctions", "debt_settlements/buybacks")
        why = why_unknown(published, *inputs, *Coverage.read(published).lacking())
        if "settlement" not in net:
            return f"What the public paid in the week ending {week}: not known: {why}\n"
        return f"Net of buybacks, week ending {week}: not known: {why}\n"
    return (
        f"Net of what Treasury bought back in the week ending {week}, settlement is "
        f"{_signed(net['settlement'])} and the total {_signed(net['total'])}.\n"
    )


def _season(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    rows = _ask(published, "season")
    if not rows:
        inputs = (RESERVES, "debt_settlements/auctions")
        why = why_unknown(published, *inputs, *Coverage.read(published).lacking())
        why = "it needs three years of weeks" if why == NO_REASON else why
        console.print(f"Usual season: not known: {why}\n", markup=False)
        return
    newest = max(row[1] for row in rows)
    table = _table(
        f"Against the usual season, newest known weeks (up to {newest}), USD bn",
        ["week ending", "what", "actual", "expected", "surprise", "std dev"],
    )
    for component, week, actual, expected, surprise, deviations in rows:
        numbers = map(_signed, (actual, expected, surprise, deviations))
        table.add_row(str(week), _SEASONAL[component], *numbers)
    console.print(table)
    lacking = Coverage.read(published).lacking()
    if lacking and "net_settlement_calendar_week" not in {row[0] for row in rows}:
        what = _SEASONAL["net_settlement_calendar_week"]
        console.print(f"  {what}: not known: {why_unknown(published, *lacking)}\n", markup=False)


def _episode(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    episodes = _ask(published, "episode")
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
    ((newest,),) = _ask(published, "newest_episode_week")
    why = why_unknown(published, RESERVES)
    if newest is None:
        why = "they need three years of weeks since 2009" if why == NO_REASON else why
        console.print(f"Drain episodes: not known: {why}\n", markup=False)
    elif why == NO_REASON:
        console.print(f"No drain episode was open as of {newest}.\n")
    else:
        console.print(f"Drain episodes: not known after {newest}: {why}\n", markup=False)


def _settlements(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    rows = _ask(published, "settlements")
    if not rows:
        why = why_unknown(published, "debt_settlements/auctions", "upcoming_settlements")
        console.print(f"Net settlement of Treasury debt: not known: {why}\n")
        return
    table = _table(
        f"Net settlement of Treasury debt, weeks from {rows[0][0]}, USD bn",
        ["week of", "securities", "net", "paid by the public", "net of buybacks", "state"],
    )
    for week, securities, net, public, held, refinancing, settled, *_ in rows:
        to_come = f"{refinancing:,.1f} to be refinanced" if refinancing else "announced"
        to_come = "refinancing not known" if refinancing is None else to_come
        state = "settled" if settled else to_come
        table.add_row(str(week), securities, *map(_signed, (net, public, held)), state)
    console.print(table)
    _public_share(published, console, rows)
    ((assumed,),) = _ask(published, "assumed")
    if assumed:
        console.print(
            "What the Fed holds of the securities that mature is assumed, not published, for "
            f"{', '.join(map(str, assumed))}.\n"
        )


def _public_share(
    published: duckdb.DuckDBPyConnection, console: Console, rows: Sequence[Any]
) -> None:
    """Say of which weeks the public's part is not known and why, and what is known at face value.

    A net at face value is in the table. Where it is not known either, the issues and what matures
    of the week may be.
    """
    lacking = Coverage.read(published).lacking()
    unknown = [row for row in rows if row[3] is None and not row[5]]
    if not lacking or not unknown:
        return
    weeks = ", ".join(dict.fromkeys(str(week) for week, *_ in unknown))
    why = why_unknown(published, *lacking)
    console.print(
        f"What the public pays is not known for the weeks of {weeks}: {why}", markup=False
    )
    for week, securities, net, *_, issued, redeemed in unknown:
        if net is None:
            matures = "what matures is not known" if redeemed is None else f"{redeemed:,.2f} mature"
            console.print(f"  face value, {week}, {securities}: {issued:,.2f} issued, {matures}")
    console.print()


def _funding(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    found = {name: _ask(published, "gauge", gauge=gauge) for gauge, name in _GAUGES.items()}
    days = [rows[0][0] for rows in found.values() if rows]
    if not days:
        why = why_unknown(published, *_FUNDING_INPUTS)
        console.print(f"Overnight funding: not known: {why}\n")
        return
    table = _table(f"Overnight funding, newest known (up to {max(days)})", ["gauge", "value", "on"])
    for name, rows in found.items():
        day, value = rows[0] if rows else ("not known", None)
        table.add_row(name, "" if value is None else f"{value:,.2f}", str(day))
    console.print(table)
    why = why_unknown(published, *_FUNDING_INPUTS)
    if why != NO_REASON:
        what = "Later" if all(found.values()) else "Other and later"
        console.print(f"{what} values are not known: {why}\n", markup=False)


def _assets(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    rows = _ask(published, "sensitivity")
    if not rows:
        why = why_unknown(published, "index_prices", "crypto_prices")
        console.print(f"Returns of assets: not known in the last two weeks: {why}\n", markup=False)
        return
    _, before, day, *_ = rows[0]
    table = _table(
        f"Assets from the close of {before} to that of {day}, %, and their correlation with the "
        "daily estimate of the drain over 60 sessions (95% band)",
        ["asset", "over five sessions", "first to last of five", "correlation", "n", "through"],
    )
    for asset, _, _, five, sessions, r, low, high, n, through in rows:
        known = r is not None
        band = f"{r:+.2f}  [{low:+.2f}, {high:+.2f}]" if known else ""
        cells = (band, str(n), str(through)) if known else ("", "", "")
        table.add_row(escape(asset), _signed(five), _signed(sessions), *cells)
    table.caption = "Closes: shares and funds 16:00 New York; coins 00:00 UTC, 3 to 4 hours later."
    table.caption_justify = "left"
    console.print(table)
    if all(row[5] is None for row in rows):
        why = why_unknown(published, *DAY_INPUTS)
        console.print(f"Correlations over 60 sessions: not known: {why}\n", markup=False)
    _assets_unknown(published, console, day, {row[0] for row in rows})


def _assets_unknown(
    published: duckdb.DuckDBPyConnection, console: Console, day: date, known: set[str]
) -> None:
    """Name the followed assets that have no return on the day of the table, by the reason."""
    alike: dict[str, list[str]] = {}
    for asset, is_crypto in _ask(published, "followed"):
        if asset not in known:
            table = "crypto_prices" if is_crypto else "index_prices"
            alike.setdefault(why_unknown(published, f"{table}/{asset}"), []).append(asset)
    for why, assets in alike.items():
        told = f"  not known on {day}: {', '.join(assets)}: {why}"
        console.print(told, markup=False, soft_wrap=True)
    if alike:
        console.print()


def _stress(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    index = _ask(published, "index")
    for day, value, level, rank, n_history, segments in index:
        console.print(
            f"Stress index on {day}: {value:.3f} of 1, {level}; above {rank:.0%} of {n_history:,} "
            f"sessions of the three years before ({segments})"
        )
        if (why := why_unknown(published, *INDEX_INPUTS)) != NO_REASON:
            console.print(f"  not known after {day}: {why}", markup=False)
    if not index:
        why = why_unknown(published, *INDEX_INPUTS)
        why = "it needs three years of all of its segments" if why == NO_REASON else why
        console.print(f"Stress index: not known: {why}", markup=False)
    newest = _ask(published, "indicators")
    current = [row for row in newest if row[4]]
    active = [row for row in current if row[2] != "normal"]
    for indicator, day, level, reason, _ in active:
        console.print(f"  [bold]{level}[/] {escape(indicator)} on {day}: {escape(reason)}")
    if current and not active:
        first, last = min(row[1] for row in current), max(row[1] for row in current)
        span = f"on {last}" if first == last else f"between {first} and {last}"
        console.print(f"  no stress indicator is active: {len(current)} evaluated {span}")
    known = {row[0] for row in current}
    old = {name: f"{level} on {day}" for name, day, level, *_ in newest if name not in known}
    unranked = "no later value could be ranked"
    for why, names in _unknown_gauges(published, set(old), unranked).items():
        told = ", ".join(f"{name} ({old[name]})" for name in names)
        console.print(f"  not known now: {told}: {why}", markup=False)
    never = {gauge.name for gauge in INDICATORS} - {row[0] for row in newest}
    short = "each needs three years of its inputs"
    for why, names in _unknown_gauges(published, never, short).items():
        console.print(f"  not known: {', '.join(names)}: {why}", markup=False)


def _unknown_gauges(
    published: duckdb.DuckDBPyConnection, unknown: set[str], otherwise: str
) -> dict[str, list[str]]:
    """Return the indicators that are not known, by the reason; `otherwise` no input has ended."""
    found: dict[str, list[str]] = {}
    for gauge in INDICATORS:
        if gauge.name in unknown:
            why = why_unknown(published, *gauge.rests_on)
            why = otherwise if why == NO_REASON else why
            found.setdefault(why, []).append(gauge.name)
    return found


def _unknown(published: duckdb.DuckDBPyConnection, console: Console) -> None:
    """Name the inputs that are known less far than is due, and why: a reason is said once."""
    alike: dict[tuple[str, object, str], list[str]] = {}
    for table, entity, through, reason in _ask(published, "behind"):
        alike.setdefault((table, through, brief_reason(reason)), []).append(entity)
    if alike:
        console.print("\n[bold]Not known to the end[/]")
    for (table, through, reason), entities in alike.items():
        name = f"{table} {', '.join(filter(None, entities))}".strip()
        known = f"known through {through}" if through else "not known"
        console.print(f"  {name}: {known}; {reason}", soft_wrap=True, markup=False)


def _moved(change: float) -> str:
    """Say by how much something rose or fell."""
    return f"{'rose' if change >= 0 else 'fell'} by {abs(change):,.2f} USD bn"


def _day(day: object) -> str:
    return "not known" if day is None else str(day)


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 else "right")
    return table


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+,.2f}"


def _ask(published: duckdb.DuckDBPyConnection, name: str, **values: object) -> list[Any]:
    """Return the rows of a statement in queries/report.sql."""
    return published.execute(query(name, _QUERIES, **values)).fetchall()


def _one(published: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    rows: list[tuple[Any, ...]] = published.execute(sql).fetchall()
    if len(rows) != 1:
        raise ValueError(f"the published file gives {len(rows)} rows, not one, to: {sql}")
    return rows[0]
