"""How the overnight repo rate moves when Treasury debt settles: `marts.settlement_sensitivity`.

Per quarter, over rolling years, and once for the whole past with the ampleness of reserves, the
daily change of TGCR over the offering rate of the overnight reverse repo facility is regressed on
the net settlement that the public pays, coupons and bills apart. One slope for all years would be
wrong: it was 20 to 40 basis points per USD 100 billion in 2018 and 2019, nothing in 2021.

Source: "Repo Rate Sensitivity to Treasury Issuance and Quantitative Tightening", FEDS Notes,
2025-02-12, figure 1. Least squares; standard errors allow for heteroskedasticity (HC1, MacKinnon
and White 1985) and the interval has Student's t.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.funding import SETTLEMENT_SENSITIVITY
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.inference import CONFIDENCE, Floats

# A quarter has some 62 days; of fewer than 30 nothing is said, and a year has 250.
MIN_DAYS, ROLLING_DAYS = 30, 250
# Demand for reserves is satiated above 12 to 13 % of bank assets (New York Fed Staff Report 1019).
SATIATION_PCT = 12.5

# The offering rate is published on days with an operation and holds until it is changed; it is
# carried for ten days and no longer, because the series may have ended. Later values decide
# nothing, so that a run as of a past day fills the same days. Of the
# ratio of reserves to bank assets, what was public on the morning of the day. Days on which the
# settlements are not known are left out; a day without any has none.
_DAYS = """
    with rates as (
        select
            days.date,
            days.known_by,
            tgcr.rate_pct as tgcr_pct,
            last_value(award.value ignore nulls) over (
                order by days.date range between interval 10 day preceding and current row
            ) as award_pct
        from meta.calendar_days as days
        left join sources.reference_rates as tgcr
            on tgcr.effective_date = days.date and tgcr.rate = 'TGCR'
        left join sources.market_series as award
            on award.observation_date = days.date and award.series = 'RRPONTSYAWARD'
        where days.is_sifma
    ),

    changes as (
        select *, 100 * (
            tgcr_pct - award_pct - lag(tgcr_pct - award_pct) over (order by date)
        ) as change_bp
        from rates
    ),

    settled as (
        select
            settlement_date as date,
            sum(case when security_class = 'bill' then 0 else net_public_usd_mn end)
                as coupons_usd_mn,
            sum(case when security_class = 'bill' then net_public_usd_mn else 0 end)
                as bills_usd_mn,
            bool_and(is_settled and net_public_usd_mn is not null) as is_known
        from marts.settlement_calendar
        group by settlement_date
    ),

    reserves as (
        select observation_date, value_usd_mn, known_at
        from sources.fed_balance_sheet
        where series = 'WRBWFRBL'
    ),

    bank_assets as (
        select event_date as observation_date, value * 1000000 as value_usd_mn, known_at
        from sources.policy_events
        where kind = 'bank_assets'
        union all
        select observation_date, value * 1000, known_at
        from sources.market_series
        where series = 'TLAACBW027SBOG'
    ),

    ampleness as (
        select
            reserves.known_at,
            100 * reserves.value_usd_mn / arg_max(
                bank_assets.value_usd_mn, bank_assets.observation_date
            ) as reserves_pct
        from reserves
        join bank_assets on bank_assets.known_at <= reserves.known_at
        group by reserves.known_at, reserves.value_usd_mn
    ),

    newest as (
        select changes.date, max(ampleness.known_at) as known_at
        from changes
        join ampleness on ampleness.known_at <= changes.date
        where changes.change_bp is not null
        group by changes.date
    )

    select
        changes.date,
        changes.known_by,
        changes.change_bp,
        coalesce(settled.coupons_usd_mn, 0) / 100000,
        coalesce(settled.bills_usd_mn, 0) / 100000,
        ampleness.reserves_pct
    from changes
    left join settled on settled.date = changes.date
    left join newest on newest.date = changes.date
    left join ampleness on ampleness.known_at = newest.known_at
    cross join meta.clock as clock
    join meta.coverage as auctions
        on auctions.table_name = 'debt_settlements' and auctions.entity = 'auctions'
        and changes.date between auctions.known_from and auctions.known_through
    where changes.change_bp is not null
        and changes.known_by <= clock.now
        and coalesce(settled.is_known, true)
    order by changes.date
