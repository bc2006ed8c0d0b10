"""The calendar of liquidity as regressors of a week, and a regression on past weeks only.

Holds the dates on which cash is known to move and a recursive estimate on them. Which series are
regressed, and what is published of it, is `seasonality`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from liquidity_pipeline import calendars

Floats = npt.NDArray[np.float64]

TAX_MONTHS = {"january": 1, "april": 4, "june": 6, "september": 9, "december": 12}
_WEEK = timedelta(days=7)


def calendar_events(first: int, last: int) -> dict[str, list[date]]:
    """Return the days of each known cash flow from year `first` to year `last`.

    Tax dates are the 15th of five months, each with its own effect, and one for the week after it.
    Coupons settle mid-month, more of them in the four refunding months, and at month-end; what
    falls due on a holiday moves to the next business day. Quarter- and year-end have an effect and
    one for the week after, when it is undone. Benefits are paid on the first (pensions, veterans)
    and the third of the month, moved to the business day before, and on the second to fourth
    Wednesday. Bills settle on a Tuesday and a Thursday of every week: their rhythm is constant
    within a week and part of the intercept. Source: method, C4 (seasonality).
    """
    firsts = [date(year, month, 1) for year in range(first, last + 1) for month in range(1, 13)]
    middles = [day.replace(day=15) for day in firsts]
    ends = [(day + timedelta(days=31)).replace(day=1) - timedelta(days=1) for day in firsts]
    quarter_ends = _moved([day for day in ends if day.month % 3 == 0], "backward")
    year_ends = [day for day in quarter_ends if day.month == 12]
    taxes = {
        f"tax_{name}": _moved([day for day in middles if day.month == month], "forward")
        for name, month in TAX_MONTHS.items()
    }
    return {
        **taxes,
        **{f"after_{name}": _week_later(days) for name, days in taxes.items()},
        "mid_month_coupons": _moved(middles, "forward"),
        "refunding_coupons": _moved([day for day in middles if day.month % 3 == 2], "forward"),
        "month_end_coupons": _moved(ends, "forward"),
        "quarter_end": quarter_ends,
        "after_quarter_end": _week_later(quarter_ends),
        "year_end": year_ends,
        "after_year_end": _week_later(year_ends),
        "benefits_first": _moved(firsts, "backward"),
        "benefits_third": _moved([day.replace(day=3) for day in firsts], "backward"),
        "benefits_wednesday": [
            day + timedelta(days=(2 - day.weekday()) % 7 + 7 * weeks)
            for day in firsts
            for weeks in (1, 2, 3)
        ],
    }


def week_regressors(week_ends: Sequence[date]) -> Floats:
    """Return how many days of each event fall in the seven days to each week's end.

    Shape (weeks, 1 + events); the first column is the intercept. Weeks may have gaps.
    """
    ends = np.array(week_ends, dtype="datetime64[D]")
    columns = [np.ones(len(ends))]
    for days in calendar_events(week_ends[0].year - 1, week_ends[-1].year + 1).values():
        events = np.sort(np.array(days, dtype="datetime64[D]"))
        until = np.searchsorted(events, ends, side="right")
        before = np.searchsorted(events, ends - np.timedelta64(7), side="right")
        columns.append((until - before).astype(float))
    return np.column_stack(columns)


def day_regressors(days: Sequence[date]) -> Floats:
    """Return the known cash flows of each Federal Reserve business day.

    Shape (days, columns): intercept, four weekdays, then for each event whether it falls on the
    day or, if that is no business day, on the days since the one before; and the same a business
    day later, because part of a tax date or a month-end clears then.
    """
    ends = np.array(days, dtype="datetime64[D]")
    before = np.array(calendars.shift("fed", days, -1), dtype="datetime64[D]")
    earlier = np.array(calendars.shift("fed", days, -2), dtype="datetime64[D]")
    weekday = (ends.astype(int) + 3) % 7
    columns = [np.ones(len(ends)), *((weekday == number).astype(float) for number in range(1, 5))]
    for happened in calendar_events(days[0].year - 1, days[-1].year + 1).values():
        events = np.sort(np.array(happened, dtype="datetime64[D]"))
        upto, upto_before, upto_earlier = (
            np.searchsorted(events, edge, side="right") for edge in (ends, before, earlier)
        )
        columns += [(upto - upto_before).astype(float), (upto_before - upto_earlier).astype(float)]
    return np.column_stack(columns)


def coefficients(
    regressors: Floats, values: Floats, *, half_life: float, ridge: float
) -> Iterator[tuple[Floats, Floats]]:
    """Yield before each row, and after the last, the normal equations of the rows so far.

    They are (products, moments), a row `half_life` rows ago counting half; `np.linalg.solve` gives
    the coefficients. The arrays are replaced, never changed: they may be kept.
    """
    columns = regressors.shape[1]
    decay = 0.5 ** (1 / half_life)
    penalty = np.diag([0.0] + [ridge] * (columns - 1))
    products, moments = np.zeros((columns, columns)), np.zeros(columns)
    for x, y in zip(regressors, values, strict=True):
        yield products + penalty, moments
        products = decay * products + np.outer(x, x)
        moments = decay * moments + x * y
    yield products + penalty, moments


def forecasts(
    regressors: Floats, values: Floats, *, minimum: int, half_life: float, ridge: float
) -> tuple[Floats, Floats]:
    """Return for each row what the rows before it led to expect, and their mean; NaN too early.

    Least squares on all earlier rows, a row `half_life` rows ago counting half; each coefficient
    but the intercept is drawn to zero with the weight of `ridge` rows, so an effect not seen yet
    is zero. Normal equations, updated row by row (discounted least squares: Brown 1963, Smoothing,
    forecasting and prediction; ridge: Hoerl and Kennard, Technometrics 12, 1970). Shapes (rows,
    columns) and (rows,); the first `minimum` results are NaN.
    """
    rows = len(values)
    expected, mean = np.full(rows, np.nan), np.full(rows, np.nan)
    equations = coefficients(regressors, values, half_life=half_life, ridge=ridge)
    for row, (products, moments) in enumerate(equations):
        if minimum <= row < rows:
            expected[row] = regressors[row] @ np.linalg.solve(products, moments)
            mean[row] = moments[0] / products[0, 0]
    return expected, mean


def _moved(days: Sequence[date], roll: str) -> list[date]:
    return calendars.shift("fed", days, 0, roll)


def _week_later(days: Sequence[date]) -> list[date]:
    return [day + _WEEK for day in days]
