"""The index: CISS's algebra, like ranked with like, frozen, and no alarm without a flag."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liquidity_pipeline.models.stress.stress_index import (
    DECAY,
    MIN_HISTORY,
    composite,
    index_level,
    moving_correlations,
    ranked_composites,
)


def panel(days: int, known_from: tuple[int, ...], seed: int = 1) -> np.ndarray:
    """Return ranks of six segments, NaN before each segment's first day."""
    ranks = np.random.default_rng(seed).random((days, 6))
    for segment, first in enumerate(known_from):
        ranks[:first, segment] = np.nan
    return ranks


def test_perfect_correlation_gives_the_square_of_the_mean_rank() -> None:
    ranks = np.array([[0.9, 0.6, 0.3]])
    assert composite(ranks, np.ones((1, 3, 3))) == pytest.approx(0.6**2)


def test_independence_gives_the_sum_of_squares_over_n_squared() -> None:
    ranks = np.array([[0.9, 0.6, 0.3]])
    assert composite(ranks, np.eye(3)[None]) == pytest.approx((0.81 + 0.36 + 0.09) / 9)


@pytest.mark.parametrize("segments", [3, 6])
def test_independent_segments_have_a_mean_that_depends_on_their_number(segments: int) -> None:
    # Why composites of different segments must not be ranked together: E = 1 / (3 N).
    ranks = np.random.default_rng(2).random((50_000, segments))
    independent = np.broadcast_to(np.eye(segments), (50_000, segments, segments))
    assert composite(ranks, independent).mean() == pytest.approx(1 / (3 * segments), rel=0.01)


def test_five_sessions_forget_as_much_as_a_week_of_the_paper() -> None:
    assert abs(DECAY**5 - 0.93) < 1e-12


def test_stress_at_the_same_time_counts_for_more_than_after_each_other() -> None:
    together, apart = np.full((800, 3), 0.5), np.full((800, 3), 0.5)
    together[600:660] = 0.99
    for segment in range(3):
        apart[600 + 60 * segment : 660 + 60 * segment, segment] = 0.99
    peaks = [composite(ranks, moving_correlations(ranks)).max() for ranks in (together, apart)]
    assert peaks[0] > 1.5 * peaks[1]


def test_a_day_is_ranked_among_earlier_composites_of_the_same_segments() -> None:
    ranks = panel(1100, (0, 0, 0, 0, 600, 1200))
    found = ranked_composites(ranks)
    correlations = moving_correlations(ranks)
    for day, segments in ((700, [0, 1, 2, 3]), (1000, [0, 1, 2, 3, 4])):
        known = [t for t in range(day + 1) if not np.isnan(ranks[t, segments]).any()]
        by_hand = [
            ranks[t, segments] @ correlations[t][np.ix_(segments, segments)] @ ranks[t, segments]
            for t in known
        ]
        chosen, value, rank, n_history = found[day]
        assert list(chosen) == segments
        assert value == pytest.approx(by_hand[-1] / len(segments) ** 2)
        assert rank == np.mean(np.array(by_hand[:-1]) < by_hand[-1])
        assert n_history == len(known) - 1


def test_a_segment_joins_after_a_year() -> None:
    found = ranked_composites(panel(1000, (0, 0, 0, 500, 1200, 1200)))
    assert len(found[500 + MIN_HISTORY - 1][0]) == 3
    assert len(found[500 + MIN_HISTORY][0]) == 4


def test_fewer_than_three_segments_give_no_index() -> None:
    assert ranked_composites(panel(800, (0, 0, 900, 900, 900, 900))) == {}


def test_the_index_does_not_change_when_history_grows() -> None:
    ranks = panel(1000, (0, 0, 0, 100, 400, 600), seed=3)
    full = ranked_composites(ranks)
    for length in (600, 655, 900):
        then = ranked_composites(ranks[:length])
        assert then == {day: entry for day, entry in full.items() if day < length}


@pytest.mark.parametrize(
    ("rank", "flagged", "level"),
    [
        (0.79, 3, "normal"),
        (0.80, 0, "watch"),
        (0.99, 0, "watch"),
        (0.99, 1, "stress"),
        (0.90, 2, "stress"),
        (0.975, 2, "severe"),
    ],
)
def test_above_watch_the_index_needs_raised_flags(rank: float, flagged: int, level: str) -> None:
    assert index_level(rank, flagged) == level


_ranks = st.one_of(st.floats(0, 1), st.just(float("nan")))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(*[_ranks] * 4), min_size=1, max_size=60))
def test_whatever_was_unknown_the_composite_is_at_most_the_squared_mean(
    days: list[tuple[float, ...]],
) -> None:
    # Correlations are at most 1, also after one of two segments was unknown for a while.
    ranks = np.array(days)
    known = ~np.isnan(ranks)
    correlations = moving_correlations(ranks)
    for row, seen, matrix in zip(ranks, known, correlations, strict=True):
        if seen.any():
            value = composite(row[None, seen], matrix[np.ix_(seen, seen)][None])[0]
            assert 0 <= value <= row[seen].mean() ** 2 + 1e-9


def test_an_unknown_segment_keeps_its_variance_while_its_covariances_fade() -> None:
    # Known together, then the second unknown while the first rests at one half.
    first, second = moving_correlations(np.array([[0.9, 0.8], [0.5, np.nan]]))[:, 0, 1]
    start, learnt = DECAY / 12, 1 - DECAY
    expected = 0.12 * learnt / np.sqrt((start + 0.16 * learnt) * (start + 0.09 * learnt))
    assert first == pytest.approx(expected)
    # The covariance fades by the root of the decay, the first variance by the decay, the second
    # rests: their correlation is unchanged.
    assert second == pytest.approx(first)
