"""Scores: leads, hits, misses and false alarms counted as said, and honest correlations."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from liquidity_pipeline.models.stress.gauges import Gauge
from liquidity_pipeline.models.stress.stress_scores import (
    Episode,
    beside_benchmark,
    correlation,
    score,
    tally,
)

START = date(2019, 1, 1)
DUE = [date(2015, 1, 1) + timedelta(n) for n in range(6000)]
EPISODE = Episode(
    "repo",
    "stress",
    date(2019, 9, 16),
    date(2019, 10, 11),
    datetime.fromisoformat("2019-10-15 00:00"),
)
TURN = Episode(
    "year-end",
    "calendar",
    date(2019, 12, 31),
    date(2020, 1, 2),
    datetime.fromisoformat("2020-01-03 00:00"),
)


def gauge(*alarms: date, first: date = START, days: int = 730) -> Gauge:
    span = [first + timedelta(n) for n in range(days)]
    levels = ["severe" if day in alarms else "normal" for day in span]
    return Gauge("g", "indicator", span, levels, [0.5] * days, DUE)


@pytest.mark.parametrize(
    ("alarm", "outcome", "lead"),
    [
        (date(2019, 9, 4), "led", 12),
        (date(2019, 9, 16), "hit", 0),
        (date(2019, 10, 1), "hit", -15),
        (date(2019, 8, 16), "missed", None),
        (date(2019, 10, 12), "missed", None),
    ],
)
def test_an_alarm_leads_hits_or_misses(alarm: date, outcome: str, lead: int | None) -> None:
    found = score(gauge(alarm), EPISODE)
    assert (found["outcome"], found["lead_days"]) == (outcome, lead)


def test_a_gauge_that_was_not_known_has_missed_nothing() -> None:
    def known(gauge_: Gauge) -> bool:
        return gauge_.is_known_over(EPISODE.start, EPISODE.end)

    assert known(gauge())
    assert not known(gauge(first=date(2019, 9, 20)))
    assert not known(Gauge("g", "indicator", (), (), (), DUE))
    # It stopped a day before the end, or had a break of eleven days inside.
    assert not known(gauge(days=(EPISODE.end - START).days))
    broken = [day for day in gauge().days if not date(2019, 9, 20) < day < date(2019, 10, 1)]
    flat = len(broken)
    assert not known(Gauge("g", "indicator", broken, ["normal"] * flat, [0.5] * flat, DUE))


def test_years_in_which_nothing_was_known_are_no_years_of_silence() -> None:
    first, second = gauge(days=366), gauge(first=date(2023, 1, 1), days=366)
    days = [*first.days, *second.days]
    both = Gauge("g", "indicator", days, ["normal"] * 732, [0.5] * 732, DUE)
    assert both.years_observed(date(2024, 1, 1)) == pytest.approx(2 * 365 / 365.25)
    assert both.is_known_on(date(2023, 6, 30))
    assert not both.is_known_on(date(2021, 6, 30))


def test_a_weekly_gauge_is_known_until_its_next_day_is_due() -> None:
    weeks = [date(2019, 1, 2) + timedelta(7 * n) for n in range(10)]
    weekly = Gauge(
        "g", "indicator", weeks, ["normal"] * 10, [0.5] * 10, [*weeks, date(2019, 3, 13)]
    )
    assert weekly.is_known_on(date(2019, 3, 12))
    assert not weekly.is_known_on(date(2019, 3, 13))


def test_a_turn_of_the_calendar_should_stay_silent() -> None:
    assert score(gauge(), TURN)["outcome"] == "silent"
    assert score(gauge(TURN.start), TURN)["outcome"] == "raised"
    up_before = gauge(TURN.start - timedelta(1), TURN.start)
    assert score(up_before, TURN)["outcome"] == "silent"


def test_alarms_less_than_eleven_days_apart_are_one() -> None:
    first = date(2019, 3, 1)
    assert len(gauge(first, first + timedelta(10)).alarms) == 1
    assert len(gauge(first, first + timedelta(11)).alarms) == 2


def test_an_alarm_is_false_beyond_thirty_days_from_every_episode() -> None:
    near, far = EPISODE.end + timedelta(30), EPISODE.end + timedelta(60)
    found = tally(gauge(near, far), [(EPISODE, "missed")], [EPISODE], date(2020, 12, 30))
    assert (found["n_alarms"], found["n_false_alarms"]) == (2, 1)


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.689), (3, 0.6187, 8.7673)])
def test_the_rate_has_garwoods_interval(count: int, low: float, high: float) -> None:
    # Limits for counts of 0 and 3 from the published table (Garwood 1936; Ulm 1990).
    alarms = [date(2019, 2, 1) + timedelta(40 * n) for n in range(count)]
    found = tally(gauge(*alarms), [], [], START + timedelta(days=3652.5))
    years = found["years_observed"] / 10
    assert found["false_alarms_low"] * years == pytest.approx(low, abs=2e-3)
    assert found["false_alarms_high"] * years == pytest.approx(high, abs=2e-3)


def test_without_memory_the_band_is_that_of_scipy() -> None:
    from scipy.stats import pearsonr

    rng = np.random.default_rng(5)
    x = rng.normal(size=3000)
    y = 0.5 * x + rng.normal(size=3000)
    found, expected = correlation(x, y), pearsonr(x, y)
    band = expected.confidence_interval(0.95)
    assert found["correlation"] == pytest.approx(expected.statistic)
    assert found["low"] == pytest.approx(band.low, abs=2e-3)
    assert found["high"] == pytest.approx(band.high, abs=2e-3)


def test_with_memory_the_band_still_covers() -> None:
    # 300 pairs of independent AR(1) series, coefficient 0.9: a naive band covers 0 in about half.
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(300):
        shocks = rng.normal(size=(400, 2))
        series = np.zeros((400, 2))
        for t in range(1, 400):
            series[t] = 0.9 * series[t - 1] + shocks[t]
        found = correlation(series[:, 0], series[:, 1])
        covered += bool(found["low"] <= 0 <= found["high"])
    assert covered / 300 > 0.91


def test_a_benchmark_that_has_stopped_gives_no_correlation() -> None:
    x = np.sin(np.arange(200.0))
    assert beside_benchmark(x, x)["level_n_obs"] == 200
    stopped = np.append(x[:-1], np.nan)
    assert set(beside_benchmark(x, stopped).values()) == {None}
    assert set(beside_benchmark(x[:0], x[:0]).values()) == {None}


def test_a_series_that_moved_once_has_no_band_and_no_nan() -> None:
    x = np.append(np.zeros(199), 1.0)
    found = correlation(x, np.arange(200.0))
    assert found["correlation"] == pytest.approx(np.corrcoef(x, np.arange(200.0))[0, 1])
    assert (found["low"], found["high"], found["n_eff"]) == (None, None, None)


def test_too_few_weeks_or_no_variance_give_null_and_not_nan() -> None:
    x = np.arange(200.0)
    assert correlation(x[:103], x[:103])["correlation"] is None
    assert correlation(x, np.ones(200))["correlation"] is None
    assert correlation(np.where(x < 150, np.nan, x), x)["n_obs"] == 50
