"""How rolling correlations scale: 1,000 symbols x 25 years x 4 windows x 6 drivers, beside others.

Run it by hand: `python -m liquidity_pipeline_tests.benchmarks.rolling [symbols] [sessions]`. The
tools take turns window by window, so that a busy machine slows all of them alike. Each gets arrays
in the order that it likes best, and is charged the CPU of all its threads. With `--stream` the
whole job runs once as a stream of long tables, and its peak memory is reported: `--stream 16000` is
an exchange. This is no test.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from liquidity_pipeline.statistics.inference import Floats, Moments, slopes
from liquidity_pipeline.statistics.rolling import (
    ROWS_PER_GROUP,
    Series,
    Window,
    correlate,
    correlate_stream,
    rank_correlate,
)
from liquidity_pipeline_tests.benchmarks.measuring import measured_on, table

LENGTHS = (20, 60, 120, 250)
DRIVERS = 6
MISSING = 0.08
OWN = "liquidity_pipeline: correlation, beta, n"
# What is too slow for all symbols is timed on every tenth.
SLOW, EVERY = "DuckDB: corr over a window, every tenth symbol", 10

# Each takes drivers and symbols (names x sessions) and a window, does all drivers, and returns
# the correlations with the last one (symbols x sessions).
Tool = Callable[[Floats, Floats, Window], Floats]


def main() -> None:
    """Print the comparison, or with `--stream` the peak memory of a stream."""
    flags, numbers = (
        [a for a in sys.argv[1:] if a.startswith("--") is is_flag] for is_flag in (True, False)
    )
    symbols, sessions = (int(a) for a in (numbers + ["1000", "6300"][len(numbers) :])[:2])
    if "--stream" in flags:
        _stream(symbols, sessions)
        return
    print(section(symbols, sessions))  # noqa: T201
    _rest(*data(symbols, sessions))


def section(symbols: int, sessions: int) -> str:
    """Return each tool's CPU seconds, and what that is of the package's own, as Markdown."""
    x, y = data(symbols, sessions)
    tools: dict[str, Tool] = {
        OWN: own,
        "numbagg: correlation": _numbagg,
        "pandas: correlation": _pandas,
        "Polars: correlation": _polars,
        SLOW: _duckdb,
    }
    use_compiled_loops()
    for tool in tools.values():
        tool(x[:, :99], y[:2, :99], Window(20, 18))  # compile and import before the clock starts
    seconds: dict[str, list[float]] = {name: [] for name in tools}
    agree = dict.fromkeys(tools, True)
    for length in LENGTHS:
        expected: Floats | None = None
        for name, tool in tools.items():
            every = EVERY if name == SLOW else 1
            some = np.ascontiguousarray(y[::every])
            start = time.process_time()
            found = tool(x, some, Window(length, length * 9 // 10))
            seconds[name].append((time.process_time() - start) * len(y) / len(some))
            expected = found if expected is None else expected
            agree[name] &= np.allclose(found, expected[::every], atol=1e-9, equal_nan=True)
    results = symbols * sessions * len(LENGTHS) * DRIVERS
    rows = [
        [
            name,
            f"{sum(taken):.2f}",
            f"{sum(taken) / results * 1e9:.1f}",
            f"{sum(taken) / sum(seconds[OWN]):.2f}",
            f"{_least(taken, seconds[OWN]):.2f} … {_most(taken, seconds[OWN]):.2f}",
            "same" if agree[name] else "others",
        ]
        for name, taken in seconds.items()
    ]
    header = ["tool", "CPU s of all", "ns a result", "times the first", "by window", "values"]
    return (
        f"{measured_on()} {symbols:,} symbols x {sessions:,} sessions x windows of "
        f"{', '.join(map(str, LENGTHS))} x {DRIVERS} drivers, {MISSING:.0%} of returns missing: "
        f"{results / 1e6:,.0f} million results.\n\n{table(header, rows)}"
    )


def _least(taken: list[float], own: list[float]) -> float:
    return min(a / b for a, b in zip(taken, own, strict=True))


def _most(taken: list[float], own: list[float]) -> float:
    return max(a / b for a, b in zip(taken, own, strict=True))


def use_compiled_loops() -> None:
    """Compute as many correlations as make the package load its compiled loops."""
    own(*data(700, 2000), Window(20, 18))


def data(symbols: int, sessions: int) -> tuple[Floats, Floats]:
    """Return drivers and symbols (names x sessions), some of the symbols' returns missing."""
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(DRIVERS, sessions)), generator.normal(size=(symbols, sessions))
    y[generator.random(y.shape) < MISSING] = np.nan
    return x, y


