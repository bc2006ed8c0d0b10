"""Changes of liquidity to which returns may respond, and the inputs behind each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from liquidity_pipeline.contracts.assets.columns import KNOWN_AT
from liquidity_pipeline.contracts.drains.inputs import (
    FED_OPERATIONS,
    ON_RRP,
    PUBLIC_SETTLEMENT,
    RESERVES,
)
from liquidity_pipeline.contracts.reach import Input, for_rows
from liquidity_pipeline.contracts.table import Table, day, number, text

DRIVERS = (
    "tga_change",
    "net_settlement",
    "reserve_drain",
    "reserve_drain_estimate",
    "fed_bill_purchases",
    "sofr_iorb_change",
)

_SOFR = Input("reference_rates", "SOFR")

_IORB = Input("market_series", "IORB", from_day="2021-07-29")

DAILY = {
    "tga_change": (Input("tga_balance"),),
    "net_settlement": PUBLIC_SETTLEMENT,
    "reserve_drain_estimate": (
        Input("tga_balance"),
        replace(ON_RRP, from_start=True, is_change=True),
        replace(FED_OPERATIONS, from_start=True),
    ),
    "fed_bill_purchases": (FED_OPERATIONS,),
    "sofr_iorb_change": (_SOFR, _IORB),
}

WEEKLY = {
    "tga_change": (RESERVES, Input("fed_balance_sheet", "WDTGAL")),
    "net_settlement": PUBLIC_SETTLEMENT,
    "reserve_drain": (RESERVES,),
    "fed_bill_purchases": (FED_OPERATIONS,),
    "sofr_iorb_change": (_SOFR, _IORB),
}

WEEKLY_DRIVERS = tuple(WEEKLY)


def of_drivers(drivers: Mapping[str, tuple[Input, ...]], **only: str) -> tuple[Input, ...]:
    """Return what each driver rests on, for rows of that driver (and of `only`)."""
    return tuple(
        each for name, inputs in drivers.items() for each in for_rows(inputs, driver=name, **only)
    )


DRIVER_INPUTS = (
    *of_drivers(DAILY, frequency="daily"),
    *of_drivers(WEEKLY, frequency="weekly"),
)

# Where a driver is unknown, the tests of an asset are not all there.
FAMILY = ("p_value_adjusted", "n_tests")


def whole_family(
    *drivers: Mapping[str, tuple[Input, ...]], columns: tuple[str, ...] = FAMILY
) -> tuple[Input, ...]:
    """Return what a correction over all drivers rests on."""
    every = [each for of in drivers for inputs in of.values() for each in inputs]
    inputs = {
        (each.table, each.entity): replace(each, columns=columns, from_start=True) for each in every
    }
    return tuple(inputs.values())


DRIVER = text("driver", "Measure of the change of liquidity", allowed=DRIVERS)

DRIVER_CHANGES = Table(
    "marts",
    "driver_changes",
    "Changes of liquidity by New York session and by H.4.1 week. A positive value drains, "
    "except for fed_bill_purchases, which add reserves. reserve_drain is the drain of record "
    "and is weekly only; reserve_drain_estimate is daily (TGA + overnight reverse repo - all "
    "outright operations by settlement date), and marts.daily_drain_error gives its error.",
    key=("frequency", "date", "driver"),
    reach="date",
    rests_on=DRIVER_INPUTS,
    columns=(
        text("frequency", "Sampling", allowed=("daily", "weekly")),
        day("date", "Session, or the Wednesday that ends the week"),
        DRIVER,
        number("value", "Change", nullable=False, unit="see column unit"),
        text("unit", "Unit of the value", allowed=("USD bn", "bp")),
        KNOWN_AT,
    ),
)
