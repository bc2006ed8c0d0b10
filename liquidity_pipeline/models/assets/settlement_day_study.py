"""Do stocks fall on settlement days? All such days, by size, compared with matched days.

A settlement day is a session on which the public pays in net for new Treasury debt. Its controls
are the sessions on which it does not, of the same weekday, and turns of the month against turns of
the month. The probability is exact: settlement days drawn at random among their matches.
Sources: method, C7 (seven of nine); `exact` for the test, `inference` for the interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.assets.events import SETTLEMENT_DAY_STUDY
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.exact_tests import stratified_upper_tails
from liquidity_pipeline.statistics.inference import (
    Bools,
    Floats,
    Integers,
    Matched,
    match,
    mean_difference,
    stratum_sums,
)
from liquidity_pipeline.statistics.multiple_tests import bonferroni

if TYPE_CHECKING:
    import duckdb


# Net public settlement in USD bn: above the first, up to the second bound.
BUCKETS = {
    "all": (0.0, np.inf),
    "up_to_20bn": (0.0, 20.0),
    "20_to_50bn": (20.0, 50.0),
    "over_50bn": (50.0, np.inf),
}
# The press counts the last few; nine settlement days are about a month.
LAST = 9
SINCE = date(2022, 1, 1)
MIN_CONTROLS = 60
# What the last and the first days of months are compared with is rare: few months end without a
# settlement. Days of a kind with fewer controls are left out.
MIN_CONTROLS_OF_KIND = 10
LAST_OF_MONTH, FIRST_OF_MONTH, N_STRATA = 5, 6, 7


@dataclass(frozen=True)
class Sessions:
    """Sessions in order: net public settlement (USD bn), returns (%), and what to match on."""

    dates: Sequence[date]
    net_settlement: Floats
    returns: Floats
    strata: Integers

    def cut(self, start: int, stop: int) -> Sessions:
        """Return sessions start to stop - 1."""
        part = slice(start, stop)
        return Sessions(
            self.dates[part], self.net_settlement[part], self.returns[part], self.strata[part]
        )


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.settlement_day_study`.

    The last nine at the last Wednesday of each month, the long samples at that of each quarter.
    """
    dates = panels.sessions(connection)
    returns = panels.returns(connection, "daily").on(dates)
    drivers = panels.drivers(connection, "daily").on(dates)
    if "net_settlement" not in drivers.names:
        return panels.table([], SETTLEMENT_DAY_STUDY.arrow_schema)
    history = Sessions(
        dates, drivers.column("net_settlement"), returns.values, _strata(connection, dates)
    )
    days = np.array(dates, dtype="datetime64[D]")
    since = int(np.searchsorted(days, np.datetime64(SINCE)))
    n_tests = len(BUCKETS) * len(panels.asset_classes(connection))
    rows: list[dict[str, object]] = []
    for as_of in panels.as_of_dates(connection):
        stop = int(np.searchsorted(days, np.datetime64(as_of.date), side="right"))
        samples: dict[str, tuple[int, int | None]] = {f"last_{LAST}": (0, LAST)}
        if panels.is_quarterly(as_of.date):
            samples |= {"full": (0, None), "since_2022": (since, None)}
        for sample, (start, last) in samples.items():
            head = {"as_of": as_of.date, "sample": sample, "known_at": as_of.known_at}
            part = history.cut(min(start, stop), stop)
            found = study(part, returns.names, last, n_tests=n_tests)
            rows += [head | row for row in found]
    return panels.table(rows, SETTLEMENT_DAY_STUDY.arrow_schema)


def study(
    history: Sessions,
    assets: Sequence[str],
    last: int | None = None,
    *,
    n_tests: int | None = None,
) -> list[dict[str, object]]:
    """Return one row per size and asset; `last` keeps only the last settlement days of each size.

    p-values are one-sided (at least as many down days), adjusted by Bonferroni's bound for the
    `n_tests` that are planned (all sizes of these assets), observed or not.
    """
    planned = n_tests or len(BUCKETS) * len(assets)
    returns = history.returns
    down = np.where(np.isnan(returns), np.nan, returns < 0)
    both = np.hstack([returns, down])
    others = history.net_settlement <= 0
    controls = stratum_sums(both[others], history.strata[others], N_STRATA)
    rows = []
    for bucket, (above, up_to) in BUCKETS.items():
        inside = (history.net_settlement > above) & (history.net_settlement <= up_to)
        chosen = _last(inside, last)
        own = stratum_sums(both[chosen], history.strata[chosen], N_STRATA)
        found = match(own, controls, MIN_CONTROLS_OF_KIND)
        bounds = _bounds(history, chosen, others) if last is None else None
        rows += [{"size_bucket": bucket} | row for row in _rows(found, controls, assets, bounds)]
    p_values = np.array([row["p_value"] for row in rows], dtype=float)
    return [
        row | {"p_value_adjusted": p, "n_tests": planned}
        for row, p in zip(rows, bonferroni(p_values, planned).tolist(), strict=True)
    ]


