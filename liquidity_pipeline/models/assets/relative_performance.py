"""Which assets hold up better while liquidity drains: weekly returns in drain episodes and outside.

A week counts as drained if an episode of `marts.drain_episodes` was open at its end, as known
then; the week that closes one, in which reserves come back, does not. Returns are given alone and
less those of large caps. Sources: method, C4 and C7; `inference`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.assets.events import RELATIVE_PERFORMANCE
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.inference import Bools, Floats, mean_difference
from liquidity_pipeline.statistics.multiple_tests import max_t_within

if TYPE_CHECKING:
    import duckdb


BENCHMARK = "large_cap"
MEASURES = ("return", "return_less_large_cap")
MIN_WEEKS = 60
SEED = 4_004


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.relative_performance`: per quarter's last Wednesday, asset and measure."""
    seen = connection.execute(
        "select week_ending, episode_id, is_open_at_end from marts.drain_episode_weeks order by 1"
    ).fetchall()
    weeks = [week for week, _, _ in seen]
    state = [episode if is_open else None for _, episode, is_open in seen]
    assets = panels.returns(connection, "weekly").on(weeks)
    class_of = panels.asset_classes(connection)
    classes = panels.class_means(assets, class_of)
    is_held = BENCHMARK in classes.names
    large = classes.column(BENCHMARK) if is_held else np.full(len(weeks), np.nan)
    values = np.hstack([assets.values, assets.values - large[:, None]])
    # The benchmark less itself is zero on every day: there is nothing to test.
    values[:, ~np.nan_to_num(values).any(axis=0)] = np.nan
    drained = np.array([episode is not None for episode in state])
    names = [name for _ in MEASURES for name in assets.names]
    labels = [(name, measure) for measure in MEASURES for name in assets.names]
    days = np.array(weeks, dtype="datetime64[D]")
    rows: list[dict[str, object]] = []
    for as_of in panels.as_of_dates(connection, "quarterly"):
        stop = int(np.searchsorted(days, np.datetime64(as_of.date), side="right"))
        if stop < MIN_WEEKS:
            continue
        chosen = np.repeat(drained[:stop, None], values.shape[1], axis=1)
        head = {"as_of": as_of.date, "known_at": as_of.known_at}
        for i, row in _differences(values[:stop], chosen, names, len(class_of)):
            name, measure = labels[i]
            named = {"asset": name, "asset_class": class_of[name], "measure": measure}
            rows.append(
                head | named | row | {"n_episodes": _episodes(state[:stop], values[:stop, i])}
            )
    return panels.table(rows, RELATIVE_PERFORMANCE.arrow_schema)


def _differences(
    values: Floats, chosen: Bools, assets: Sequence[str], n_assets: int
) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the column and its row for each defined difference."""
    difference, means = mean_difference(values, chosen)
    adjusted, counted = max_t_within(difference, assets, n_assets, SEED)
    for i in np.flatnonzero(difference.is_defined).tolist():
        yield (
            i,
            {
                "mean_in_drain_pct": means.mean[i],
                "mean_outside_pct": means.control_mean[i],
                "difference_pct": difference.estimate[i],
                "difference_low_pct": difference.low[i],
                "difference_high_pct": difference.high[i],
                "p_value": difference.p_value[i],
                "p_value_adjusted": adjusted[i],
                "n_tests": int(counted[i]),
                "n_weeks_in_drain": int(means.n_chosen[i]),
                "n_weeks_outside": int(means.controls_in[0, i]),
            },
        )


def _episodes(state: list[str | None], values: Floats) -> int:
    """Return how many episodes have a week with a return."""
    known = ~np.isnan(values)
    return len({e for e, is_known in zip(state, known, strict=True) if e is not None and is_known})


MARTS = {
    "relative_performance": PythonMart(
        build,
        frozenset(
            {
                "marts.sampled_returns",
                "marts.drain_episode_weeks",
                "meta.calendar_days",
                "meta.clock",
                "meta.universe",
            }
        ),
    )
}
