"""Contracts of the marts on the settlement of Treasury debt, past and ahead."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.sources import SECURITY_CLASSES, STATUSES
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

_NET = (
    usd("issued_usd_mn", "Face amount issued, SOMA add-ons included", nullable=False),
    usd("redeemed_usd_mn", "Face amount maturing, SOMA included", nullable=False),
    usd("buyback_usd_mn", "Face amount bought back", nullable=False),
    usd("net_usd_mn", "Issued less redeemed; buybacks apart", nullable=False),
    usd("net_public_usd_mn", "Net paid by the public: without the Fed's add-ons and maturities"),
)


SETTLEMENT_CALENDAR = Table(
    "marts",
    "settlement_calendar",
    "Net settlement of marketable Treasury debt by day and class, past and announced.",
    key=("settlement_date", "security_class"),
    columns=(
        day("settlement_date", "Day on which the money moves"),
        text("security_class", "Class of security", allowed=SECURITY_CLASSES),
        *_NET,
        text(
            "soma_basis",
            "published: Treasury's estimate of what the public holds of the maturing; assumed: the "
            "Fed's add-ons are taken to equal its maturities, those still to come to be as last",
            allowed=("published", "assumed"),
        ),
        text("status", "Least certain of the day's issues", allowed=STATUSES),
        MART_KNOWN_AT,
    ),
)


WEEKLY_SETTLEMENTS = Table(
    "marts",
    "weekly_settlements",
    "Net settlement per calendar week and class, and for all classes. Of a week ahead the net is "
    "NULL until all that matures in it has an announced issue.",
    key=("week_start", "security_class"),
    columns=(
        day("week_start", "Monday of the week"),
        text("security_class", "Class, or all", allowed=(*SECURITY_CLASSES, "all")),
        *(replace(column, nullable=column.nullable or "net" in column.name) for column in _NET),
        usd("refinancing_usd_mn", "Maturing ahead while no issue is announced", nullable=False),
        flag("is_settled", "All of the week's days lie in the past"),
        MART_KNOWN_AT,
    ),
)


SETTLEMENT_OUTLOOK = Table(
    "marts",
    "settlement_outlook",
    "Net settlements of the coming eight weeks as known at the run's moment: the one mart whose "
    "rows all change with the run. What it said in the past is in settlement_outlook_score.",
    key=("settlement_date", "security_class"),
    columns=(
        day("as_of", "Day of the run"),
        day("settlement_date", "Day ahead on which the money moves"),
        text("security_class", "Class of security", allowed=SECURITY_CLASSES),
        usd("auctioned_usd_mn", "Issues with results, SOMA add-ons included", nullable=False),
        usd("announced_usd_mn", "Issues announced, add-ons still to come", nullable=False),
        integer(
            "scheduled_issues", "Issues on the schedule without an amount", low=0, unit="issues"
        ),
        usd("redeemed_usd_mn", "Maturing, SOMA included", nullable=False),
        usd("net_public_usd_mn", "Net paid by the public; NULL while no issue is announced"),
        usd("refinancing_usd_mn", "Maturing while no issue is announced: taken to be rolled over"),
        text("soma_basis", "As in settlement_calendar", allowed=("published", "assumed")),
        MART_KNOWN_AT,
    ),
)


SETTLEMENT_OUTLOOK_SCORE = Table(
    "marts",
    "settlement_outlook_score",
    "What was known on Friday evenings of the settlements of the next four weeks, and what "
    "settled. What matures without an announced issue is taken to be rolled over.",
    key=("as_of_date", "weeks_ahead"),
    columns=(
        day("as_of_date", "Friday"),
        integer("weeks_ahead", "Calendar weeks ahead, the next one is 1", low=1, unit="weeks"),
        day("week_start", "Monday of the week ahead"),
        usd("issued_known_usd_mn", "Issues known: results, or announced amount", nullable=False),
        usd("issued_usd_mn", "Issues that settled, SOMA add-ons included", nullable=False),
        number("coverage_ratio", "Known over settled issues; add-ons are not announced", low=0),
        usd("redeemed_known_usd_mn", "Maturities known then", nullable=False),
        usd("redeemed_usd_mn", "Maturities that settled", nullable=False),
        usd("net_public_known_usd_mn", "Net paid by the public, as known then", nullable=False),
        usd("net_public_usd_mn", "Net paid by the public", nullable=False),
        usd("error_usd_mn", "Settled less known net", nullable=False),
        MART_KNOWN_AT,
    ),
)
