"""The Fed's Treasury securities by CUSIP, week by week, from the New York Fed's Markets API.

Weekly totals are `ny_fed.collect_soma_holdings`'. One request a week, because the service has no
range; a week that is restated comes whole.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.contracts.sources.itemised import SOMA_SECURITIES
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.boundary import Name, nobody
from liquidity_pipeline.sources.errors import (
    NotRecordedError,
    NotServedError,
    PublisherError,
    RejectedError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Collected, Fetch
from liquidity_pipeline.sources.ny_fed_client import PUBLISHER, Record, distinct, records

if TYPE_CHECKING:
    import pyarrow as pa

_BY_SECURITY = "/api/soma/tsy/get/asof/{day}.json"
# Whether the label of floating-rate notes has an s at its end is not recorded.
_TYPES = {
    "Bills": "bills",
    "NotesBonds": "notes_bonds",
    "TIPS": "tips",
    "FRN": "frn",
    "FRNs": "frn",
}
# Treasuries have been beyond a hundred billion in every week since 2003.
_WEEK_USD = (1e11, 3e13)
_ONE_SECURITY_USD = 5e11

Week = list[dict[str, Any]]
Ask = Callable[[date], "pa.Table | PublisherError"]


def collect_soma_securities(fetch: Fetch) -> Collected:
    """Return {"soma_securities": rows}, par in USD millions, of all weeks that are public by now.

    A service that has neither the newest week nor the one before is taken not to have the table,
    which is a named gap: the newest alone may be late. So is any other week that does not come, or
    that comes damaged; the rest is kept. Raises PublisherError when not a single week could be had
    for another reason.
    """
    weeks = SOMA_SECURITIES.releases[""].due(fetch.window.start, fetch.last_day, fetch.now)
    if not weeks:
        return {"soma_securities": _table([])}
    ask = _asker(fetch)
    first = _first_answers(weeks, ask)
    # The service answers 400 to a path that it does not know.
    refused = [each for each in first if isinstance(each, NotServedError | RejectedError)]
    if len(refused) == len(first):
        fetch.gap(f"soma_securities: not served by nyfed ({refused[-1].problem})")
        return {"soma_securities": _table([])}
    answers = [*fetch.each(weeks[: -len(first)], ask), *first]
    found = [week for week in answers if not isinstance(week, PublisherError)]
    failed = {
        day: week
        for day, week in zip(weeks, answers, strict=True)
        if isinstance(week, PublisherError)
    }
    if not found:
        # The newest week was asked for first, with all attempts.
        raise failed[weeks[-1]]
    fetch.name_failures("nyfed did not give SOMA by security of", failed, "weeks,")
    import pyarrow as pa

    return {"soma_securities": pa.concat_tables(found)}


def _first_answers(weeks: list[date], ask: Ask) -> list[pa.Table | PublisherError]:
    """Return the newest week's answer; where it is refused, that of the week before comes first.

    Fetches of earlier versions, which archives hold, did not ask for the week before.
    """
    newest = ask(weeks[-1])
    if not isinstance(newest, NotServedError | RejectedError) or len(weeks) == 1:
        return [newest]
    try:
        return [ask(weeks[-2]), newest]
    except NotRecordedError:
        return [newest]


def _asker(fetch: Fetch) -> Ask:
    """Return what asks for one week, or says why it could not be had.

    Each week becomes a table at once: twenty years of them as Python objects take ten times as much
    memory.
    """

    def read(day: date) -> pa.Table:
        answer = fetch.get(PUBLISHER, _BY_SECURITY.format(day=day))
        return _table(parse_week(answer, day, fetch.left_out(f"soma_securities of {day}")))

    def ask(day: date) -> pa.Table | PublisherError:
        try:
            return fetch.understood(f"SOMA by security of {day}", lambda: read(day))
        except PublisherError as error:
            return error

    return ask


def parse_week(answer: Answer, day: date, name: Name = nobody) -> Week:
    """Return one row per CUSIP held on a Wednesday; a few that cannot be read are named.

    Raises UnexpectedPayloadError for rows of another day, unknown kinds, amounts that are no
    dollars, and a week without rows.
    """
    known_at = SOMA_SECURITIES.releases[""].known_at([day])[0]
    rows = distinct(
        records(answer, "soma", "holdings"),
        lambda record: _holding(record, day) | {"known_at": known_at},
        "cusip",
        name,
    )
    held = sum(row["par_usd_mn"] for row in rows) * 1e6
    if not _WEEK_USD[0] <= held <= _WEEK_USD[1]:
        raise UnexpectedPayloadError(
            f"{len(rows)} holdings of {held:g} in all, expected dollars (1e11 to 3e13).",
            publisher=PUBLISHER,
            url=answer.url,
        )
    return rows


def _holding(record: Record, day: date) -> dict[str, Any]:
    if record.text("asOfDate") != f"{day}":
        raise record.unexpected(f"asked for holdings as of {day}")
    par = record.number("parValue", required=True)
    if par is None or not 0 <= par <= _ONE_SECURITY_USD:
        raise record.unexpected(f"'parValue' is {par}, expected dollars (0 to 5e11)")
    share = record.number("percentOutstanding")
    if share is not None and not 0 <= share <= 1:
        raise record.unexpected(f"'percentOutstanding' is {share:g}, expected a fraction (0 to 1)")
    coupon = record.number("coupon")
    if coupon is not None and not 0 <= coupon <= 20:
        raise record.unexpected(f"'coupon' is {coupon:g}, expected percent (0 to 20)")
    inflation = record.number("inflationCompensation")
    if inflation is not None and abs(inflation) > _ONE_SECURITY_USD:
        raise record.unexpected(f"'inflationCompensation' is {inflation:g}, expected dollars")
    cusip = record.text("cusip")
    if not cusip:
        raise record.unexpected("a holding without a CUSIP")
    return {
        "as_of_date": day,
        "cusip": cusip,
        "holding_type": _TYPES[record.one_of("securityType", _TYPES)],
        "maturity_date": record.optional_day("maturityDate"),
        "coupon_pct": coupon,
        "par_usd_mn": par / 1e6,
        "inflation_usd_mn": None if inflation is None else inflation / 1e6,
        "share_outstanding_ratio": share,
    }


def _table(rows: Week) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=SOMA_SECURITIES.arrow_schema)
