"""Does stress spread from small to mid to large caps, coins and credit? Returns and order of flags.

`contagion`: what each class returns over the sessions after small-cap stress, against other days.
`contagion_sequences`: in each bout of bad days, when each class had its first; for all classes
together and for each two of them, so that a class that is not known takes no other's bouts away.
`contagion_order`: of each two, who is first how often, with an exact probability.
Coins close 3 to 4 hours after the stocks (see `marts.sampled_returns`), so a coin's bad day may
hold news that stocks show a session later: what is same-day for coins favours "coins first".
Sources: method, C6 and C7; `inference`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.assets.events import (
    BOUT_SETS,
    CONTAGION,
    CONTAGION_ORDER,
    CONTAGION_SEQUENCES,
    SPREADING_CLASSES,
)
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.expanding_rank import expanding_ranks
from liquidity_pipeline.statistics.inference import (
    Bools,
    Estimates,
    Floats,
    Matched,
    mean_difference,
)
from liquidity_pipeline.statistics.multiple_tests import bonferroni, max_t_within
from liquidity_pipeline.statistics.panels import Panel

if TYPE_CHECKING:
    import duckdb


HORIZONS = (1, 5)
SOURCE = "small_cap"
WORST, MIN_HISTORY = 0.05, 252
# The press's correction: 10 % below the highest close of 252 sessions.
DRAWDOWN_PCT = -10.0
# A bout of bad days opens after ten quiet sessions and is followed for ten.
QUIET = FOLLOWED = 10
MIN_EVENTS = 20
SEED = 4_003


def build_contagion(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.contagion`: one row per quarter's last Wednesday, trigger, class, horizon."""
    panel = _daily_classes(connection)
    if SOURCE not in panel.names:
        return panels.table([], CONTAGION.arrow_schema)
    small = panel.column(SOURCE)
    triggers = small_cap_stress(small)
    # A day that cannot be judged by a past is neither stress nor its contrary.
    is_judged = ~np.isnan(small) & (np.cumsum(~np.isnan(small)) > MIN_HISTORY)
    labels = [(t, c, h) for t in triggers for h in HORIZONS for c in panel.names]
    ahead = {
        h: np.where(is_judged[:, None], forward_returns(panel.values, h), np.nan) for h in HORIZONS
    }
    n_classes = len(set(panels.asset_classes(connection).values()))
    days = np.array(panel.dates, dtype="datetime64[D]")
    rows: list[dict[str, object]] = []
    for as_of in panels.as_of_dates(connection, "quarterly"):
        stop = int(np.searchsorted(days, np.datetime64(as_of.date), side="right"))
        known = {h: _until(values, stop, h) for h, values in ahead.items()}
        values = np.hstack([known[h] for _ in triggers for h in HORIZONS])
        width = len(HORIZONS) * len(panel.names)
        chosen = np.hstack([np.repeat(t[:stop, None], width, axis=1) for t in triggers.values()])
        head = {"as_of": as_of.date, "known_at": as_of.known_at}
        found = _responses(labels, n_classes, *mean_difference(values, chosen))
        rows += [head | row for row in found]
    return panels.table(rows, CONTAGION.arrow_schema)


def _responses(
    labels: Sequence[tuple[str, str, int]], n_classes: int, difference: Estimates, means: Matched
) -> Iterator[dict[str, object]]:
    classes = [name for _, name, _ in labels]
    adjusted, counted = max_t_within(difference, classes, n_classes, SEED)
    for i in np.flatnonzero(difference.is_defined & (means.n_chosen >= MIN_EVENTS)).tolist():
        trigger, name, horizon = labels[i]
        yield {
            "trigger": trigger,
            "asset_class": name,
            "horizon_sessions": horizon,
            "n_events": int(means.n_chosen[i]),
            "n_other": int(means.controls_in[0, i]),
            "mean_return_pct": means.mean[i],
            "other_mean_pct": means.control_mean[i],
            "difference_pct": difference.estimate[i],
            "difference_low_pct": difference.low[i],
            "difference_high_pct": difference.high[i],
            "p_value": difference.p_value[i],
            "p_value_adjusted": adjusted[i],
            "n_tests": int(counted[i]),
        }


def small_cap_stress(returns: Floats) -> dict[str, Bools]:
    """Return on which sessions small caps are under stress, judged by their past alone.

    worst_5pct_day: the return is among the worst 5 % so far. drawdown_10pct: the index is 10 %
    below its highest close of the last 252 sessions.
    """
    growth = np.cumprod(1 + np.nan_to_num(returns) / 100)
    padded = np.concatenate([np.full(251, -np.inf), growth])
    highest = np.lib.stride_tricks.sliding_window_view(padded, 252).max(axis=1)
    drawdown = (growth / highest - 1) * 100
    return {"worst_5pct_day": bad_days(returns), "drawdown_10pct": drawdown <= DRAWDOWN_PCT}


def bad_days(returns: Floats) -> Bools:
    """Tell which returns lie in the worst 5 % of the values before them, at least 252."""
    known = np.flatnonzero(~np.isnan(returns))
    ranks = expanding_ranks(returns[known].tolist(), MIN_HISTORY)
    bad = np.zeros(len(returns), dtype=bool)
    bad[known] = [rank is not None and rank < WORST for rank in ranks]
    return bad