"""


@dataclass(frozen=True)
class Days:
    """Daily changes with what settled, oldest first; NaN where the ratio of reserves is unknown."""

    dates: Sequence[date]
    known_by: Sequence[datetime]
    change_bp: Floats
    coupons: Floats
    bills: Floats
    reserves_pct: Floats

    def __len__(self) -> int:
        return len(self.dates)

    def window(self, start: int, stop: int) -> Days:
        """Return the days from start to stop - 1."""
        chosen = slice(start, stop)
        return Days(
            self.dates[chosen],
            self.known_by[chosen],
            self.change_bp[chosen],
            self.coupons[chosen],
            self.bills[chosen],
            self.reserves_pct[chosen],
        )


@dataclass(frozen=True)
class Fit:
    """Slopes with half the width of their 95 % interval; the intercept is left out."""

    slopes: Floats
    reach: Floats
    n_obs: int


def least_squares(y: Floats, x: Floats) -> Fit | None:
    """Regress y on the columns of x and an intercept, errors robust to heteroskedasticity (HC1).

    None below `MIN_DAYS` rows, and where a column does not vary or repeats another.
    """
    from scipy.special import stdtrit

    design = np.column_stack([np.ones(len(y)), x])
    n, k = design.shape
    if n < MIN_DAYS or np.linalg.matrix_rank(design) < k:
        return None
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ y
    errors = y - design @ coefficients
    scores = design * errors[:, None]
    variance = inverse @ (scores.T @ scores) @ inverse * n / (n - k)
    reach = stdtrit(n - k, (1 + CONFIDENCE) / 2) * np.sqrt(np.diag(variance))
    return Fit(coefficients[1:], reach[1:], n)


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.settlement_sensitivity`; a window is over once a day after it is known."""
    days = _read(connection)
    rows = [*_quarters(days), *_rolling(days), *_by_ampleness(days)]
    return panels.table(rows, SETTLEMENT_SENSITIVITY.arrow_schema)


def _read(connection: duckdb.DuckDBPyConnection) -> Days:
    rows = connection.execute(_DAYS).fetchall()
    columns: list[list[object]] = [list(column) for column in zip(*rows, strict=True)] or [[]] * 6
    dates, known_by, *numbers = columns
    change, coupons, bills, ratio = (np.array(column, dtype=float) for column in numbers)
    return Days(dates, known_by, change, coupons, bills, ratio)  # type: ignore[arg-type]


def _quarters(days: Days) -> Iterator[dict[str, object]]:
    """Yield the slopes of each quarter."""
    labels = [day.year * 4 + (day.month - 1) // 3 for day in days.dates]
    edges = [i for i in range(1, len(labels)) if labels[i] != labels[i - 1]]
    for start, stop in zip([0, *edges], edges, strict=False):
        name = f"{labels[start] // 4}Q{labels[start] % 4 + 1}"
        yield from _slopes("quarter", name, days, start, stop)


def _rolling(days: Days) -> Iterator[dict[str, object]]:
    """Yield the slopes of the last 250 days at the end of each month."""
    for stop in _month_ends(days):
        if stop >= ROLLING_DAYS:
            yield from _slopes("rolling", f"{ROLLING_DAYS} days", days, stop - ROLLING_DAYS, stop)


def _month_ends(days: Days) -> list[int]:
    """Return the number of days up to the end of each month that is followed by another."""
    following = zip(days.dates, days.dates[1:], strict=False)
    return [i + 1 for i, (day, after) in enumerate(following) if day.month != after.month]


def _slopes(kind: str, name: str, days: Days, start: int, stop: int) -> Iterator[dict[str, object]]:
    window = days.window(start, stop)
    fit = least_squares(window.change_bp, np.column_stack([window.coupons, window.bills]))
    if fit is not None:
        yield from _rows((kind, name), window, fit, ("coupons", "bills"), days.known_by[stop])


def _by_ampleness(days: Days) -> Iterator[dict[str, object]]:
    """Yield, at the end of each year, how the slope depended on the ampleness of reserves so far.

    The slope of coupons at 12.5 % of bank assets, and what each point of reserves less adds to it.
    """
    for stop in _month_ends(days):
        if days.dates[stop - 1].month != 12:
            continue
        past = days.window(0, stop)
        known = ~np.isnan(past.reserves_pct)
        scarcity = np.where(known, SATIATION_PCT - past.reserves_pct, 0.0)
        x = np.column_stack([past.coupons, past.coupons * scarcity, past.bills, scarcity])[known]
        fit = least_squares(past.change_bp[known], x)
        if fit is not None and fit.n_obs >= ROLLING_DAYS:
            names = ("coupons", "coupons x scarcity", "bills")
            yield from _rows(
                ("expanding", "all days so far"), past, fit, names, days.known_by[stop]
            )


def _rows(
    label: tuple[str, str],
    days: Days,
    fit: Fit,
    regressors: Sequence[str],
    known_at: datetime,
) -> Iterator[dict[str, object]]:
    ratio = days.reserves_pct[~np.isnan(days.reserves_pct)]
    for regressor, slope, reach in zip(regressors, fit.slopes, fit.reach, strict=False):
        yield {
            "window_kind": label[0],
            "window_name": label[1],
            "window_end": days.dates[-1],
            "window_start": days.dates[0],
            "regressor": regressor,
            "coefficient_bp_per_100bn": slope,
            "low_bp_per_100bn": slope - reach,
            "high_bp_per_100bn": slope + reach,
            "n_obs": fit.n_obs,
            "reserves_of_bank_assets_pct": float(ratio.mean()) if len(ratio) else None,
            "known_at": known_at,
        }


MARTS = {
    "settlement_sensitivity": PythonMart(
        build,
        frozenset(
            {
                "marts.settlement_calendar",
                "sources.reference_rates",
                "sources.market_series",
                "sources.fed_balance_sheet",
                "sources.policy_events",
                "meta.calendar_days",
                "meta.clock",
                "meta.coverage",
            }
        ),
    )
}
