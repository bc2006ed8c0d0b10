"""Rolling statistics against exact rational arithmetic, and rows that know no other rows."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from liquidity_pipeline.statistics import rolling
from liquidity_pipeline.statistics.rolling import (
    Correlations,
    Series,
    Window,
    correlate,
    correlate_stream,
    rank_correlate,
)
from liquidity_pipeline.statistics.rolling_arrays import Floats, are_ordinary

pytestmark = pytest.mark.slow

N = 90
# The largest window holds N pairs: N roundings of half a unit in the last place of one, which bound
# the error of a correlation, and of a beta in units of the ratio of the standard deviations.
TOLERANCE = N * 2**-53


@pytest.fixture(autouse=True, scope="module", params=[0, 10**12], ids=["compiled", "arrays"])
def loops(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let each test meet both sets of loops."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rolling, "_BEFORE_COMPILED", request.param)
        yield


def panel(*rows: Sequence[float] | np.ndarray, first: int = 0, name: str = "s") -> Series:
    names = tuple(f"{name}{i}" for i in range(len(rows)))
    return Series(first, names, np.array(rows, dtype=np.float64))


# --- exact arithmetic ----------------------------------------------------------------------------


def exact(x: Sequence[float], y: Sequence[float]) -> tuple[int, float | None, float | None, float]:
    """Give n, correlation, beta and the ratio of standard deviations, each rounded once."""
    pairs = [
        (Fraction(a), Fraction(b))
        for a, b in zip(x, y, strict=True)
        if not (math.isnan(a) or math.isnan(b))
    ]
    n = len(pairs)
    if n == 0:
        return 0, None, None, 1.0
    x_mean, y_mean = (sum(part) / n for part in zip(*pairs, strict=True))
    xx = sum((a - x_mean) ** 2 for a, _ in pairs)
    xy = sum((a - x_mean) * (b - y_mean) for a, b in pairs)
    yy = sum((b - y_mean) ** 2 for _, b in pairs)
    with localcontext(prec=60, Emin=-999_999, Emax=999_999):

        def root(value: Fraction) -> Decimal:
            return (Decimal(value.numerator) / Decimal(value.denominator)).sqrt()

        r = None
        if xx and yy:
            r = float(root(xy * xy / (xx * yy)).copy_sign(1 if xy > 0 else -1))
        ratio = float(root(yy / xx)) if xx else 1.0
        beta = xy / xx if xx else None
        slope = None if beta is None else float(Decimal(beta.numerator) / Decimal(beta.denominator))
        return n, r, slope, ratio


def adversaries() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(11)
    noise = rng.normal(size=N)
    gaps = noise.copy()
    gaps[rng.random(N) < 0.08] = np.nan
    single = np.full(N, np.nan)
    single[[3, 40, 41]] = [1.0, -2.0, 5.0]
    return {
        "noise": noise,
        "offset 1e9": 1e9 + noise,
        "offset 1e15": 1e15 + np.round(noise * 8) / 8,
        "1e8 then 1e-4": np.where(np.arange(N) < 37, 1e8 + noise, 1e-4 * noise),
        "constant": np.full(N, 0.1),
        "constant 1e300": np.full(N, 1e300),
        "near-constant": np.where(np.arange(N) % 17, 0.3, np.nextafter(0.3, 1)),
        "steps": np.repeat([0.1, 0.2, 0.1], 30),
        "8 % missing": gaps,
        "huge and small": np.where(np.arange(N) % 2, 1e12, 1e-12) * noise,
        "huge, alternating": 1e307 * np.sign(noise),
        "denormals": 5e-324 * rng.integers(-9, 10, N),
        "small beyond squares": 1e-200 * noise,
        "one denormal among zeros": np.where(np.arange(N) == 44, 5e-324, 0.0),
        "one giant": np.where(np.arange(N) == 44, 1e300, noise),
        "single observations": single,
        "all missing": np.full(N, np.nan),
        "repeated": np.round(noise),
        "whole numbers": rng.integers(-(10**9), 10**9, N).astype(float),
        "trend": 1e6 + np.arange(N, dtype=float),
        "edge of the ordinary": np.where(np.arange(N) % 3, 2.0**-199, 2.0**-199 * (1 + 2.0**-52)),
    }


SERIES = adversaries()
PARTNERS = ("noise", "offset 1e9", "1e8 then 1e-4", "constant", "8 % missing", "denormals")


@pytest.mark.parametrize("x", SERIES)
def test_results_are_those_of_exact_arithmetic(x: str):
    windows = [Window(2, 2), Window(7, 2), Window(20, 18), Window(64, 3), Window(200, 1)]
    partners = (*PARTNERS, x)
    symbols = panel(*(SERIES[y] for y in partners), first=5)
    found = correlate(panel(SERIES[x], first=5), symbols, windows)
    for (w, window), (s, y) in product(enumerate(windows), enumerate(partners)):
        for t in range(0, N, 7):
            part = slice(max(0, t - window.length + 1), t + 1)
            n, r, beta, ratio = exact(SERIES[x][part], SERIES[y][part])
            if n < window.min_obs:
                r = beta = None
            if beta is not None and math.isinf(beta):
                beta = None
            got = [part[w, s, 0, t] for part in (found.n_obs, found.correlation, found.beta)]
            where = f"{x} and {y}, window {window.length}, row {t}: {got}, expected {n, r, beta}"
            assert got[0] == n, where
            assert math.isnan(got[1]) == (r is None), where
            assert math.isnan(got[2]) == (beta is None), where
            assert r is None or abs(got[1] - r) <= TOLERANCE, where
            # A slope or a ratio that is no normal double has fewer digits.
            if beta is not None and 1e-290 < ratio < 1e300:
                assert abs(got[2] - beta) <= TOLERANCE * ratio, where


def test_a_line_has_a_correlation_of_one_and_its_own_slope():
    x = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])
    found = correlate(panel(x), panel(-2 * x + 7), [Window(4, 4)])
    assert found.correlation[0, 0, 0, 3:] == pytest.approx([-1] * 5)
    assert found.beta[0, 0, 0, 3:] == pytest.approx([-2] * 5)
    assert found.n_obs[0, 0, 0].tolist() == [1, 2, 3, 4, 4, 4, 4, 4]


def test_a_symbol_that_does_not_move_has_a_slope_of_zero_and_no_correlation():
    found = correlate(panel([1.0, 2, 3]), panel([0.1, 0.1, 0.1]), [Window(3, 3)])
    assert found.beta[0, 0, 0, 2] == 0
    assert np.isnan(found.correlation[0, 0, 0, 2])


# --- rows know no other rows ---------------------------------------------------------------------

values = st.one_of(
    st.just(np.nan),
    st.sampled_from([0.0, 1.0, -1.0, 0.1, 1e8, 1e8 + 1, 1e-4, 1e300, 5e-324, 1e-200]),
    st.floats(-1e6, 1e6),
)
ordinary_values = st.one_of(
    st.just(math.nan), st.sampled_from([0.0, 1.0, -1.0, 0.1, 1e8, 1e8 + 1]), st.floats(-9.0, 9.0)
).filter(lambda value: math.isnan(value) or are_ordinary(np.array([value])))
lengths = st.integers(2, 12)


def bits(*parts: np.ndarray) -> list[bytes]:
    return [np.ascontiguousarray(part).tobytes() for part in parts]


def results(found: Correlations) -> tuple[Floats, Floats, Floats]:
    return found.correlation, found.beta, found.n_obs


@st.composite
def history(draw: st.DrawFn) -> tuple[Series, Series]:
    n = draw(st.integers(1, 50))
    first = draw(st.integers(-30, 30))
    rows = st.lists(draw(st.sampled_from([values, ordinary_values])), min_size=n, max_size=n)
    x, y = (draw(st.lists(rows, min_size=1, max_size=2)) for _ in range(2))
    return panel(*x, first=first, name="x"), panel(*y, first=first, name="y")


def cut(part: Series, start: int, stop: int) -> Series:
    return Series(part.first_session + start, part.names, part.values[:, start:stop])


@settings(max_examples=150, deadline=None)
@given(history(), lengths, st.integers(0, 50), st.integers(0, 50))
def test_a_row_has_the_same_bits_under_any_cut_of_history(
    given_series: tuple[Series, Series], length: int, start: int, kept: int
):
    x, y = given_series
    start = min(start, x.n_sessions - 1)
    stop = min(start + 1 + kept, x.n_sessions)
    windows = [Window(length, 2), Window(5, 1)]
    whole = correlate(x, y, windows)
    part = correlate(cut(x, start, stop), cut(y, start, stop), windows)
    for w, window in enumerate(windows):
        # Rows whose whole window was kept; with the beginning, all.
        same = slice(start + window.length - 1 if start else 0, stop)
        of_part = slice(same.start - start, None)
        assert bits(*(a[w, ..., same] for a in results(whole))) == bits(
            *(a[w, ..., of_part] for a in results(part))
        )
    ranks = rank_correlate(x, y, [length])[..., start + length - 1 : stop]
    of_part = rank_correlate(cut(x, start, stop), cut(y, start, stop), [length])
    assert bits(ranks) == bits(of_part[..., length - 1 :])


@settings(max_examples=60, deadline=None)
@given(history(), st.lists(lengths, min_size=2, max_size=3))
def test_together_or_one_at_a_time_the_bits_are_the_same(
    given_series: tuple[Series, Series], of_windows: list[int]
):
    x, y = given_series
    windows = [Window(length, 2) for length in of_windows]
    together, ranks = correlate(x, y, windows), rank_correlate(x, y, of_windows)
    indexes = product(range(len(windows)), range(len(y.names)), range(len(x.names)))
    for w, s, d in indexes:
        driver, symbol = (
            Series(part.first_session, part.names[i : i + 1], part.values[i : i + 1])
            for part, i in ((x, d), (y, s))
        )
        alone = correlate(driver, symbol, windows[w : w + 1])
        assert bits(*(a[w, s, d] for a in results(together))) == bits(*results(alone))
        rank = rank_correlate(driver, symbol, of_windows[w : w + 1])
        assert bits(ranks[w, s, d]) == bits(rank)


@settings(max_examples=150, deadline=None)
@given(history(), lengths, st.integers(1, 12))
def test_compiled_loops_and_those_of_numpy_give_the_same_bits(
    given_series: tuple[Series, Series], length: int, min_obs: int
):
    windows, found = [Window(length, min(min_obs, length))], []
    for results_before in (0, 10**12):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rolling, "_BEFORE_COMPILED", results_before)
            ranks = rank_correlate(*given_series, [length])
            found.append(bits(*results(correlate(*given_series, windows)), ranks))
    assert found[0] == found[1]


_LOADS = """
import sys
import numpy as np
from liquidity_pipeline.statistics import rolling

