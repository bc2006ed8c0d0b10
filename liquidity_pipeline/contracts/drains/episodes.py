"""Contracts of the marts on episodes: spells in which reserves fell faster than usual."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.drains.inputs import RESERVES
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

CLOSED_BY = ("cusum", "negative weeks")

_SHARE_NOTE = (
    "from the start to the trough; the four parts add up to the depth; NULL where a week "
    "between is not known"
)

DRAIN_EPISODES = Table(
    "marts",
    "drain_episodes",
    "Periods in which reserve balances fell faster than usual, found by a one-sided CUSUM on "
    "the weekly drain. Many are ordinary seasonal declines; those with is_alarm = TRUE "
    "removed a tenth of all reserves or more. A closed episode is never revised. The open "
    "episode changes each week, and is absent while a week that is due is missing.",
    key=("episode_id",),
    reach="trough_date",
    rests_on=(RESERVES, replace(RESERVES, is_current=True, only={"is_open": ("true",)})),
    columns=(
        text("episode_id", "Identifier: drain- followed by the start date"),
        day("start_date", "Wednesday from whose level reserves fell"),
        day("flagged_date", "Wednesday on which the CUSUM passed its threshold"),
        day(
            "end_date",
            "Wednesday on which the episode closed; NULL while it is open",
            nullable=True,
        ),
        flag("is_open", "The episode has not closed yet, and every other column may still change"),
        text("closed_by", "Rule that closed the episode", nullable=True, allowed=CLOSED_BY),
        flag("is_alarm", "Reserves fell by 10 % or more of what they were at the start"),
        day(
            "alarm_date",
            "Wednesday on which the fall reached 10 %; NULL without an alarm",
            nullable=True,
        ),
        integer("duration_days", "Days from start to end, or to the newest week", low=7),
        day("trough_date", "Wednesday with the lowest reserves of the episode"),
        usd("depth_usd_mn", "Fall of reserves from start to trough", nullable=False),
        number(
            "depth_pct", "Depth as a percentage of reserves at the start", nullable=False, high=100
        ),
        usd("tga_usd_mn", f"Rise of the TGA {_SHARE_NOTE}"),
        usd("on_rrp_usd_mn", f"Rise of reverse repos {_SHARE_NOTE}"),
        usd("fed_assets_usd_mn", f"Fall of the Fed's assets {_SHARE_NOTE}"),
        usd("other_usd_mn", f"Currency and other liabilities {_SHARE_NOTE}"),
        number("tga_share_pct", "Rise of the TGA as a percentage of the depth"),
        number("on_rrp_share_pct", "Rise of reverse repos as a percentage of the depth"),
        number("fed_assets_share_pct", "Fall of the Fed's assets as a percentage of the depth"),
        number("other_share_pct", "Currency and other liabilities as a percentage of the depth"),
        usd("reserves_start_usd_mn", "Reserve balances at the start", nullable=False),
        number(
            "reserves_of_fed_assets_pct",
            "Reserve balances at the start as a percentage of the Fed's assets",
            low=0,
            high=100,
        ),
        number(
            "reserves_of_bank_assets_pct",
            "Reserve balances at the start as a percentage of the bank assets published by then; "
            "NULL where there were none",
            low=0,
            high=100,
        ),
        MART_KNOWN_AT,
    ),
)

DRAIN_EPISODE_WEEKS = Table(
    "marts",
    "drain_episode_weeks",
    "State of the CUSUM behind marts.drain_episodes at the end of each week; never revised.",
    key=("week_ending",),
    reach="week_ending",
    rests_on=(RESERVES,),
    columns=(
        day("week_ending", "Wednesday"),
        usd("drain_reserves_usd_mn", "Fall of reserve balances", nullable=False),
        usd("allowance_usd_mn", "Usual drain: median of all earlier weeks", nullable=False),
        usd("threshold_usd_mn", "90th percentile of earlier 4-week drains", nullable=False),
        number(
            "cusum_usd_mn",
            "Cumulated drain in excess of the usual drain",
            nullable=False,
            low=0,
            high=1e7,
        ),
        text("episode_id", "Episode that is open in this week; NULL where none is", nullable=True),
        flag("is_open_at_end", "An episode is open, and this week has not closed it"),
        integer(
            "n_history", "Earlier weeks used for allowance and threshold", low=156, unit="weeks"
        ),
        MART_KNOWN_AT,
    ),
)
