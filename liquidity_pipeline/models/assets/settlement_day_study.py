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

import duckdb
import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.assets.events import SETTLEMENT_DAY_STUDY
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.exact_tests import stratified_upper_tail
from liquidity_pipeline.statistics.inference import (
    Bools,
    Floats,
    Integers,
    Matched,
    matched_means,
    mean_difference,
)
from liquidity_pipeline.statistics.multiple_tests import bonferroni

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
LAST_OF_MONTH, FIRST_OF_MONTH = 5, 6


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
    rows = [
        row
        for bucket, (above, up_to) in BUCKETS.items()
        for row in _bucket(
            history,
            assets,
            _last((history.net_settlement > above) & (history.net_settlement <= up_to), last),
            bucket,
            with_interval=last is None,
        )
    ]
    p_values = np.array([row["p_value"] for row in rows], dtype=float)
    return [
        row | {"p_value_adjusted": p, "n_tests": planned}
        for row, p in zip(rows, bonferroni(p_values, planned).tolist(), strict=True)
    ]


def _bucket(
    history: Sessions, assets: Sequence[str], chosen: Bools, bucket: str, *, with_interval: bool
) -> Iterator[dict[str, object]]:
    from scipy.special import bdtrc

    used = chosen | (history.net_settlement <= 0)
    returns, strata, chosen = history.returns[used], history.strata[used], chosen[used, None]
    down = np.where(np.isnan(returns), np.nan, returns < 0)
    found = matched_means(np.hstack([returns, down]), chosen, strata, MIN_CONTROLS_OF_KIND)
    others = np.where(chosen, np.nan, down)
    seen = np.maximum((~np.isnan(others)).sum(axis=0), 1)
    other_share_down = np.nansum(others, axis=0) / seen
    undefined = np.full(len(assets), np.nan)
    low, high = undefined, undefined
    if with_interval:
        interval, _ = mean_difference(returns, chosen, strata, MIN_CONTROLS_OF_KIND)
        low, high = interval.low, interval.high
    for i, asset in enumerate(assets):
        of_down = i + len(assets)
        n_days, worth = int(found.n_chosen[i]), float(found.effective_controls[i])
        if n_days == 0 or worth < MIN_CONTROLS:
            continue
        share, base_rate = float(found.mean[of_down]), float(found.control_mean[of_down])
        n_down = round(share * n_days)
        yield {
            "size_bucket": bucket,
            "asset": asset,
            "n_days": n_days,
            "n_control": int(found.controls_in[:, i].sum()),
            "n_control_effective": worth,
            "n_down": n_down,
            "mean_return_pct": found.mean[i],
            "control_mean_pct": found.control_mean[i],
            "difference_low_pct": low[i],
            "difference_high_pct": high[i],
            "share_down": share,
            "base_rate_down": base_rate,
            "p_value": _exact(found, of_down, n_down),
            "p_value_binomial": float(bdtrc(n_down - 1, n_days, other_share_down[i])),
        }


def _exact(down: Matched, i: int, n_down: int) -> float:
    """Return the probability of at least `n_down` down days among the chosen of series i."""
    drawn, controls = down.chosen_in[:, i], down.controls_in[:, i]
    hits = np.round(controls * down.control_means_in[:, i] + down.chosen_sums_in[:, i])
    used = drawn > 0
    counts = np.stack([drawn + controls, hits, drawn])[:, used].astype(np.int64)
    return stratified_upper_tail(n_down, *counts)


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
