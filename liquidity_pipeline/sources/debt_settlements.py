"""Settlements of marketable Treasury debt: issued, redeemed, bought back, and what will be.

How an auction, a buyback or an announcement becomes legs is told by their modules; what settles on
a day in total, and who pays, is for the marts.
"""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.contracts.sources.treasury import MATURING_HOLDINGS
from liquidity_pipeline.sources.announcements import collect_announcements
from liquidity_pipeline.sources.auctions import (
    AUCTIONS,
    collect_auctions,
    issue_legs,
    known_by,
    maturing_holdings,
    overdue,
    redemption_legs,
)
from liquidity_pipeline.sources.buybacks import collect_buybacks
from liquidity_pipeline.sources.errors import EmptyAnswerError, NotRecordedError
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.fiscal_client import PUBLISHER, between
from liquidity_pipeline.sources.settlement_rows import NO_LEGS, in_days

# A maturity on a Saturday before a holiday settles three days later, and the securities that
# refund it are issued then: a week on either side covers both.
_ROLL = timedelta(days=7)


def collect_debt_settlements(fetch: Fetch) -> dict[str, pa.Table]:
    """Collect `debt_settlements` and `maturing_holdings`, USD millions, for the whole window.

    Days of the window that lie ahead are included as far as they are announced. Issues,
    redemptions and buybacks are asked for apart: one that cannot be had is a named gap. Raises
    EmptyAnswerError for a window with a past week in which nothing was issued, and PublisherError
    where none of the three could be had.
    """
    start, end = fetch.window.start, fetch.window.end
    nothing = (NO_LEGS, MATURING_HOLDINGS.arrow_schema.empty_table())
    parts = fetch.parts(
        {
            "Treasury auctions, by day of issue": lambda: _issues(fetch),
            "Treasury auctions, by day of maturity": lambda: (_redemptions(fetch), nothing[1]),
            "Treasury buybacks": lambda: (collect_buybacks(fetch), nothing[1]),
        }
    )
    legs, holdings = (pa.concat_tables(tables) for tables in zip(nothing, *parts, strict=True))
    return {
        "debt_settlements": in_days(legs, "settlement_date", start, end),
        "maturing_holdings": in_days(holdings, "maturing_date", start, end),
    }


def _issues(fetch: Fetch) -> tuple[pa.Table, pa.Table]:
    """Return the issue legs, and who holds what they refund."""
    start, end = fetch.window.start, fetch.window.end
    issued = collect_auctions(fetch, between("issue_date", start, end + _ROLL))
    if fetch.last_day - start >= _ROLL and issued.num_rows == 0:
        raise EmptyAnswerError(
            f"no auction issued from {start} to {end}, though bills are issued every week",
            publisher=PUBLISHER,
            url=AUCTIONS,
        )
    late = overdue(issued, fetch.today)
    if late.num_rows:
        since = pc.min(late["auction_date"])
        fetch.gap(f"no auction results since {since}, {late.num_rows} auctions overdue")
    return issue_legs(issued), maturing_holdings(issued)


def _redemptions(fetch: Fetch) -> pa.Table:
    start, end = fetch.window.start, fetch.window.end
    return redemption_legs(collect_auctions(fetch, between("maturity_date", start - _ROLL, end)))


def collect_upcoming_settlements(fetch: Fetch) -> dict[str, pa.Table]:
    """Collect `upcoming_settlements`, USD millions, as it was known at `fetch.now`.

    Issue legs of all that is announced or auctioned and issued after today, redemption legs of
    all that settles after today, and issue legs of auctions that only the announcements feed has.
    The redemption legs are all marketable debt that is outstanding, bonds included that were
    auctioned before the first stored month. The feed keeps no history: what it scheduled at an
    earlier `now` cannot be known. Raises EmptyAnswerError if nothing matures; a feed that is not
    served is a named gap.
    """
    tomorrow = fetch.today + timedelta(days=1)
    announced = collect_auctions(fetch, (f"issue_date:gte:{tomorrow}",))
    maturing, horizon = _outstanding(fetch)
    if maturing.num_rows == 0:
        raise EmptyAnswerError(
            f"nothing matures after {fetch.today}, though bills mature every week",
            publisher=PUBLISHER,
            url=AUCTIONS,
        )
    announced, maturing = known_by(announced, fetch.now), known_by(maturing, fetch.now)
    scheduled = fetch.or_gap(
        lambda: collect_announcements(fetch, announced), NO_LEGS, "Treasury announcements feed"
    )
    redemptions = in_days(redemption_legs(maturing), "settlement_date", tomorrow, horizon)
    legs = [issue_legs(announced), redemptions, scheduled]
    return {"upcoming_settlements": pa.concat_tables(legs)}


def _outstanding(fetch: Fetch) -> tuple[pa.Table, date]:
    """Return the auctions of all that is outstanding, and the last day that was asked for.

    Fetches of earlier versions, which archives hold, asked for the maturities of twelve months.
    """
    since = fetch.today + timedelta(days=1) - _ROLL
    try:
        return collect_auctions(fetch, (f"maturity_date:gte:{since}",)), date.max
    except NotRecordedError:
        horizon = _a_year_after(fetch.today)
        return collect_auctions(fetch, between("maturity_date", since, horizon)), horizon


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)