def _rest(x: Floats, y: Floats) -> None:
    """Time rank correlations by day, and betas by week."""
    complete = np.nan_to_num(y)
    for length in LENGTHS:
        start = time.process_time()
        rank_correlate(_series(x[:1]), _series(complete), [length])
        taken = time.process_time() - start
        print(f"rank correlations, one driver, window {length:3d}    {taken:8.2f} s of CPU")  # noqa: T201
    weeks = slice(None, None, 5)
    start = time.process_time()
    of_weeks = complete[:, weeks].T
    pairs = Moments.of_pairs(np.repeat(x[:1, weeks].T, len(y), axis=1), of_weeks)
    for stop in range(156, len(of_weeks), 4):
        slopes(pairs.window(stop - 156, stop), 60)
    print(f"weekly betas, every month                      {time.process_time() - start:8.2f} s")  # noqa: T201


def _series(values: Floats) -> Series:
    return Series(0, tuple(f"S{i:05d}" for i in range(len(values))), values)


def _stream(symbols: int, sessions: int) -> None:
    """Make the symbols as they are needed, and count the rows of the results."""
    x, _ = data(1, sessions)
    schema = pa.schema([("session", pa.int64()), ("symbol", pa.string()), ("value", pa.float64())])

    def batches() -> Iterator[pa.RecordBatch]:
        generator = np.random.default_rng(2)
        for i in range(symbols):
            values = pa.array(generator.normal(size=sessions))
            names = pa.array([f"S{i:05d}"]).take(pa.array(np.zeros(sessions, dtype=np.int32)))
            yield pa.record_batch([np.arange(sessions), names, values], schema=schema)

    drivers = pa.table(
        {
            "session": np.tile(np.arange(sessions), DRIVERS),
            "driver": np.repeat([f"x{i}" for i in range(DRIVERS)], sessions),
            "value": x.ravel(),
        }
    )
    before, start = _peak_mb(), time.process_time()
    windows = [Window(length, length * 9 // 10) for length in LENGTHS]
    reader = pa.RecordBatchReader.from_batches(schema, batches())
    rows = sum(batch.num_rows for batch in correlate_stream(drivers, reader, windows))
    print(  # noqa: T201
        f"{symbols:,} symbols x {sessions:,} sessions as a stream: {rows / 1e6:,.0f} M rows, "
        f"{time.process_time() - start:.1f} s of CPU, peak {_peak_mb():,.0f} MB "
        f"({before:,.0f} MB before the first row)"
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def own(x: Floats, y: Floats, window: Window) -> Floats:
    """Return what the package finds, by groups of symbols as in a stream, to reuse memory."""
    per_group = max(1, ROWS_PER_GROUP // x.size)
    groups = (y[start : start + per_group] for start in range(0, len(y), per_group))
    return np.concatenate(
        [
            correlate(_series(x), _series(group), [window]).correlation[0, :, -1].copy()
            for group in groups
        ]
    )


def _numbagg(x: Floats, y: Floats, window: Window) -> Floats:
    import numbagg

    for driver in x:
        found = numbagg.move_corr(driver, y, window=window.length, min_count=window.min_obs)
    return np.asarray(found)


def _pandas(x: Floats, y: Floats, window: Window) -> Floats:
    rolling = pd.DataFrame(y.T).rolling(window.length, min_periods=window.min_obs)
    for driver in x:
        found = rolling.corr(pd.Series(driver))
    return found.to_numpy(dtype=np.float64).T


def _polars(x: Floats, y: Floats, window: Window) -> Floats:
    import polars as pl

    names = [f"y{i}" for i in range(len(y))]
    frame = pl.DataFrame(dict(zip(names, y, strict=True)), nan_to_null=True)
    for driver in x:
        found = frame.with_columns(pl.Series("x", driver)).select(
            pl.rolling_corr("x", name, window_size=window.length, min_samples=window.min_obs).alias(
                name
            )
            for name in names
        )
    return np.asarray(found.to_numpy().T, dtype=np.float64)


def _duckdb(x: Floats, y: Floats, window: Window) -> Floats:
    import duckdb

    drivers = {f"x{i}": np.tile(driver, len(y)) for i, driver in enumerate(x)}
    rows = pa.table(
        {
            "symbol": np.repeat(np.arange(len(y)), y.shape[1]),
            "session": np.tile(np.arange(y.shape[1]), len(y)),
            "y": pa.array(y.ravel(), from_pandas=True),
            **drivers,
        }
    )
    correlations = ", ".join(f"corr(y, {driver}) over w as {driver}" for driver in drivers)
    with duckdb.connect() as connection:
        connection.register("rows_arrow", rows)
        found = connection.execute(
            f"""
            select if(count(y) over w >= {window.min_obs}, {list(drivers)[-1]}, null) as found
            from (
                select symbol, session, y, {correlations}
                from rows_arrow
                window w as (
                    partition by symbol order by session
                    rows between {window.length - 1} preceding and current row
                )
            )
            window w as (
                partition by symbol order by session
                rows between {window.length - 1} preceding and current row
            )
            order by symbol, session"""
        ).to_arrow_table()
    return np.asarray(found["found"].to_numpy(zero_copy_only=False).reshape(y.shape))


if __name__ == "__main__":
    main()
