"""Treasury's own site: the tentative schedule of buybacks, one XML file per refunding quarter.

Published at the quarterly refunding, for the operations until the next one, and revised once six
weeks later: until then the maximum of the last operation is left open. A path that does not exist
is answered with a page of HTML and status 200.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from liquidity_pipeline.sandbox import buybacks, days
from liquidity_pipeline.sandbox.buybacks import Line
from liquidity_pipeline.sandbox.publishers.wire import HTML, Reply, Request, World

PREFIX = "treasury"
_FILE = "system/files/221/Tentative-Buyback-Schedule.xml"
_PAGE = "<!DOCTYPE html>\n<html><head><title>Treasury</title></head><body></body></html>\n"
_REFUNDING_MONTHS = {2: "February", 5: "May", 8: "August", 11: "November"}
_REVISED_AFTER = 42
_MN = 1_000_000


def answer(world: World, request: Request) -> Reply:
    """Answer one request below `/treasury`."""
    refunding = _refunding(world.now)
    if request.path != _FILE or refunding < days.day(2024, 5, 1):
        return Reply(200, _PAGE, HTML)
    revised = _morning(refunding + _REVISED_AFTER)
    is_revised = revised <= world.now
    changed = datetime.fromtimestamp(revised if is_revised else _morning(refunding), UTC)
    headers = {"Last-Modified": format_datetime(changed, usegmt=True)}
    body = _document(refunding, is_revised=is_revised)
    return Reply(200, body, "application/xml", headers)


def _morning(day: int) -> int:
    return days.new_york_time(day, 8, 30)


def _refunding(now: int) -> int:
    """Return the day of the newest refunding: the first Wednesday of its month, at 08:30."""
    found = days.date_of(now // 86400)
    month = days.day(found.year, found.month, 1)
    while True:
        when = days.date_of(month)
        day = days.nth_weekday(when.year, when.month, days.WEDNESDAY, 1)
        if when.month in _REFUNDING_MONTHS and _morning(day) <= now:
            return day
        month = days.add_months(month, -1)


def _document(refunding: int, *, is_revised: bool) -> str:
    when = days.date_of(refunding)
    following = days.date_of(days.add_months(refunding - when.day + 1, 3))
    last = days.nth_weekday(following.year, following.month, days.WEDNESDAY, 1)
    planned = [
        (day, line)
        for day in days.days_between(days.is_fed, refunding + 1, last).tolist()
        for line in buybacks.held_on(day)
        if days.shift(day, 1) >= buybacks.SINCE
    ]
    name = f"{_REFUNDING_MONTHS[when.month]} {when.year} Refunding Tentative Buyback Calendar"
    rows = "".join(
        _row(day, line, is_open=not is_revised and place == len(planned) - 1)
        for place, (day, line) in enumerate(planned)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<BuyBackCalendar>\n'
        f"  <BuybackCalendarName>{name} V{1 + is_revised}</BuybackCalendarName>\n"
        f"  <StartDate>{days.iso(planned[0][0])}</StartDate>\n"
        f"  <EndDate>{days.iso(planned[-1][0])}</EndDate>\n{rows}</BuyBackCalendar>\n"
    )


def _row(day: int, line: Line, *, is_open: bool) -> str:
    hour, minute = line.opens
    end_hour, end_minute = divmod(60 * hour + minute + 20, 60)
    values = {
        "PurchaseBucketName": f"{line.security_type} {line.bucket}",
        "SecurityType": line.security_type.upper(),
        "OperationType": line.operation_type,
        "MinimumPurchaseAmountDollars": "0",
        "MaximumPurchaseAmountDollars": "" if is_open else str(line.maximum * _MN),
        "MaturityDateRangeStart": days.iso(day + line.near),
        "MaturityDateRangeEnd": days.iso(day + line.far),
        "AnnouncementDate": days.iso(days.shift(day, -1)),
        "OperationDate": days.iso(day),
        "SettlementDate": days.iso(days.shift(day, 1)),
        "OperationStartTimeEasternUS": f"{hour:02d}:{minute:02d}",
        "OperationEndTimeEasternUS": f"{end_hour:02d}:{end_minute:02d}",
    }
    cells = "".join(f"    <{tag}>{value}</{tag}>\n" for tag, value in values.items())
    return f"  <BuybackCalendarDate>\n{cells}  </BuybackCalendarDate>\n"