panel = rolling.Series(0, ("one", "other"), np.random.default_rng(1).normal(size=(2, 300)))
rolling.correlate(panel, panel, [rolling.Window(20, 18)])
rolling.rank_correlate(panel, panel, [20])
print("numba" in sys.modules)
rolling._BEFORE_COMPILED = 9_000
rolling.rank_correlate(panel, panel, [20])
print("numba" in sys.modules)
"""


def test_the_compiler_is_loaded_once_there_is_much_to_compute():
    done = subprocess.run(
        [sys.executable, "-c", _LOADS], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]


@settings(max_examples=60, deadline=None)
@given(history(), lengths)
def test_results_are_finite_or_missing_and_correlations_lie_within_one(
    given_series: tuple[Series, Series], length: int
):
    found = correlate(*given_series, [Window(length, 1)])
    ranks = rank_correlate(*given_series, [length])
    for part in (found.correlation, ranks):
        assert (np.isnan(part) | (np.abs(part) <= 1)).all()
    assert not np.isinf(found.beta).any()


# --- ranks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [2, 5, 30])
def test_rank_correlations_are_those_of_sorted_ranks_with_ties_and_gaps(length: int):
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 5, (2, N)).astype(float), rng.integers(-3, 4, (70, N)).astype(float)
    x[0, ::4], y[1, 50], y[2] = 0, np.nan, 1.0
    found = rank_correlate(panel(*x), panel(*y), [length])
    assert np.isnan(found[..., : length - 1]).all()
    for s, d, t in product((0, 1, 2, 63, 64, 69), range(2), range(length - 1, N, 5)):
        part = slice(t - length + 1, t + 1)
        pair = x[d, part], y[s, part]
        if any(len(set(values)) == 1 for values in pair) or np.isnan(pair[1]).any():
            assert np.isnan(found[0, s, d, t])
        else:
            assert found[0, s, d, t] == pytest.approx(stats.spearmanr(*pair)[0], abs=1e-14)


# --- long tables ---------------------------------------------------------------------------------


def long_rows(part: Series, name: str) -> pa.Table:
    """Give the known values, and the others as NULL, one series after the other."""
    values = part.values.ravel()
    columns = {
        "session": np.tile(np.arange(part.n_sessions) + part.first_session, len(part.names)),
        name: np.repeat(np.array(part.names, dtype=object), part.n_sessions),
        "value": pa.array(values, from_pandas=True),
    }
    return pa.table(columns)


def stream(rows: pa.Table, batch_rows: int) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches(batch_rows))


def sorted_rows(rows: pa.Table) -> list[tuple[object, ...]]:
    columns = [rows.column(name).to_pylist() for name in rows.schema.names]
    return sorted(zip(*columns, strict=True), key=lambda row: row[:4])


@pytest.fixture
def long_input() -> tuple[Series, Series]:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 40)), rng.normal(size=(7, 40))
    x[1, 3], y[2, 10:14], y[4] = np.nan, np.nan, 1.0
    return panel(*x, first=100, name="x"), panel(*y, first=100, name="y")


WINDOWS = [Window(5, 3), Window(20, 18)]


@pytest.mark.parametrize(
    ("rows_per_group", "batch_rows"), [(1, 1), (1, 17), (400, 50), (9999, 999)]
)
def test_a_stream_gives_the_same_rows_however_it_is_grouped(
    long_input: tuple[Series, Series],
    rows_per_group: int,
    batch_rows: int,
    monkeypatch: pytest.MonkeyPatch,
):
    x, y = long_input
    monkeypatch.setattr(rolling, "ROWS_PER_GROUP", rows_per_group)
    reader = correlate_stream(
        long_rows(x, "driver"), stream(long_rows(y, "symbol"), batch_rows), WINDOWS
    )
    rows = reader.read_all()
    assert rows.schema == rolling.LONG_SCHEMA
    rows.validate(full=True)
    expected = rolling.long_table(x, y, WINDOWS, correlate(x, y, WINDOWS))
    assert sorted_rows(rows) == sorted_rows(expected)


def test_a_long_table_has_a_row_where_both_values_are_known_and_null_for_nan(
    long_input: tuple[Series, Series],
):
    x, y = long_input
    found = correlate(x, y, WINDOWS)
    rows = rolling.long_table(x, y, WINDOWS, found)
    known = 0
    for driver, symbol in product(x.values, y.values):
        known += int((~np.isnan(driver) & ~np.isnan(symbol)).sum())
    assert rows.num_rows == known * len(WINDOWS)
    row = next(
        row
        for row in rows.to_pylist()
        if (row["session"], row["symbol"], row["driver"], row["window"]) == (139, "y3", "x0", 20)
    )
    part = x.values[0, 20:], y.values[3, 20:]
    assert row["correlation"] == pytest.approx(np.corrcoef(*part)[0, 1], abs=1e-14)
    assert row["n_obs"] == 20
    of_constant = [row for row in rows.to_pylist() if row["symbol"] == "y4"]
    assert {row["correlation"] for row in of_constant} == {None}
    for column in ("correlation", "beta"):
        assert not np.isnan(rows.column(column).drop_null().to_numpy()).any()


def test_a_series_is_aligned_by_session_number_whatever_the_order_of_its_rows():
    rows = pa.table({"session": [7, 5], "symbol": ["a", "a"], "value": [2.0, 1.0]})
    found = rolling.series(rows, "symbol")
    assert (found.first_session, found.names) == (5, ("a",))
    np.testing.assert_array_equal(found.values, [[1.0, np.nan, 2.0]])


def test_nothing_in_gives_nothing_out():
    empty = pa.table(
        {"session": pa.array([], "int64"), "driver": pa.array([], "string"), "value": []}
    )
    rows = correlate_stream(
        empty, stream(empty.rename_columns(["session", "symbol", "value"]), 1), WINDOWS
    )
    assert rows.read_all().num_rows == 0


def refused() -> Iterator[tuple[str, pa.Table, str]]:
    def rows(
        sessions: list[int | None], symbols: list[str | None], values: list[float]
    ) -> pa.Table:
        columns = {"session": pa.array(sessions, "int64"), "symbol": symbols, "value": values}
        return pa.table(columns)

    yield "twice", rows([1, 1], ["a", "a"], [1.0, 2.0]), "a has two rows in session 1"
    yield "infinite", rows([1, 2], ["a", "a"], [1.0, -math.inf]), "a is infinite in session 2"
    yield "unsorted", rows([1, 1, 2], ["a", "b", "a"], [1.0, 2, 3]), "rows of a are apart"
    yield "no session", rows([1, None], ["a", "a"], [1.0, 2]), "column session has NULLs"
    yield "no name", rows([1, 2], ["a", None], [1.0, 2]), "column symbol has NULLs"


@pytest.mark.parametrize(
    ("rows", "message"), [case[1:] for case in refused()], ids=[c[0] for c in refused()]
)
def test_rows_that_cannot_be_meant_are_refused_by_name(
    rows: pa.Table, message: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rolling, "ROWS_PER_GROUP", 1)
    drivers = pa.table({"session": [1, 2, 3], "driver": ["x"] * 3, "value": [1.0, 2.0, 4.0]})
    with pytest.raises(ValueError, match=message):
        correlate_stream(drivers, stream(rows, 1), WINDOWS).read_all()


@pytest.mark.parametrize("window", [Window(1, 1), Window(5, 0), Window(5, 6)])
def test_windows_that_cannot_be_filled_are_refused(window: Window):
    with pytest.raises(ValueError, match=f"length={window.length}"):
        correlate(panel([1.0, 2]), panel([1.0, 2]), [window])


@pytest.mark.parametrize("length", [1, rolling.LONGEST_RANKED_WINDOW + 1])
def test_ranks_are_refused_where_their_products_would_not_fit(length: int):
    with pytest.raises(ValueError, match=f"{length} sessions"):
        rank_correlate(panel([1.0, 2]), panel([1.0, 2]), [length])


def test_the_longest_ranked_window_does_not_overflow():
    up = np.arange(rolling.LONGEST_RANKED_WINDOW, dtype=float)
    assert rank_correlate(panel(up), panel(-up), [len(up)])[0, 0, 0, -1] == -1


def test_drivers_and_symbols_of_other_sessions_are_refused():
    with pytest.raises(ValueError, match=r"\(0, 1\), symbols \(1, 2\)"):
        correlate(panel([1.0, 2]), panel([1.0, 2], first=1), WINDOWS)