def _bounds(history: Sessions, chosen: Bools, others: Bools) -> tuple[Floats, Floats]:
    """Return the interval of the difference of the mean returns, asset by asset."""
    used = chosen | others
    interval, _ = mean_difference(
        history.returns[used], chosen[used, None], history.strata[used], MIN_CONTROLS_OF_KIND
    )
    return interval.low, interval.high


def _rows(
    found: Matched,
    controls: tuple[Floats, Floats],
    assets: Sequence[str],
    bounds: tuple[Floats, Floats] | None,
) -> Iterator[dict[str, object]]:
    """Yield a row per asset with enough days; of the series, the second half are down days."""
    from scipy.special import bdtrc

    n = len(assets)
    low, high = bounds or (np.full(n, np.nan),) * 2
    n_controls, n_controls_down = (part.sum(axis=0) for part in controls)
    enough = (found.n_chosen > 0) & (found.effective_controls >= MIN_CONTROLS)
    shown = np.flatnonzero(enough[:n])
    of_down = shown + n
    n_days = found.n_chosen[shown]
    n_down = np.round(found.mean[of_down] * n_days).astype(np.int64)
    other_share_down = n_controls_down[of_down] / np.maximum(n_controls[of_down], 1)
    columns = {
        "n_days": n_days,
        "n_control": found.controls_in[:, shown].sum(axis=0).astype(np.int64),
        "n_control_effective": found.effective_controls[shown],
        "n_down": n_down,
        "mean_return_pct": found.mean[shown],
        "control_mean_pct": found.control_mean[shown],
        "difference_low_pct": low[shown],
        "difference_high_pct": high[shown],
        "share_down": found.mean[of_down],
        "base_rate_down": found.control_mean[of_down],
        "p_value": _exact(found, of_down, n_down),
        "p_value_binomial": bdtrc(n_down - 1.0, n_days, other_share_down),
    }
    lists = [values.tolist() for values in columns.values()]
    for i, *values in zip(shown, *lists, strict=True):
        yield {"asset": assets[i]} | dict(zip(columns, values, strict=True))


def _exact(down: Matched, chosen: Integers, n_down: Integers) -> Floats:
    """Return the probability of at least `n_down` down days among the chosen of some series."""
    drawn, controls = down.chosen_in[:, chosen], down.controls_in[:, chosen]
    hits = np.round(controls * down.control_means_in[:, chosen] + down.chosen_sums_in[:, chosen])
    counts = (part.astype(np.int64) for part in (drawn + controls, hits, drawn))
    return stratified_upper_tails(n_down, *counts)


def _last(chosen: Bools, last: int | None) -> Bools:
    """Keep only the last few of the chosen."""
    if last is None:
        return chosen
    kept = np.zeros_like(chosen)
    kept[np.flatnonzero(chosen)[-last:]] = True
    return kept


def _strata(connection: duckdb.DuckDBPyConnection, dates: Sequence[date]) -> Integers:
    """Return Monday 0 to Friday 4; last days of months 5, first days 6."""
    turns = {
        day
        for (day,) in connection.execute(
            "select date from meta.calendar_days where is_month_end"
        ).fetchall()
    }
    kinds = [
        (LAST_OF_MONTH if d.day > 15 else FIRST_OF_MONTH) if d in turns else d.weekday()
        for d in dates
    ]
    return np.array(kinds, dtype=np.int64)


MARTS = {
    "settlement_day_study": PythonMart(
        build,
        frozenset(
            {
                "marts.sampled_returns",
                "marts.driver_changes",
                "meta.calendar_days",
                "meta.clock",
                "meta.universe",
            }
        ),
    )
}
