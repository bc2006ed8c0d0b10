"""The moments at which sources are asked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from liquidity_pipeline.orchestration.dagster_private import next_tick
from liquidity_pipeline.sources.timetable import TIMINGS, Timing


@pytest.mark.parametrize("timing", TIMINGS, ids=lambda timing: timing.name)
def test_the_next_moment_is_the_one_that_the_scheduler_takes(timing: Timing):
    # Every 31 hours of two years: all weekdays, hours, and four changes of the clocks.
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    while moment.year < 2028:
        assert timing.next_after(moment) == next_tick(timing.cron, timing.zone, moment)
        moment += timedelta(hours=31)
    tick = timing.next_after(moment)
    assert timing.next_after(tick) > tick
