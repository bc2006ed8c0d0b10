"""Rolling correlation, beta and n of many series with several drivers, over several windows.

A window covers a number of consecutive sessions and ends in each of them. A session on which either
value is missing is skipped; a result is missing where a window has too few pairs or one of its
series does not vary. Missing is NaN in NumPy and NULL in Arrow.

Each series is cut into blocks of the window's length that begin at multiples of it, counted in
session numbers. A window is then the end of one block and the beginning of the next, whose moments
are scanned once and merged; nothing is ever subtracted again. Hence a result has nearly full
precision whatever the offset or the scale, is missing exactly where a series is constant, and has
the same bits however much history lies before or after its window.

There are two sets of loops, which give the same bits. The compiled ones (`rolling_kernels`) are
several times faster than those of NumPy (`rolling_arrays`); but to load what was compiled takes
half a second and 100 MB, so a process that has little to compute never does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.statistics import rolling_arrays
from liquidity_pipeline.statistics.rolling_arrays import Floats, Integers

# A group of symbols is as large as its results may be, about 50 bytes each while they are made.
ROWS_PER_GROUP = 1_000_000
# So many correlations of a process are computed in NumPy: that takes what compiled loops take to
# load. A rank correlation takes as long there as so many of Pearson's.
_BEFORE_COMPILED = 8_000_000
_RANK_WEIGHT = 6
# Products of ranks are summed in 32 bits: the sum of a window's squares is below its cube.
LONGEST_RANKED_WINDOW = 1_024

LONG_SCHEMA = pa.schema(
    [
        pa.field("session", pa.int64(), nullable=False),
        pa.field("symbol", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("driver", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("window", pa.int32(), nullable=False),
        pa.field("correlation", pa.float64()),
        pa.field("beta", pa.float64()),
        pa.field("n_obs", pa.int32(), nullable=False),
    ]
)


class Window(NamedTuple):
    """A window of `length` sessions, in which at least `min_obs` must have a pair."""

    length: int
    min_obs: int


@dataclass(frozen=True)
class Series:
    """Values (names x consecutive sessions), NaN where missing; the first column's session number.

    Raises ValueError if the shape does not fit the names, or if a value is infinite.
    """

    first_session: int
    names: tuple[str, ...]
    values: Floats

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or len(self.values) != len(self.names):
            raise ValueError(
                f"{len(self.names)} names for values of shape {self.values.shape}: "
                "expected one row of values for each name"
            )
        infinite = np.argwhere(np.isinf(self.values))
        if len(infinite):
            row, column = infinite[0].tolist()
            raise ValueError(
                f"{self.names[row]} is infinite in session {self.first_session + column}: "
                "expected finite values, or NaN where there is none"
            )

    @property
    def n_sessions(self) -> int:
        """The number of sessions, known or not."""
        return int(self.values.shape[1])


@dataclass(frozen=True)
class Correlations:
    """Results (windows x symbols x drivers x sessions); NaN where they are not defined.

    `beta` is the slope of the symbol on the driver, and is defined where the driver varies.
    """

    correlation: Floats
    beta: Floats
    n_obs: Integers


@dataclass
class _Loops:
    """Which loops this process uses, by how many correlations it has computed so far."""

    computed: int = 0

    def for_more(self, correlations: int, *, is_ordinary: bool = True) -> ModuleType:
        """Return the loops for so many more, of values that are of ordinary size or not."""
        self.computed += correlations
        if is_ordinary and self.computed <= _BEFORE_COMPILED:
            return rolling_arrays
        from liquidity_pipeline.statistics import rolling_kernels

        return rolling_kernels


_loops = _Loops()


def correlate(drivers: Series, symbols: Series, windows: Sequence[Window]) -> Correlations:
    """Return the results of every window, symbol and driver in every session.

    Raises ValueError if the sessions of drivers and symbols differ, or for a window of fewer than
    two sessions or one that wants more pairs than it has sessions.
    """
    _same_sessions(drivers, symbols)
    for window in windows:
        if window.length < 2 or not 1 <= window.min_obs <= window.length:
            raise ValueError(
                f"{window}: expected at least two sessions, and from one pair to one in each"
            )
    shape = (len(windows), len(symbols.names), len(drivers.names), symbols.n_sessions)
    found = Correlations(np.empty(shape), np.empty(shape), np.empty(shape, dtype=np.int32))
    if not found.n_obs.size:
        return found
    x, y = _contiguous(drivers), _contiguous(symbols)
    is_ordinary = rolling_arrays.are_ordinary(x) and rolling_arrays.are_ordinary(y)
    loops = _loops.for_more(found.n_obs.size, is_ordinary=is_ordinary)
    for i, window in enumerate(windows):
        out = found.correlation[i], found.beta[i], found.n_obs[i]
        loops.correlate(x, y, symbols.first_session, tuple(window), out)
    return found


def rank_correlate(drivers: Series, symbols: Series, lengths: Sequence[int]) -> Floats:
    """Return Spearman's correlations (windows x symbols x drivers x sessions), ties averaged.

    NaN where a window lacks a value of either series, or either does not vary. Raises ValueError
    if the sessions differ or a window has not 2 to `LONGEST_RANKED_WINDOW` sessions.
    """
    _same_sessions(drivers, symbols)
    for length in lengths:
        if not 2 <= length <= LONGEST_RANKED_WINDOW:
            raise ValueError(
                f"a window of {length} sessions: expected 2 to {LONGEST_RANKED_WINDOW}"
            )
    found = np.empty((len(lengths), len(symbols.names), len(drivers.names), symbols.n_sessions))
    if not found.size:
        return found
    x, y = _contiguous(drivers), _contiguous(symbols)
    loops = _loops.for_more(found.size * _RANK_WEIGHT)
    # The ranks of so many series and windows fit into a core's cache.
    group = 64
    for i, length in enumerate(lengths):
        for start in range(0, len(y), group):
            part = slice(start, start + group)
            loops.rank_correlate(x, y[part], length, found[i, part])
    return found


# --- long tables ---------------------------------------------------------------------------------


def correlate_stream(
    drivers: pa.Table, symbols: pa.RecordBatchReader, windows: Sequence[Window]
) -> pa.RecordBatchReader:
    """Return the results as a stream of `LONG_SCHEMA`, a group of symbols at a time.

    `drivers` has the columns session (integer), driver and value; `symbols` has session, symbol and
    value, sorted by symbol. There is a row for each window and each session on which both values
    are known. Memory is that of one batch of input and one group of results.

    Raises ValueError for a session that occurs twice, a name or session that is NULL, an infinite
    value, or symbols that are not sorted.
    """
    x = series(drivers, "driver")
    results_per_symbol = max(1, x.values.size * len(windows))
    per_group = max(1, ROWS_PER_GROUP // results_per_symbol)

    def batches() -> Iterator[pa.RecordBatch]:
        for rows in _by_symbol(symbols, per_group):
            y = series(rows, "symbol", x.first_session, x.n_sessions)
            yield from long_table(x, y, windows, correlate(x, y, windows)).to_batches()

    return pa.RecordBatchReader.from_batches(LONG_SCHEMA, batches())


def series(
    rows: pa.Table, name: str, first_session: int | None = None, n_sessions: int | None = None
) -> Series:
    """Return the series of a long table with the columns session, `name` and value.

    They reach over the sessions that are given, or over those that occur. Raises ValueError as
    `correlate_stream` does.
    """
    for column in ("session", name):
        if rows.column(column).null_count:
            raise ValueError(f"column {column} has NULLs: expected a value in each row")
    sessions = rows.column("session").to_numpy().astype(np.int64)
    encoded = pc.dictionary_encode(rows.column(name).cast(pa.string())).combine_chunks()
    codes = encoded.indices.to_numpy()
    names = tuple(encoded.dictionary.to_pylist())
    first = _first(sessions) if first_session is None else first_session
    count = _count(sessions, first) if n_sessions is None else n_sessions
    used = (sessions >= first) & (sessions < first + count)
    cells = codes[used].astype(np.int64) * count + (sessions[used] - first)
    if len(np.unique(cells)) < len(cells):
        cell = int(np.flatnonzero(np.bincount(cells) > 1)[0])
        raise ValueError(
            f"{names[cell // count]} has two rows in session {first + cell % count}: expected one"
        )
    values = np.full((len(names), count), np.nan)
    given = rows.column("value").cast(pa.float64()).to_numpy()
    values.reshape(-1)[cells] = given[used]
    return Series(first, names, values)


def long_table(
    drivers: Series, symbols: Series, windows: Sequence[Window], found: Correlations
) -> pa.Table:
    """Return results as rows of `LONG_SCHEMA`, where both values of the session are known."""
    known = ~np.isnan(symbols.values)[:, None] & ~np.isnan(drivers.values)[None]
    at = np.nonzero(np.broadcast_to(known, found.n_obs.shape))
    window, symbol, driver, session = at
    lengths = np.array([w.length for w in windows], dtype=np.int32)
    columns = [
        session + drivers.first_session,
        _encoded(symbol, symbols.names),
        _encoded(driver, drivers.names),
        lengths[window],
        pa.array(found.correlation[at], from_pandas=True),
        pa.array(found.beta[at], from_pandas=True),
        found.n_obs[at],
    ]
    return pa.table(columns, schema=LONG_SCHEMA)


def _by_symbol(symbols: pa.RecordBatchReader, per_group: int) -> Iterator[pa.Table]:
    """Yield the rows of so many symbols at a time."""
    seen: set[str] = set()
    waiting = symbols.schema.empty_table()
    for batch in symbols:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
        names = waiting.column("symbol").cast(pa.string()).to_numpy()
        starts = np.flatnonzero(names[1:] != names[:-1]) + 1
        # The last symbol may go on in the next batch.
        complete = starts[per_group - 1 :: per_group].tolist()
        for start, stop in zip([0, *complete], complete, strict=False):
            _note_names(names[start:stop], seen)
            yield waiting.slice(start, stop - start)
        waiting = waiting.slice(complete[-1] if complete else 0)
    if waiting.num_rows:
        _note_names(waiting.column("symbol").cast(pa.string()).to_numpy(), seen)
        yield waiting


def _note_names(names: np.ndarray[Any, Any], seen: set[str]) -> None:
    """Add the names of a group to those of the groups before; raise ValueError if one is there."""
    found = set(names)
    if again := sorted(found & seen, key=str):
        raise ValueError(f"rows of {again[0]} are apart: expected rows sorted by symbol")
    seen |= found


def _encoded(codes: Integers, names: tuple[str, ...]) -> pa.DictionaryArray:
    values = pa.array(names, pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), values)


def _first(sessions: Integers) -> int:
    return int(sessions.min()) if len(sessions) else 0


def _count(sessions: Integers, first: int) -> int:
    return int(sessions.max()) - first + 1 if len(sessions) else 0


def _same_sessions(drivers: Series, symbols: Series) -> None:
    of_drivers, of_symbols = (
        (part.first_session, part.first_session + part.n_sessions - 1)
        for part in (drivers, symbols)
    )
    if of_drivers != of_symbols:
        raise ValueError(
            f"drivers cover sessions {of_drivers}, symbols {of_symbols}: expected the same"
        )


def _contiguous(part: Series) -> Floats:
    return np.ascontiguousarray(part.values, dtype=np.float64)
