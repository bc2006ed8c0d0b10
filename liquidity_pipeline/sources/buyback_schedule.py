"""Treasury's tentative schedule of buybacks: operations of the quarter, with their maxima.

One XML file with a stable address, replaced at each quarterly refunding and again when maxima are
revised. Full dollars on the wire, USD millions here. What Treasury has announced or bought is not
in it; see `buybacks_operations`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder, XMLParser

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.sources.itemised import BUYBACK_SCHEDULE
from liquidity_pipeline.sources import buyback_buckets
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.boundary import Name, declared, nobody, report, sift
from liquidity_pipeline.sources.errors import NotServedError, UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Collected, Fetch

PUBLISHER = "treasury"
PATH = "/system/files/221/Tentative-Buyback-Schedule.xml"

_ROOT, _ROW = "BuyBackCalendar", "BuybackCalendarDate"
# Treasury publishes a quarter's schedule with its refunding statement.
_PUBLISHED = time(8, 30)
_SMALLEST_USD, _LARGEST_USD = 1e5, 1e12
_SECURITY_TYPES = {
    label.casefold(): label for label in (buyback_buckets.NOMINAL, buyback_buckets.TIPS)
}
_KEY = BUYBACK_SCHEDULE.key
Row = dict[str, Any]


@dataclass(frozen=True)
class Schedule:
    """One version of the schedule: its name, its first and last day, and a row per operation."""

    name: str
    start: date
    end: date
    rows: list[Row]


def collect_buyback_schedule(fetch: Fetch) -> Collected:
    """Return `buyback_schedule`, USD millions: the whole file, of whatever quarter it is.

    Raises UnexpectedPayloadError for another document. A file that is not there, a schedule that
    is over, and one that was published after `fetch.now` are named gaps.
    """
    import pyarrow as pa

    schema = BUYBACK_SCHEDULE.arrow_schema
    try:
        answer = fetch.get(PUBLISHER, PATH, form="xml")
    except NotServedError as error:
        fetch.gap(f"buyback_schedule: {error.problem}")
        return {BUYBACK_SCHEDULE.name: schema.empty_table()}
    found = parse(answer.body, answer.url, fetch.left_out("buyback_schedule"))
    known_at = public_since(answer, found)
    if known_at > fetch.now:
        fetch.gap(
            f"buyback_schedule: '{found.name}' was published on {known_at.date()}; what was "
            "scheduled before is no longer served"
        )
    if found.end < fetch.today:
        fetch.gap(f"buyback_schedule: '{found.name}' ended on {found.end}, with none after it")
    rows = [row | {"schedule": found.name, "known_at": known_at} for row in found.rows]
    return {BUYBACK_SCHEDULE.name: pa.Table.from_pylist(rows, schema=schema)}


def public_since(answer: Answer, schedule: Schedule) -> datetime:
    """Return since when this version is public, naive UTC: when its file was last changed.

    Where the service does not say that, a first version (V1) is taken to be public since the first
    day that it covers, a revised one since it was fetched; in no case later than it was fetched.
    """
    changed = _moment(answer.headers.get("last-modified", ""))
    if changed is None and schedule.name.endswith("V1"):
        changed = calendars.utc(schedule.start, _PUBLISHED)
    return min(changed or answer.fetched_at, answer.fetched_at)


def _moment(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


class _NoDocumentType(TreeBuilder):
    """Builds the tree of a document without a document type.

    Entities, and whatever else a document type may define or fetch, are refused with it.
    """

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        raise UnexpectedPayloadError(f"expected no document type, got '{name[:50]}'")


@declared("Treasury's tentative buyback schedule", publisher=PUBLISHER)
def parse(body: bytes, url: str = "", name: Name = nobody) -> Schedule:
    """Return the schedule in a file; `rows` have the columns of the table but for its own two.

    A row that cannot be read is left out and named, and so are two different rows of one key.
    Raises UnexpectedPayloadError for another document, and where most rows cannot be read.
    """
    try:
        parser = XMLParser(target=_NoDocumentType())  # noqa: S314 - it refuses a document type
        parser.feed(body)
        root = parser.close()
    except UnexpectedPayloadError as error:
        raise _error(error.problem, url) from None
    if root.tag != _ROOT:
        raise _error(f"expected the root {_ROOT}, got {root.tag[:50]}", url)
    elements = root.findall(_ROW)
    if not elements:
        raise _error(f"expected elements {_ROW}, got none", url)
    rows = sift(elements, lambda element: _row(element, url), name)
    return Schedule(
        _text(root, "BuybackCalendarName", url),
        _day(root, "StartDate", url),
        _day(root, "EndDate", url),
        _once(rows, url, name),
    )


def _error(problem: str, url: str) -> UnexpectedPayloadError:
    return UnexpectedPayloadError(problem, publisher=PUBLISHER, url=url)


def _row(element: Element, url: str) -> Row:
    label = _text(element, "SecurityType", url)
    security_type = _SECURITY_TYPES.get(label.casefold(), label)
    bucket = _text(element, "PurchaseBucketName", url)
    # The file names a bucket with its securities, the operations without them.
    if bucket.casefold().startswith(security_type.casefold()):
        bucket = bucket[len(security_type) :].strip()
    kind = buyback_buckets.security_class(security_type, bucket)
    if kind is None:
        raise _error(f"unknown buyback of '{label}', '{bucket}'; {buyback_buckets.EXPECTED}", url)
    opens = _read(element, "OperationStartTimeEasternUS", time.fromisoformat, url)
    return {
        "operation_date": _day(element, "OperationDate", url),
        "start_time": f"{opens:%H:%M}",
        "settlement_date": _day(element, "SettlementDate", url),
        "operation_type": _text(element, "OperationType", url),
        "security_type": security_type,
        "maturity_bucket": bucket,
        "security_class": kind,
        "maximum_usd_mn": _maximum(element, url),
    }


def _text(element: Element, tag: str, url: str) -> str:
    found = " ".join((element.findtext(tag) or "").split())
    if not found:
        raise _error(f"expected a value in {tag}, got none", url)
    return found


def _read(element: Element, tag: str, read: Callable[[str], Any], url: str) -> Any:
    text = _text(element, tag, url)
    try:
        return read(text)
    except ValueError:
        raise _error(f"{tag} is '{text[:50]}', which cannot be read", url) from None


def _day(element: Element, tag: str, url: str) -> date:
    day: date = _read(element, tag, date.fromisoformat, url)
    return day


def _maximum(element: Element, url: str) -> float | None:
    """Return USD millions, or None for an empty maximum: the file then does not say how much."""
    tag = "MaximumPurchaseAmountDollars"
    if not (element.findtext(tag) or "").strip():
        return None
    dollars: float = _read(element, tag, float, url)
    if dollars and not _SMALLEST_USD <= dollars <= _LARGEST_USD:
        raise _error(f"{tag} is {dollars:g}; expected full dollars", url)
    return dollars / 1e6


def _once(rows: list[Row], url: str, name: Name) -> list[Row]:
    """Return each operation once; two different rows of one operation are left out and named."""
    found: dict[tuple[Any, ...], Row] = {}
    differing: set[tuple[Any, ...]] = set()
    for row in rows:
        key = tuple(row[column] for column in _KEY)
        if found.setdefault(key, row) != row:
            differing.add(key)
    errors = [_error(f"{key} comes twice with different values", url) for key in sorted(differing)]
    report(errors, len(found), name)
    return [row for key, row in found.items() if key not in differing]
