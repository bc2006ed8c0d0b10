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

_SHARE_NOTE = "to the trough; the four parts add up to depth; NULL where a week of it is unknown"

DRAIN_EPISODES = Table(
    "marts",
    "drain_episodes",
    "Spells in which reserve balances fell faster than usual, found by a one-sided CUSUM on the "
    "weekly drain. Many are ordinary seasons: those with is_alarm took a tenth of all reserves. "
    "Closed episodes are never rewritten; the open one changes each week, and is absent while a "
    "week that is due has not come.",
    key=("episode_id",),
    reach="trough_date",
    rests_on=(RESERVES, replace(RESERVES, is_current=True, only={"is_open": ("true",)})),
    columns=(
        text("episode_id", "drain- and the start date"),
        day("start_date", "Wednesday from whose level reserves fell"),
        day("flagged_date", "Wednesday at whose end the CUSUM passed its threshold"),
        day("end_date", "Wednesday at whose end it closed; NULL while open", nullable=True),
        flag("is_open", "Not closed yet: every other column may still change"),
        text("closed_by", "What closed it", nullable=True, allowed=CLOSED_BY),
        flag("is_alarm", "Reserves fell by 10 % or more of what they were at the start"),
        day("alarm_date", "Wednesday at whose end they had; NULL without alarm", nullable=True),
        integer("duration_days", "Days from start to end, or to the newest week", low=7),
        day("trough_date", "Wednesday with the lowest reserves of the episode"),
        usd("depth_usd_mn", "Fall of reserves from start to trough", nullable=False),
        number("depth_pct", "Depth over reserves at the start", nullable=False, high=100),
        usd("tga_usd_mn", f"Rise of the TGA {_SHARE_NOTE}"),
        usd("on_rrp_usd_mn", f"Rise of reverse repos {_SHARE_NOTE}"),
        usd("fed_assets_usd_mn", f"Fall of the Fed's assets {_SHARE_NOTE}"),
        usd("other_usd_mn", f"Currency and other liabilities {_SHARE_NOTE}"),
        number("tga_share_pct", "TGA over depth"),
        number("on_rrp_share_pct", "Reverse repos over depth"),
        number("fed_assets_share_pct", "Fed's assets over depth"),
        number("other_share_pct", "The rest over depth"),
        usd("reserves_start_usd_mn", "Reserve balances at the start", nullable=False),
        number("reserves_of_fed_assets_pct", "The same over the Fed's assets", low=0, high=100),
        number(
            "reserves_of_bank_assets_pct",
            "The same over bank assets as last known at the start; NULL where none was",
            low=0,
            high=100,
        ),
        MART_KNOWN_AT,
    ),
)

DRAIN_EPISODE_WEEKS = Table(
    "marts",
    "drain_episode_weeks",
    "State of the CUSUM behind marts.drain_episodes at the end of each week; never rewritten.",
    key=("week_ending",),
    reach="week_ending",
    rests_on=(RESERVES,),
    columns=(
        day("week_ending", "Wednesday"),
        usd("drain_reserves_usd_mn", "Fall of reserve balances", nullable=False),
        usd("allowance_usd_mn", "Usual drain: median of all earlier weeks", nullable=False),
        usd("threshold_usd_mn", "90th percentile of earlier 4-week drains", nullable=False),
        number("cusum_usd_mn", "Drain cumulated beyond the usual", nullable=False, low=0, high=1e7),
        text("episode_id", "Episode open in this week; NULL in none", nullable=True),
        flag("is_open_at_end", "An episode is open, and this week has not closed it"),
        integer("n_history", "Earlier weeks behind both", low=156, unit="weeks"),
        MART_KNOWN_AT,
    ),
)
