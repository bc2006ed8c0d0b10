"""settlement_sensitivity: least squares with robust intervals, and windows that are over."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline.models.funding.settlement_sensitivity import MIN_DAYS, least_squares
from liquidity_pipeline_tests.models.hand_made import build
from liquidity_pipeline_tests.models.world import Row

FIRST, LAST = date(2025, 1, 2), date(2025, 4, 30)
DAYS = calendars.days("sifma", FIRST, LAST)


def test_slopes_and_errors_are_those_of_a_reference_library() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(20260202)
    x = rng.normal(size=(80, 2))
    y = 3 * x[:, 0] - x[:, 1] + rng.normal(size=80) * (1 + np.abs(x[:, 0]))
    fit = least_squares(y, x)
    oracle = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HC1", use_t=True)
    assert fit is not None
    assert fit.slopes == pytest.approx(oracle.params[1:])
    low, high = oracle.conf_int()[1:].T
    assert fit.slopes - fit.reach == pytest.approx(low)
    assert fit.slopes + fit.reach == pytest.approx(high)


def test_too_few_days_or_a_regressor_that_never_varies_give_no_slope() -> None:
    x = np.arange(MIN_DAYS * 2, dtype=float).reshape(-1, 2) ** 2
    y = np.arange(MIN_DAYS, dtype=float)
    assert least_squares(y[:-1], x[:-1]) is None
    assert least_squares(y, np.column_stack([x[:, 0], np.zeros(MIN_DAYS)])) is None


def tables(slope: float, missing_award: frozenset[date] = frozenset()) -> dict[str, list[Row]]:
    """TGCR rises by `slope` bp per USD 100 bn of coupons; the offering rate steps once."""
    rng = np.random.default_rng(1)
    coupons, bills = rng.normal(scale=20_000, size=(2, len(DAYS)))
    award = [4.25 if day < date(2025, 2, 10) else 4.00 for day in DAYS]
    spread = np.cumsum(slope * coupons / 100_000) / 100
    known = [datetime.combine(day, time(20)) for day in DAYS]
    return {
        "reference_rates": [
            {"effective_date": day, "rate": "TGCR", "rate_pct": rate + over, "known_at": at}
            for day, rate, over, at in zip(DAYS, award, spread, known, strict=True)
        ],
        "market_series": [
            {
                "observation_date": day,
                "series": "RRPONTSYAWARD",
                "value": rate,
                "unit": "percent",
                "known_at": at,
            }
            for day, rate, at in zip(DAYS, award, known, strict=True)
            if day not in missing_award
        ],
        "settlement_calendar": [
            {
                "settlement_date": day,
                "security_class": kind,
                "net_public_usd_mn": float(net),
                "is_settled": True,
            }
            for i, day in enumerate(DAYS)
            for kind, net in (("note", coupons[i]), ("bill", bills[i]))
        ],
    }


def quarters(rows: list[Row]) -> dict[tuple[str, str], float]:
    return {
        (row["window_name"], row["regressor"]): row["coefficient_bp_per_100bn"]
        for row in rows
        if row["window_kind"] == "quarter"
    }


def test_a_planted_slope_is_found_and_a_step_of_policy_is_none() -> None:
    found = quarters(build("settlement_sensitivity", "2025-05-30 00:00", **tables(12.0)))
    assert found == pytest.approx({("2025Q1", "coupons"): 12.0, ("2025Q1", "bills"): 0.0}, abs=1e-6)


def test_the_offering_rate_stands_on_days_without_an_operation() -> None:
    quiet = frozenset(DAYS[10:20])
    found = quarters(build("settlement_sensitivity", "2025-05-30 00:00", **tables(12.0, quiet)))
    assert found["2025Q1", "coupons"] == pytest.approx(12.0)


def test_a_quarter_is_estimated_once_a_day_after_it_is_known() -> None:
    given = tables(12.0)
    for now, count in (("2025-04-02 20:29", 0), ("2025-04-02 20:31", 2)):
        assert len(build("settlement_sensitivity", now, **given)) == count


def test_days_whose_settlements_are_not_known_are_left_out() -> None:
    given = tables(12.0)
    since = date(2025, 2, 3)
    cut = {("debt_settlements", "auctions"): since - timedelta(days=1)}
    from liquidity_pipeline.models import engine
    from liquidity_pipeline_tests.models.hand_made import session

    with session("2025-05-30 00:00", given, cut) as connection:
        assert engine.build("settlement_sensitivity", connection).num_rows == 0


def test_a_quarter_ends_on_its_last_day_though_what_settled_on_it_is_not_known() -> None:
    """It is then no quarter of fewer days, but one that rests on a day that is not known."""
    whole, given = tables(12.0), tables(12.0)
    last = max(day for day in DAYS if day <= date(2025, 3, 31))
    for row in given["settlement_calendar"]:
        if row["settlement_date"] == last:
            row["net_public_usd_mn"] = None
    good, lost = (
        [
            (row["window_end"], row["n_obs"])
            for row in build("settlement_sensitivity", "2025-05-30 00:00", **rows)
            if row["window_kind"] == "quarter"
        ]
        for rows in (whole, given)
    )
    assert lost == [(end, count - 1) for end, count in good]
    assert {end for end, _ in lost} == {last}
