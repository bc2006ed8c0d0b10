"""Figures that Treasury, the Fed and papers print, found again in the recorded history.

Each expected value is the publisher's. Only the marts behind these figures are built.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from liquidity_pipeline.models import engine
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings

pytestmark = [pytest.mark.replay, pytest.mark.slow]

_MARTS = (
    "quarterly_borrowing", "settlement_outlook", "settlement_outlook_score", "drain_outlook_score",
    "reserve_drains", "funding_conditions", "forward_calendar",
)  # fmt: skip


@pytest.fixture(scope="module")
def history(
    recorded: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("figures")
    for kept in (recorded.lake_dir, recorded.archive_dir):
        (folder / kept.name).symlink_to(kept)
    pipeline = Pipeline(replace(recorded, data_dir=folder))
    wanted: set[str] = set()
    for name in _MARTS:
        wanted |= _with_upstream(name)
    list(pipeline.build_marts([name for name in engine.build_order() if name in wanted]))
    with pipeline.session() as connection:
        yield connection


def _with_upstream(name: str) -> set[str]:
    marts = {table[6:] for table in engine.upstream(name) if table.startswith("marts.")}
    return {name}.union(*(_with_upstream(each) for each in marts))


# Treasury's quarterly financing releases: actual privately-held net marketable borrowing, USD bn.
@pytest.mark.parametrize(
    ("quarter", "published"),
    [
        ("2018Q1", 488), ("2018Q2", 72), ("2018Q3", 353), ("2018Q4", 426), ("2019Q1", 374),
        ("2019Q2", 40), ("2019Q3", 440), ("2019Q4", 330), ("2020Q1", 477), ("2020Q2", 2_753),
        ("2020Q3", 454), ("2020Q4", 597), ("2021Q1", 401),
        ("2021Q2", 319), ("2021Q3", 103), ("2021Q4", 689), ("2022Q1", 668), ("2022Q2", 7),
        ("2022Q3", 457), ("2022Q4", 373), ("2023Q1", 657), ("2023Q2", 657), ("2023Q3", 1_010),
        ("2023Q4", 776), ("2024Q1", 748),
    ],
)  # fmt: skip
def test_a_quarters_borrowing_is_treasurys(
    history: duckdb.DuckDBPyConnection, quarter: str, published: float
) -> None:
    ((borrowed, buybacks),) = history.execute(
        "select privately_held_net_usd_mn, buyback_usd_mn from marts.quarterly_borrowing"
        " where quarter = ?",
        [quarter],
    ).fetchall()
    assert borrowed / 1000 == pytest.approx(published, abs=1.0)
    assert buybacks == 0


# What the press printed from H.4.1 as the week's fall of bank reserves, USD bn, as rounded there.
@pytest.mark.parametrize(
    ("wednesday", "printed", "rounding"),
    [
        ("2024-04-17", 286, 0.5),
        ("2025-01-01", 326, 0.5),
        ("2025-04-30", 209, 0.5),
        ("2025-10-15", 45.7, 0.05),
        ("2025-10-22", 59, 0.5),
    ],
)
def test_a_weeks_fall_of_reserves_is_the_presss(
    history: duckdb.DuckDBPyConnection, wednesday: str, printed: float, rounding: float
) -> None:
    ((fell,),) = history.execute(
        "select drain_reserves_usd_mn from marts.reserve_drains where week_ending = ?", [wednesday]
    ).fetchall()
    assert fell / 1000 == pytest.approx(printed, abs=rounding)


def test_a_quarter_with_buybacks_that_are_not_served_has_no_figure(
    history: duckdb.DuckDBPyConnection,
) -> None:
    rows = history.execute(
        "select net_public_usd_mn is not null, privately_held_net_usd_mn"
        " from marts.quarterly_borrowing where quarter in ('2024Q3', '2025Q1', '2025Q4')"
    ).fetchall()
    assert rows == [(True, None)] * 3


# The days that were wrong: 2022-04-18 counted the Fed's add-ons, the others lacked bills.
@pytest.mark.parametrize(
    ("day", "column", "security_class", "net"),
    [
        ("2022-04-18", "net_public_usd_mn", None, 100_000.0),
        ("2020-06-30", "net_usd_mn", "bill", 15_000),
        ("2023-06-06", "net_usd_mn", "bill", 12_400),
    ],
)
def test_a_day_pays_what_it_paid(
    history: duckdb.DuckDBPyConnection,
    day: str,
    column: str,
    security_class: str | None,
    net: float,
) -> None:
    ((found,),) = history.execute(
        f"select sum({column}) from marts.settlement_calendar"
        " where settlement_date = ? and security_class = coalesce(?, security_class)",
        [day, security_class],
    ).fetchall()
    assert found == pytest.approx(net, abs=50)


# Net settlements of the week, USD mn, as Friday knew them: all of it was announced.
@pytest.mark.parametrize(
    ("week", "net", "within"),
    [
        ("2025-11-17", 56_317, 10),
        ("2025-12-08", -38_000, 10),
        ("2026-02-02", 60_994, 10),
        ("2026-02-09", 62_103, 10),
        # 42 bn of inflation-protected notes mature, of which the Fed's part is not served: the week
        # is known, its net but for that part.
        ("2026-01-12", 39_211, 15_000),
    ],
)
def test_the_friday_before_knows_the_week(
    history: duckdb.DuckDBPyConnection, week: str, net: float, within: float
) -> None:
    ((known, settled),) = history.execute(
        "select net_public_known_usd_mn, net_public_usd_mn from marts.settlement_outlook_score"
        " where week_start = ? and weeks_ahead = 1 and security_group = 'all'",
        [week],
    ).fetchall()
    assert settled == pytest.approx(net, abs=10)
    assert known == pytest.approx(net, abs=within)


def test_one_week_ahead_the_net_is_known_to_a_billion(history: duckdb.DuckDBPyConnection) -> None:
    errors = history.execute(
        """
        with tips as (
            select distinct days.week_start
            from marts.settlement_calendar as calendar
            join meta.calendar_days as days on days.date = calendar.settlement_date
            where calendar.security_class = 'tips' and calendar.redeemed_usd_mn > 0
        )
        select tips.week_start is not null, count(*), median(abs(error_usd_mn)),
            count(*) filter (where error_usd_mn is null)
        from marts.settlement_outlook_score as score
        left join tips on tips.week_start = score.week_start
        where weeks_ahead = 1 and security_group = 'all' and score.week_start >= date '2016-01-01'
        group by 1 order by 1
        """
    ).fetchall()
    assert [count for _, count, _, _ in errors] == [
        pytest.approx(520, abs=40),
        pytest.approx(32, abs=16),
    ]
    assert all(median <= 1_000 for _, _, median, _ in errors)
    assert all(blank == 0 for _, _, _, blank in errors)


def test_no_week_is_blank_whose_debt_was_all_announced(history: duckdb.DuckDBPyConnection) -> None:
    # From December 2018 on the four-week bill is announced before Friday as well. On two Fridays of
    # April 2020 a weekly cash-management bill, of ten and of fifteen weeks, was still to be
    # announced: the second one came, the first did not.
    blank = history.execute(
        "select as_of_date from marts.settlement_outlook_score"
        " where weeks_ahead = 1 and security_group = 'all' and net_public_known_usd_mn is null"
        " and as_of_date >= date '2018-12-07' order by 1"
    ).fetchall()
    assert [str(day) for (day,) in blank] == ["2020-04-17", "2020-04-24"]


# FEDS Notes 2025-02-12, figure 1, panel A: coefficient of net coupons, bp per USD 100 bn, 95 %.
@pytest.mark.parametrize(
    ("quarter", "low", "high"),
    [
        ("2018Q2", 4.7, 39.4), ("2018Q3", 9.1, 25.8), ("2018Q4", 2.3, 65.7),
        ("2019Q1", 20.4, 57.9), ("2019Q2", 6.9, 43.6), ("2019Q3", -15.2, 38.7),
        ("2019Q4", 21.1, 50.5), ("2020Q1", 2.4, 36.0), ("2020Q2", 1.03, 3.19),
        ("2020Q3", 1.07, 2.82), ("2020Q4", -0.43, 2.86), ("2021Q1", -0.49, 1.65),
        ("2021Q2", -0.02, 0.10),
    ],
)  # fmt: skip
def test_the_repo_rate_answers_settlements_as_the_paper_says(
    history: duckdb.DuckDBPyConnection, quarter: str, low: float, high: float
) -> None:
    ((slope,),) = history.execute(
        "select coefficient_bp_per_100bn from marts.settlement_sensitivity"
        " where window_kind = 'quarter' and regressor = 'coupons' and window_name = ?",
        [quarter],
    ).fetchall()
    assert low <= slope <= high


def test_the_accounts_weekly_swings_are_those_of_the_new_york_fed(
    history: duckdb.DuckDBPyConnection,
) -> None:
    # Speech of 2017-05-18, figure 4: absolute weekly change of the week average, Jan 2016 to Apr
    # 2017: standard deviation 23.8, 99th percentile 90.5 bn.
    ((deviation, top),) = history.execute(
        """
        with changes as (
            select observation_date,
                value_usd_mn - lag(value_usd_mn) over (order by observation_date) as change
            from sources.fed_balance_sheet where series = 'WTREGEN'
        )
        select stddev_pop(abs(change)) / 1000, quantile_cont(abs(change), 0.99) / 1000
        from changes where observation_date between date '2016-01-01' and date '2017-04-30'
        """
    ).fetchall()
    assert deviation == pytest.approx(23.8, abs=0.05)
    assert top == pytest.approx(90.5, abs=0.05)


def test_the_overnight_facilitys_weekly_swings_are_those_of_the_new_york_fed(
    history: duckdb.DuckDBPyConnection,
) -> None:
    # The same figure: standard deviation 47.6, 99th percentile 212.3 bn. A week's average is
    # that of seven days; on days without an operation the last one is outstanding.
    ((deviation, top),) = history.execute(
        """
        with operations as (
            select operation_date as date, sum(accepted_usd_mn) / 1000 as held
            from sources.repo_operations where kind = 'on_rrp' and not is_small_value group by 1
        ),
        days as (
            select date, week_ending,
                last_value(held ignore nulls) over (order by date) as held
            from meta.calendar_days left join operations using (date)
        ),
        weeks as (select week_ending, avg(held) as held from days group by 1),
        changes as (
            select week_ending, held - lag(held) over (order by week_ending) as change from weeks
        )
        select stddev_pop(abs(change)), quantile_cont(abs(change), 0.99)
        from changes where week_ending between date '2016-01-01' and date '2017-04-30'
        """
    ).fetchall()
    assert deviation == pytest.approx(47.6, abs=0.05)
    assert top == pytest.approx(212.3, abs=0.05)


def test_rates_and_take_up_of_the_days_that_everybody_quotes(
    history: duckdb.DuckDBPyConnection,
) -> None:
    rates = dict(
        history.execute(
            "select rate || ' ' || effective_date, rate_pct from sources.reference_rates"
            " where effective_date in ('2019-09-16', '2019-09-17', '2025-09-15')"
        ).fetchall()
    )
    assert rates["SOFR 2019-09-16"] == 2.43
    assert rates["SOFR 2019-09-17"] == 5.25
    assert rates["EFFR 2019-09-16"] == 2.25
    assert rates["SOFR 2025-09-15"] == 4.51
    conditions = {
        str(day): (spread, srf)
        for day, spread, srf in history.execute(
            "select date, sofr_iorb_bp, srf_usd_mn / 1000 from marts.funding_conditions"
        ).fetchall()
    }
    assert conditions["2025-09-15"][0] == pytest.approx(11)
    assert conditions["2025-06-30"][1] == pytest.approx(11.1, abs=0.05)
    assert conditions["2025-10-31"][1] == pytest.approx(50.35, abs=0.005)


@pytest.mark.parametrize("component", ["tga", "drain_reserves"])
def test_the_bands_of_past_outlooks_hold_nine_in_ten(
    history: duckdb.DuckDBPyConnection, component: str
) -> None:
    # 329 to 341 outlooks of each length overlap, so a share moves by some points around 90 %.
    shares = history.execute(
        "select weeks_ahead, avg(case when is_in_band then 1 else 0 end)"
        " from marts.drain_outlook_score where component = ? and is_in_band is not null"
        " group by 1 order by 1",
        [component],
    ).fetchall()
    assert [weeks for weeks, _ in shares] == [1, 2, 3, 4, 5, 6]
    assert all(0.85 <= share <= 0.96 for _, share in shares)


def test_the_calendar_ahead_adds_up_to_the_expected_net(
    history: duckdb.DuckDBPyConnection,
) -> None:
    """Of bills that are still to be announced, the short ones mature within the eight weeks."""
    rows = history.execute(
        """
        with calendar as (
            select date, sum(amount_usd_mn) as net_usd_mn from marts.forward_calendar
            where part in ('bills', 'coupons') and item not in ('buybacks', 'coupon interest')
            group by date
        ),
        outlook as (
            select settlement_date as date, sum(net_public_expected_usd_mn) as net_usd_mn,
                sum(expected_redeemed_usd_mn) as maturing_usd_mn
            from marts.settlement_outlook
            group by settlement_date
        )
        select date, calendar.net_usd_mn, outlook.net_usd_mn, maturing_usd_mn
        from outlook full join calendar using (date)
        """
    ).fetchall()
    assert len(rows) > 15
    assert all(items == pytest.approx(net, abs=0.01) for _, items, net, _ in rows)
    # The last 4-week bill was of 110 bn: those of 1, 8 and 15 September mature four weeks later.
    # The last 6-week bill was of 95 bn: that of 3 September matures on 15 October.
    late = {f"{day:%m-%d}": amount / 1000 for day, *_, amount in rows if amount}
    assert late == {"09-29": 110, "10-06": 110, "10-13": 110, "10-15": 95}


# Half the coupon on the face amounts of all auctions since 1979 that are outstanding, USD bn; at
# most so much was paid after buybacks began, of which the recorded history holds none.
@pytest.mark.parametrize(
    ("day", "paid", "at_most"),
    [("2019-02-15", 44.03, 44.03), ("2024-02-15", 58.77, 58.77), ("2026-08-17", None, 85.96)],
)
def test_interest_is_paid_on_bonds_from_before_the_records_too(
    history: duckdb.DuckDBPyConnection, day: str, paid: float | None, at_most: float
) -> None:
    ((interest, bound),) = history.execute(
        "select interest_usd_mn, interest_at_most_usd_mn from marts.coupon_interest"
        " where payment_date = ?",
        [day],
    ).fetchall()
    assert (interest and interest / 1000) == (paid and pytest.approx(paid, abs=0.005))
    assert bound / 1000 == pytest.approx(at_most, abs=0.005)
