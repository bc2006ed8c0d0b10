"""How rolling correlations and weekly betas scale: 1,000 symbols x 25 years, beside other tools.

Run it by hand: `python -m liquidity_pipeline_tests.benchmarks_rolling [symbols] [sessions]`. The
mart's own SQL runs on synthetic returns against one driver, window by window like the others.
Polars and numbagg take part where they are installed. This is no test.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd

from liquidity_pipeline.models import engine
from liquidity_pipeline.models.assets.correlations import rolling_spearman
from liquidity_pipeline.statistics.inference import Floats, Moments, slopes

WINDOW = 60


def main() -> None:
    """Print the seconds of each tool and their ratio to the mart's SQL."""
    symbols, days = (int(a) for a in (sys.argv[1:] + ["1000", "6300"][len(sys.argv) - 1 :])[:2])
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=days), generator.normal(size=(days, symbols))
    tools: dict[str, Callable[[Floats, Floats], Floats]] = {
        "duckdb, the mart's SQL (3 windows)": _duckdb,
        "pandas rolling().corr (1 window)": _pandas,
        "numpy running sums (1 window)": _numpy,
    }
    if importlib.util.find_spec("polars"):
        tools["polars rolling_corr (1 window)"] = _polars
    if importlib.util.find_spec("numbagg"):
        tools["numbagg move_corr (1 window)"] = _numbagg
    seconds, last = {}, {}
    for name, run in tools.items():
        start = time.perf_counter()
        last[name] = run(x, y)
        seconds[name] = time.perf_counter() - start
    own = seconds["duckdb, the mart's SQL (3 windows)"] / 3
    print(f"{symbols:,} symbols x {days:,} sessions, window {WINDOW}")  # noqa: T201
    for name, taken in seconds.items():
        windows = 3 if "3 windows" in name else 1
        # The mart counts in millionths, so that no sum depends on its order.
        agrees = np.allclose(last[name], next(iter(last.values())), atol=1e-5)
        print(  # noqa: T201
            f"{name:36s} {taken:7.2f} s, per window {taken / windows / own:5.2f} of the SQL, "
            f"{'same' if agrees else 'OTHER'} values"
        )
    _own_python(x, y)


def _own_python(x: Floats, y: Floats) -> None:
    """Time what the marts do in Python: ranks by day, betas by week."""
    start = time.perf_counter()
    rolling_spearman(x[:, None], y, WINDOW)
    print(f"{'rank correlations (1 window)':36s} {time.perf_counter() - start:7.2f} s")  # noqa: T201
    weeks = slice(None, None, 5)
    start = time.perf_counter()
    pairs = Moments.of_pairs(np.repeat(x[weeks, None], y.shape[1], axis=1), y[weeks])
    for stop in range(156, len(x[weeks]), 4):
        slopes(pairs.window(stop - 156, stop), 60)
    print(f"{'weekly betas, every month':36s} {time.perf_counter() - start:7.2f} s")  # noqa: T201


def _duckdb(x: Floats, y: Floats) -> Floats:
    days, symbols = y.shape
    dates = pd.bdate_range("2000-01-03", periods=days).to_numpy().astype("datetime64[D]")
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute("create schema meta")
        drivers = pd.DataFrame({"date": dates, "value": x})
        sessions = pd.DataFrame({"date": dates, "nyse_number": np.arange(days)})
        connection.execute("create table meta.calendar_days as from sessions")
        returns = pd.DataFrame(
            {
                "date": np.repeat(dates, symbols),
                "asset": np.tile(np.arange(symbols), days),
                "return_pct": y.ravel(),
            }
        )
        connection.execute(
            "create table marts.driver_changes as select 'daily' as frequency, 'x' as driver, * "
            "from drivers"
        )
        connection.execute(
            "create table marts.sampled_returns as select 'daily' as frequency, "
            "'S' || asset as asset, date, return_pct, date as known_at from returns"
        )
        connection.execute(
            "create table marts.rank_correlations (date timestamp, asset text, driver text, "
            "window_days bigint, spearman double)"
        )
        del drivers, returns, sessions
        connection.execute(f"create table result as {engine.sql('rolling_correlations')}")
        rows = connection.execute(
            f"select correlation from result where window_days = {WINDOW} "
            "and date = (select max(date) from result) order by substr(asset, 2)::int"
        ).fetchnumpy()
    return np.asarray(rows["correlation"], dtype=np.float64)


def _pandas(x: Floats, y: Floats) -> Floats:
    found = pd.DataFrame(y).rolling(WINDOW).corr(pd.Series(x))
    return np.asarray(found.iloc[-1], dtype=np.float64)


def _numpy(x: Floats, y: Floats) -> Floats:
    sums = Moments.of_pairs(np.repeat(x[:, None], y.shape[1], axis=1), y).rolling(WINDOW)
    xx = sums.xx - sums.x**2 / sums.n
    yy = sums.yy - sums.y**2 / sums.n
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (sums.xy - sums.x * sums.y / sums.n) / np.sqrt(xx * yy)
    return np.asarray(found[-1])


def _polars(x: Floats, y: Floats) -> Floats:
    import polars as pl

    frame = pl.DataFrame({"x": x} | {f"y{i}": y[:, i] for i in range(y.shape[1])})
    found = frame.select(
        pl.rolling_corr("x", f"y{i}", window_size=WINDOW).alias(f"y{i}") for i in range(y.shape[1])
    )
    return np.asarray(found.row(-1), dtype=np.float64)


def _numbagg(x: Floats, y: Floats) -> Floats:
    import numbagg

    found = numbagg.move_corr(np.repeat(x[None, :], y.shape[1], axis=0), y.T.copy(), window=WINDOW)
    return np.asarray(found[:, -1])


if __name__ == "__main__":
    main()
