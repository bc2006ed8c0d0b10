"""The OFR's index: read as it stands, known two Fed business days later, refused when changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from liquidity_pipeline.contracts.sources.markets import OFR_FSI
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.sources import ofr
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.errors import EmptyAnswerError, UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Fetch

HEADER = ",".join(ofr.HEADINGS.values())
# Two rows of the publisher's file, and one without an index.
BODY = f"""{HEADER}
2026-08-18,-2.661,-1.156,-0.587,-0.315,-0.119,-0.484,-1.299,-0.813,-0.55
2026-08-19,-2.624,-1.172,-0.572,-0.318,-0.094,-0.468,-1.305,-0.775,-0.544
2026-08-20,,,,,,,,,
""".encode()


class Canned:
    """A transport that has one answer."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def get(
        self, publisher: str, path: str, params: object = None, *, form: str = "json"
    ) -> Answer:
        assert (publisher, path, form) == ("ofr", "/financial-stress-index/data/fsi.csv", "csv")
        at = datetime.now(UTC).replace(tzinfo=None)
        return Answer(publisher, path, "http://ofr", 200, {}, self.body, at)


def test_rows_are_taken_as_published(make_fetch: Callable[..., Fetch]) -> None:
    fetch = make_fetch(Canned(BODY), date(2026, 8, 1), date(2026, 8, 31))
    rows = validate(OFR_FSI, ofr.collect_ofr_fsi(fetch)["ofr_fsi"]).to_pylist()
    assert [row["date"] for row in rows] == [date(2026, 8, 18), date(2026, 8, 19)]
    assert rows[1]["fsi"] == -2.624
    parts = ("credit", "equity_valuation", "safe_assets", "funding", "volatility")
    assert sum(rows[1][name] for name in parts) == pytest.approx(-2.624, abs=0.002)


def test_a_day_is_known_two_fed_business_days_later(make_fetch: Callable[..., Fetch]) -> None:
    body = f"{HEADER}\n2026-09-03{',1' * 9}\n".encode()
    fetch = make_fetch(Canned(body), date(2026, 9, 1), date(2026, 9, 30))
    # Thursday; Friday is one, Monday is Labor Day, Tuesday at 10:00 New York is 14:00 UTC.
    known = ofr.collect_ofr_fsi(fetch)["ofr_fsi"]["known_at"].to_pylist()
    assert known == [datetime.fromisoformat("2026-09-08 14:00")]


def test_days_outside_the_window_and_days_to_come_are_left_out(
    make_fetch: Callable[..., Fetch],
) -> None:
    days = ("2026-06-30", "2026-07-01", "2026-07-31", "2026-08-03")
    lines = "\n".join(f"{day}{',1' * 9}" for day in days)
    for now, kept in (("2026-08-10", [1, 31]), ("2026-07-10", [1])):
        moment = datetime.fromisoformat(now)
        body = f"{HEADER}\n{lines}\n".encode()
        fetch = make_fetch(Canned(body), date(2026, 7, 1), date(2026, 7, 31), moment)
        found = ofr.collect_ofr_fsi(fetch)["ofr_fsi"]["date"].to_pylist()
        assert found == [date(2026, 7, day) for day in kept]


@pytest.mark.parametrize("body", [f"{HEADER}\n".encode(), BODY])
def test_a_file_without_a_day_that_is_due_is_no_answer(
    make_fetch: Callable[..., Fetch], body: bytes
) -> None:
    # On 7 July the days until 2 July are due: the 3rd is a holiday.
    now = datetime.fromisoformat("2026-07-07 20:00")
    fetch = make_fetch(Canned(body), date(2026, 7, 1), date(2026, 7, 31), now)
    with pytest.raises(EmptyAnswerError, match="2 days from 2026-07-01 to 2026-07-02 are due"):
        ofr.collect_ofr_fsi(fetch)
    fetch = make_fetch(Canned(body), date(1999, 7, 1), date(1999, 7, 31), now)
    assert ofr.collect_ofr_fsi(fetch)["ofr_fsi"].num_rows == 0


@pytest.mark.parametrize(
    "body", [b"Date,OFR FSI\n2026-08-18,1\n", f"{HEADER}\n18 August{',1' * 9}\n".encode()]
)
def test_a_file_of_another_form_is_refused(body: bytes) -> None:
    with pytest.raises(UnexpectedPayloadError, match="expected"):
        ofr.parse(body)


@pytest.mark.replay
def test_the_recorded_history_is_read_whole(
    replay: Callable[..., str], make_fetch: Callable[..., Fetch]
) -> None:
    fetch = make_fetch(replay(), date(2008, 9, 1), date(2008, 12, 31))
    rows = validate(OFR_FSI, ofr.collect_ofr_fsi(fetch)["ofr_fsi"])
    assert max(rows["fsi"].to_pylist()) > 25  # the crisis of 2008 is the highest of the record
