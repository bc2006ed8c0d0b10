"""Contracts of the marts that divide the drain by component, in both sign conventions."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.drains.inputs import (
    AUCTIONS,
    BUYBACKS,
    FED_OPERATIONS,
    ON_RRP,
    RESERVES,
)
from liquidity_pipeline.contracts.reach import Input, for_rows
from liquidity_pipeline.contracts.table import (
    MART_KNOWN_AT,
    Table,
    day,
    flag,
    integer,
    number,
    text,
    usd,
)

COMPONENTS = (
    "tga",
    "on_rrp",
    "foreign_rrp",
    "other_liabilities",
    "fed_bill_purchases",
    "fed_other_assets",
    "settlement",
)

COMPLETE = flag(
    "complete",
    "TRUE where every component of the row's H.4.1 week is known and they add up to the fall "
    "of reserves; NULL where that is not so, or not yet: re-estimated each run",
    nullable=True,
)

_NET_OF_BUYBACKS = "drain_headline_net_of_buybacks_usd_mn"

_BOTH_CONVENTIONS = (
    usd(
        "drain_reserves_usd_mn",
        "Amount by reserve accounting; the components add up to the fall of reserves",
        nullable=False,
    ),
    usd(
        "drain_headline_usd_mn",
        "Amount by market convention; the components do not add up to the fall of reserves",
        nullable=False,
    ),
    usd(
        _NET_OF_BUYBACKS,
        "Amount by market convention, with settlements net of what Treasury bought back; NULL "
        "where buybacks are not known",
    ),
)

DRAINS = Table(
    "marts",
    "drains",
    "Components of the drain by day, in their natural direction and in both sign "
    "conventions. Balance-sheet lines are dated on the Wednesday of H.4.1 and are present "
    "only if the whole week is known; rows with complete = TRUE add up to the fall of "
    "reserves.",
    key=("date", "component"),
    reach="date",
    rests_on=(
        *for_rows([AUCTIONS], component="settlement"),
        *for_rows([replace(BUYBACKS, columns=(_NET_OF_BUYBACKS,))], component="settlement"),
        *for_rows([FED_OPERATIONS], component=("fed_bill_purchases", "fed_other_assets")),
        *for_rows([ON_RRP], component=("on_rrp", "foreign_rrp")),
    ),
    columns=(
        day("date", "Day of the flow"),
        text("component", "Component of the drain", allowed=COMPONENTS),
        usd("amount_usd_mn", "Amount in its natural direction (a rise, a purchase)"),
        *_BOTH_CONVENTIONS,
        COMPLETE,
        MART_KNOWN_AT,
    ),
)

WEEKLY_DRAINS = Table(
    "marts",
    "weekly_drains",
    "Drains of each H.4.1 week by component; the total by reserve accounting equals the "
    "drain in marts.reserve_drains. A week is published with all of its components or not at "
    "all; where it is not known what the public paid on one of its days, its settlement row is "
    "absent and its total by market convention is NULL, as is the total net of buybacks where "
    "these are not known.",
    key=("week_ending", "component"),
    reach="week_ending",
    rests_on=(
        *for_rows([AUCTIONS], component="settlement"),
        *for_rows(
            [replace(AUCTIONS, columns=("drain_headline_usd_mn", _NET_OF_BUYBACKS))],
            component="total",
        ),
        *for_rows(
            [replace(BUYBACKS, columns=(_NET_OF_BUYBACKS,))], component=("settlement", "total")
        ),
    ),
    columns=(
        day("week_ending", "Wednesday"),
        text("component", "Component, or total", allowed=(*COMPONENTS, "total")),
        usd("amount_usd_mn", "Amount in its natural direction; NULL for the total"),
        _BOTH_CONVENTIONS[0],
        replace(_BOTH_CONVENTIONS[1], nullable=True),
        _BOTH_CONVENTIONS[2],
        MART_KNOWN_AT,
    ),
)

DAILY_DRAIN_ERROR = Table(
    "marts",
    "daily_drain_error",
    "How far the daily estimate of the drain (TGA + overnight reverse repo - outright "
    "purchases by settlement date) is from the drain of record, by calendar year of H.4.1 "
    "weeks. A year is absent where any of its weeks is not known.",
    key=("year",),
    reach="last_week",
    rests_on=(FED_OPERATIONS, RESERVES, ON_RRP, Input("tga_balance")),
    columns=(
        integer("year", "Calendar year in which the weeks end", low=2000, unit="year"),
        day("last_week", "Last Wednesday of the year"),
        integer("n_weeks", "Weeks compared: all of the year", low=52, unit="weeks"),
        usd("mean_error_usd_mn", "Mean of estimate less record", nullable=False),
        usd("mean_absolute_error_usd_mn", "Mean size of the error per week", nullable=False),
        usd("mean_absolute_drain_usd_mn", "Mean size of the drain of record", nullable=False),
        number(
            "correlation",
            "Correlation of the estimate with the record over the weeks",
            low=-1,
            high=1,
            unit="-1 to 1",
        ),
        flag(
            "is_close",
            "The correlation is 0.9 or more; where it is not, do not read the daily estimate as a "
            "drain of reserves",
        ),
        MART_KNOWN_AT,
    ),
)

_BEYOND = (
    "Purchases of the window beyond the reinvestment of agency securities, which is counted first"
)

FED_BILL_PURCHASES = Table(
    "marts",
    "fed_bill_purchases",
    "The Fed's outright bill purchases less sales by settlement date, cumulated over the monthly "
    "window of the Desk's schedule, in both sign conventions.",
    key=("settlement_date", "operation_date"),
    reach="operation_date",
    rests_on=(replace(FED_OPERATIONS, since="window_start"),),
    columns=(
        day("settlement_date", "Day on which reserves move"),
        day("operation_date", "Day of the operations"),
        day("window_start", "Ninth business day of a month, when the month's amount is announced"),
        day("window_end", "Day before the next window"),
        usd("net_purchases_usd_mn", "Par bought less par sold", nullable=False),
        usd(
            "cumulative_usd_mn", "Net purchases since the window's first operation", nullable=False
        ),
        usd(
            "reinvestment_low_usd_mn",
            "Reinvestment of agency securities in the window: the published amount, or a "
            "lower bound",
        ),
        usd(
            "reinvestment_high_usd_mn",
            "Reinvestment of agency securities in the window: the published amount, or an upper "
            "bound",
        ),
        usd("beyond_reinvestment_low_usd_mn", f"{_BEYOND}: at least"),
        usd("beyond_reinvestment_high_usd_mn", f"{_BEYOND}: at most"),
        flag(
            "is_estimate",
            "TRUE where no reinvestment was published for the window and the bounds are estimates",
        ),
        usd("drain_reserves_usd_mn", "Amount by reserve accounting", nullable=False),
        usd("drain_headline_usd_mn", "Amount by market convention", nullable=False),
        MART_KNOWN_AT,
    ),
)