def forward_returns(returns: Floats, horizon: int) -> Floats:
    """Return in each row the return in % over the next `horizon` rows; NaN where one is unknown."""
    growth = np.ones_like(returns)
    for step in range(1, horizon + 1):
        later = np.full_like(returns, np.nan)
        later[:-step] = returns[step:]
        growth = growth * (1 + later / 100)
    return np.asarray((growth - 1) * 100)


def _until(values: Floats, stop: int, horizon: int) -> Floats:
    """Return the rows up to `stop`, without what lies beyond it."""
    kept = values[:stop].copy()
    kept[max(0, stop - horizon) :] = np.nan
    return kept


# --- who is first --------------------------------------------------------------------------------


def build_sequences(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.contagion_sequences`: the first bad day of each class in each set's bouts."""
    panel = _daily_classes(connection)
    known_by = dict(
        connection.execute("select date, known_by from meta.calendar_days where is_nyse").fetchall()
    )
    rows = [
        {
            "classes": label,
            "bout_start": start,
            "asset_class": name,
            "first_bad_day": day,
            "sessions_after_start": after,
            "known_at": known_by[day],
        }
        for label, names in BOUT_SETS.items()
        for start, name, day, after in sequences(panel, names)
    ]
    return panels.table(rows, CONTAGION_SEQUENCES.arrow_schema)


def sequences(panel: Panel, names: Sequence[str]) -> Iterator[tuple[date, str, date, int]]:
    """Yield (start of the bout, class, its first bad day, sessions since the start).

    A bout covers all the named classes together: it begins once each of them has a return, and
    without data for one of them there is none.
    """
    if not set(names) <= set(panel.names):
        return
    returns = [panel.column(name) for name in names]
    since = max(_first_known(values) for values in returns)
    bad = np.column_stack([bad_days(values) for values in returns])
    bad[:since] = False
    # No bout begins within the sessions followed of another.
    last_bad = -QUIET
    for i in np.flatnonzero(bad.any(axis=1)).tolist():
        if i - last_bad > QUIET:
            start = i
            window = bad[start : start + FOLLOWED]
            for name, column in zip(names, window.T, strict=True):
                if column.any():
                    after = int(column.argmax())
                    yield panel.dates[start], name, panel.dates[start + after], after
        last_bad = i


def _first_known(values: Floats) -> int:
    """Return the position of the first value that is known, or how many there are."""
    known = np.isfinite(values)
    return int(known.argmax()) if known.any() else len(values)


def build_order(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.contagion_order`: per quarter's last Wednesday, how often one class is first.

    Bouts are those of the two classes alone, and the correction is for all pairs that are planned:
    neither depends on what is known of a third. Bouts in which both begin on the same session say
    nothing and are left out of the probability, which is exact (sign test).
    """
    sessions = panels.sessions(connection)
    number = {day: i for i, day in enumerate(sessions)}
    bouts = connection.execute(
        "select classes, bout_start, asset_class, sessions_after_start "
        "from marts.contagion_sequences order by all"
    ).fetchall()
    followed: dict[tuple[str, date], dict[str, int]] = {}
    for label, start, name, after in bouts:
        if len(BOUT_SETS[label]) == 2:
            followed.setdefault((label, start), {})[name] = after
    rows: list[dict[str, object]] = []
    days = np.array(sessions, dtype="datetime64[D]")
    for as_of in panels.as_of_dates(connection, "quarterly"):
        stop = int(np.searchsorted(days, np.datetime64(as_of.date), side="right"))
        complete = [b for (_, start), b in followed.items() if number[start] + FOLLOWED <= stop]
        head = {"as_of": as_of.date, "known_at": as_of.known_at}
        rows += [head | row for row in order_counts(complete)]
    return panels.table(rows, CONTAGION_ORDER.arrow_schema)


def order_counts(bouts: Sequence[dict[str, int]]) -> list[dict[str, object]]:
    """Return per ordered pair of classes how often the first had its bad day before the other.

    `bouts` are of two classes each and map them to sessions after the start; those in which only
    one of the two has a bad day do not count. A class whose bad days come scattered, like the
    coins', still opens more bouts than one whose bad days come in clusters.
    """
    from scipy.special import bdtrc

    rows: list[dict[str, object]] = []
    pairs = list(permutations(SPREADING_CLASSES, 2))
    for first, later in pairs:
        gaps = [bout[later] - bout[first] for bout in bouts if first in bout and later in bout]
        before, after = sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
        if before + after > 0:
            rows.append(
                {
                    "first_class": first,
                    "later_class": later,
                    "n_bouts": len(gaps),
                    "n_before": before,
                    "n_same_day": len(gaps) - before - after,
                    "n_after": after,
                    "p_value": float(bdtrc(before - 1, before + after, 0.5)),
                }
            )
    adjusted = bonferroni(np.array([row["p_value"] for row in rows], dtype=float), len(pairs))
    return [
        row | {"p_value_adjusted": p, "n_tests": len(pairs)}
        for row, p in zip(rows, adjusted.tolist(), strict=True)
    ]


def _daily_classes(connection: duckdb.DuckDBPyConnection) -> Panel:
    daily = panels.returns(connection, "daily").on(panels.sessions(connection))
    return panels.class_means(daily, panels.asset_classes(connection))


_READS = frozenset({"marts.sampled_returns", "meta.calendar_days", "meta.clock", "meta.universe"})
MARTS = {
    "contagion": PythonMart(build_contagion, _READS),
    "contagion_sequences": PythonMart(build_sequences, _READS),
    "contagion_order": PythonMart(
        build_order,
        frozenset({"marts.contagion_sequences", "meta.calendar_days", "meta.clock"}),
    ),
}
