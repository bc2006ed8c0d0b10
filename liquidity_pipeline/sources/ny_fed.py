"""New York Fed Markets API: reference rates, outright operations, repo operations, SOMA holdings.

Day-level sums and spreads do not belong here: one row is one rate on a day, or one operation.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import TYPE_CHECKING, Any

from liquidity_pipeline import calendars
from liquidity_pipeline.calendars import Release
from liquidity_pipeline.contracts.sources.federal_reserve import (
    FED_OPERATIONS,
    REFERENCE_RATES,
    REPO_OPERATIONS,
    SOMA_HOLDINGS,
)
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.boundary import Name, declared, nobody, report, sift
from liquidity_pipeline.sources.errors import EmptyAnswerError, UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Collected, Fetch
from liquidity_pipeline.sources.ny_fed_client import (
    PUBLISHER,
    Record,
    distinct,
    records,
    told_apart,
)

if TYPE_CHECKING:
    import pyarrow as pa

_RATES = "/api/rates/all/search.json"
_OUTRIGHT = "/api/tsy/all/results/summary/search.json"
_REPO = "/api/rp/results/search.json"
_SOMA = "/api/soma/summary.json"

_PERCENT_FIELDS = {
    "rate_pct": "percentRate",
    "p1_pct": "percentPercentile1",
    "p25_pct": "percentPercentile25",
    "p75_pct": "percentPercentile75",
    "p99_pct": "percentPercentile99",
    "target_from_pct": "targetRateFrom",
    "target_to_pct": "targetRateTo",
}
_REVISED_AT = time(14, 30)

_SECURITY_CLASS = {"Bill": "bill", "Coupon": "coupon", "TIPS": "tips", "FRN": "frn"}
_DIRECTION = {"P": ("purchase", "Purchase"), "S": ("sale", "Sale")}
_SMALL_VALUE_USD_MN = 500.0

_SINCE = {kind: release.since or date.max for kind, release in REPO_OPERATIONS.releases.items()}
_REPO_METHODS = ("Fixed Rate", "Full Allotment", "Multiple Price", "Single Price")

_SOMA_FIELDS = {
    "bills_usd_mn": "bills",
    "notes_bonds_usd_mn": "notesbonds",
    "tips_usd_mn": "tips",
    "frn_usd_mn": "frn",
    "tips_inflation_usd_mn": "tipsInflationCompensation",
    "mbs_usd_mn": "mbs",
    "cmbs_usd_mn": "cmbs",
    "agencies_usd_mn": "agencies",
    "total_usd_mn": "total",
}


def collect_reference_rates(fetch: Fetch) -> Collected:
    """Return {"reference_rates": rows}: percent per annum, volumes in USD bn.

    A rate has rows only on days of its calendar. A row on another day (EFFR has one, on Sunday
    2003-07-20) and a row without a rate are left out and named; so is a rate that has no row.
    """
    answer = fetch.get(PUBLISHER, _RATES, _span(fetch))
    rows = parse_reference_rates(answer, fetch.left_out("reference_rates"))
    rows = _inside(REFERENCE_RATES, rows, fetch)
    kept = []
    for rate, release in REFERENCE_RATES.releases.items():
        own = [row for row in rows if row["rate"] == rate]
        own_days = set(calendars.days(release.calendar, fetch.window.start, fetch.last_day))
        if not own and _is_due(release, fetch):
            fetch.gap(f"{rate}: nyfed has none from {fetch.window.start} to {fetch.last_day}")
        for row in own:
            if row["rate_pct"] is None:
                fetch.gap(f"{rate}: nyfed has no value for {row['effective_date']}")
            elif row["effective_date"] in own_days:
                kept.append(row)
            else:
                fetch.gap(f"{rate}: left out {row['effective_date']}, no {release.calendar} day")
    return _collected(REFERENCE_RATES, kept, fetch, answer)


@declared("rows of rates", publisher=PUBLISHER)
def parse_reference_rates(answer: Answer, name: Name = nobody) -> list[dict[str, Any]]:
    """Return one row per day and rate; of two, the one with a revision mark is the rate.

    A few rows with an unknown rate, a changed unit, or without a mark beside a different one are
    left out and named; raises UnexpectedPayloadError where they are more than half.
    """
    # SOFRAI is averages and an index of SOFR, under their day of publication.
    found = [r for r in records(answer, "refRates") if r.fields.get("type") != "SOFRAI"]

    def understood(record: Record) -> tuple[Record, dict[str, Any]]:
        with declared("a rate", publisher=PUBLISHER, url=answer.url):
            return record, _rate(record)

    rows: dict[tuple[date, str], dict[str, Any]] = {}
    errors: dict[tuple[date, str], UnexpectedPayloadError] = {}
    for record, row in sift(found, understood, name):
        key = row["effective_date"], row["rate"]
        before = rows.get(key, row)
        if before != row and bool(before["revision"]) == bool(row["revision"]):
            errors[key] = record.unexpected("comes twice with different values")
        rows[key] = row if row["revision"] else before
    report(list(errors.values()), len(rows), name)
    return [row for key, row in rows.items() if key not in errors]


def _rate(record: Record) -> dict[str, Any]:
    rate = record.one_of("type", REFERENCE_RATES.releases)
    day = record.day("effectiveDate")
    row: dict[str, Any] = {"effective_date": day, "rate": rate}
    for column, name in _PERCENT_FIELDS.items():
        value = record.number(name, required=name == "percentRate")
        if value is not None and not -5 <= value <= 30:
            raise record.unexpected(f"'{name}' is {value:g}, expected percent a year (-5 to 30)")
        row[column] = value
    volume = record.number("volumeInBillions")
    if volume is not None and not 1 <= volume <= 20_000:
        raise record.unexpected(f"volume is {volume:g}, expected USD bn (1 to 20,000)")
    revision = record.text("revisionIndicator", "") or None
    release = REFERENCE_RATES.releases[rate]
    if revision:
        release = replace(release, at=_REVISED_AT)
    known_at = release.known_at([day])[0]
    return row | {"volume_usd_bn": volume, "revision": revision, "known_at": known_at}


def collect_fed_operations(fetch: Fetch) -> Collected:
    """Return {"fed_operations": rows}, par in USD mn; a window without operations is in order."""
    answer = fetch.get(PUBLISHER, _OUTRIGHT, _span(fetch))
    return _collected(
        FED_OPERATIONS,
        parse_fed_operations(answer, fetch.left_out("fed_operations")),
        fetch,
        answer,
    )


@declared("rows of operations or holdings", publisher=PUBLISHER)
def parse_fed_operations(answer: Answer, name: Name = nobody) -> list[dict[str, Any]]:
    """Return one row per outright operation."""
    found = told_apart(records(answer, "treasury", "auctions"))
    return distinct(found, _outright, "operation_id", name)


def _outright(record: Record) -> dict[str, Any]:
    record.one_of("auctionStatus", ("Results",))
    day = record.day("operationDate")
    label = record.text("operationType")
    direction, verb = _DIRECTION[record.one_of("operationDirection", _DIRECTION)]
    words = label.split()
    # The class decides the sign in one of the two conventions, so none is guessed.
    security_class = _SECURITY_CLASS.get(" ".join(words[1:-1]))
    if words[:1] != ["Outright"] or words[-1] != verb or security_class is None:
        known = ", ".join(_SECURITY_CLASS)
        raise record.unexpected(
            f"unknown operationType '{label}', expected 'Outright … {verb}' with one of {known}"
        )
    accepted = record.par_usd_mn("totalParAmtAccepted")
    return {
        "operation_id": record.operation_id(day),
        "operation_date": day,
        "settlement_date": record.day("settlementDate"),
        "operation_type": label,
        "security_class": security_class,
        "direction": direction,
        "accepted_usd_mn": accepted,
        "submitted_usd_mn": record.par_usd_mn("totalParAmtSubmitted"),
        "maturity_from": record.optional_day("maturityRangeStart"),
        "maturity_to": record.optional_day("maturityRangeEnd"),
        "is_small_value": accepted is not None and accepted < _SMALL_VALUE_USD_MN,
        "note": record.text("note", "") or None,
        "known_at": record.known_at(day, time(16, 0), minutes=20),
    }


def collect_repo_operations(fetch: Fetch) -> Collected:
    """Return {"repo_operations": rows}, in USD mn, one row per operation: sum per day and kind.

    The search of results holds both directions with terms and times. The list of reverse repo
    propositions is left alone: it repeats the same operations without their terms.
    """
    answer = fetch.get(PUBLISHER, _REPO, _span(fetch))
    return _collected(
        REPO_OPERATIONS,
        parse_repo_operations(answer, fetch.left_out("repo_operations")),
        fetch,
        answer,
    )


@declared("rows of operations or holdings", publisher=PUBLISHER)
def parse_repo_operations(answer: Answer, name: Name = nobody) -> list[dict[str, Any]]:
    """Return one row per repo or reverse repo operation."""
    found = told_apart(records(answer, "repo", "operations"))
    return distinct(found, _repo, "operation_id", name)


def _repo(record: Record) -> dict[str, Any]:
    record.one_of("auctionStatus", ("Results",))
    day = record.day("operationDate")
    kind = _repo_kind(record, day)
    close = time(13, 16) if kind == "on_rrp" else time(13, 46)
    return {
        "operation_id": record.operation_id(day),
        "operation_date": day,
        "kind": kind,
        "method": record.text("operationMethod"),
        "settlement_date": record.optional_day("settlementDate"),
        "maturity_date": record.optional_day("maturityDate"),
        "submitted_usd_mn": record.par_usd_mn("totalAmtSubmitted"),
        "accepted_usd_mn": record.par_usd_mn("totalAmtAccepted"),
        "is_small_value": _is_exercise(record, day),
        "note": record.text("note", "") or None,
        "known_at": record.known_at(day, close, minutes=1),
    }


def _repo_kind(record: Record, day: date) -> str:
    """Tell the two overnight facilities from term, mortgage and earlier operations."""
    reverse = record.one_of("operationType", ("Repo", "Reverse Repo")) == "Reverse Repo"
    method = record.one_of("operationMethod", _REPO_METHODS)
    kind = "on_rrp" if reverse else "srf"
    if reverse:
        details = record.fields.get("details") or ()
        taken = {part.get("securityType") for part in details if part.get("amtAccepted")}
        facility = method == "Fixed Rate" and taken <= {"Treasury"}
    else:
        facility = method in ("Multiple Price", "Full Allotment")
    if facility and day >= _SINCE[kind] and _is_overnight(record):
        return kind
    return "reverse_repo" if reverse else "repo"


def _is_overnight(record: Record) -> bool:
    if "term" in record.fields:
        return record.one_of("term", ("Overnight", "Term")) == "Overnight"
    next_day = calendars.shift("sifma", [record.day("settlementDate")], 1)[0]
    return record.day("maturityDate") <= next_day


def _is_exercise(record: Record, day: date) -> bool:
    """Tell a test of systems by its note or, since there is the standing facility, by its hour.

    The Desk holds tests between 10:00 and 11:00, the facilities never; two (2023-05-23,
    2024-09-24) carry no note.
    """
    at_test_hour = day >= _SINCE["srf"] and record.text("releaseTime", "").startswith("10:")
    return at_test_hour or "small value" in record.text("note", "").lower()


def collect_soma_holdings(fetch: Fetch) -> Collected:
    """Return {"soma_holdings": rows} of the window, par in USD mn; the whole history is served.

    The publisher's total leaves out the inflation compensation on TIPS.
    """
    answer = fetch.get(PUBLISHER, _SOMA)
    rows = parse_soma_holdings(answer, fetch.left_out("soma_holdings"))
    if (
        rows
        and not _inside(SOMA_HOLDINGS, rows, fetch)
        and _is_due(SOMA_HOLDINGS.releases[""], fetch)
    ):
        fetch.gap(f"soma_holdings: nyfed has none from {fetch.window.start} to {fetch.last_day}")
        return {"soma_holdings": SOMA_HOLDINGS.arrow_schema.empty_table()}
    return _collected(SOMA_HOLDINGS, rows, fetch, answer)


@declared("rows of operations or holdings", publisher=PUBLISHER)
def parse_soma_holdings(answer: Answer, name: Name = nobody) -> list[dict[str, Any]]:
    """Return one row per week."""
    return distinct(records(answer, "soma", "summary"), _soma, "as_of_date", name)


def _soma(record: Record) -> dict[str, Any]:
    day = record.day("asOfDate")
    dollars = {column: record.number(name, required=True) for column, name in _SOMA_FIELDS.items()}
    # The largest holding has been beyond a hundred billion in every week since 2003.
    holdings = (dollars[column] or 0 for column in dollars if column != "tips_inflation_usd_mn")
    largest = max(holdings)
    if not 1e11 <= largest <= 3e13:
        raise record.unexpected(f"largest holding {largest:g}, expected dollars (1e11 to 3e13)")
    return {
        "as_of_date": day,
        **{column: None if value is None else value / 1e6 for column, value in dollars.items()},
        "known_at": SOMA_HOLDINGS.releases[""].known_at([day])[0],
    }


def _span(fetch: Fetch) -> dict[str, str | int]:
    """Return the query for the window; the service's own default start is today."""
    return {"startDate": fetch.window.start.isoformat(), "endDate": fetch.last_day.isoformat()}


def _collected(
    table: Table, rows: list[dict[str, Any]], fetch: Fetch, answer: Answer
) -> dict[str, pa.Table]:
    """Return the window's rows; refuse none at all where the calendar says that some are due."""
    import pyarrow as pa

    inside = _inside(table, rows, fetch)
    if not inside and any(_is_due(release, fetch) for release in table.releases.values()):
        span = f"from {fetch.window.start} to {fetch.last_day}"
        raise EmptyAnswerError(
            f"no rows {span}, where rows are due for {table.name}.",
            publisher=PUBLISHER,
            url=answer.url,
        )
    return {table.name: pa.Table.from_pylist(inside, schema=table.arrow_schema)}


def _inside(table: Table, rows: list[dict[str, Any]], fetch: Fetch) -> list[dict[str, Any]]:
    return [row for row in rows if fetch.window.start <= row[str(table.day)] <= fetch.last_day]


def _is_due(release: Release, fetch: Fetch) -> bool:
    return bool(release.due(fetch.window.start, fetch.last_day, fetch.now))
