"""Daily prices of the followed symbols: which provider's price is used on which day.

The providers' formats belong to their own modules; the order in which they are asked, and the
symbols, belong to the universe file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from liquidity_pipeline.calendars import Release
from liquidity_pipeline.contracts.sources import markets
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.sources import bars, cboe, coinbase, fred, kraken, yahoo
from liquidity_pipeline.sources.errors import EmptyAnswerError, PublisherError, TransientError
from liquidity_pipeline.sources.fetch import Collected, Fetch
from liquidity_pipeline.universe import Asset

if TYPE_CHECKING:
    import pyarrow as pa

DailyBars = Callable[[Fetch, str, date, date], "pa.Table"]
# They show the running day's bar, so the bar of a day that is over has a later one beside it.
_NEVER_CLOSED = frozenset({coinbase.PUBLISHER, kraken.PUBLISHER})
# At one moment two venues differ by hundredths of a percent; within an hour a coin moves more.
_SAME_MOMENT = 0.001


def _fred_bars(fetch: Fetch, series: str, start: date, end: date) -> pa.Table:
    closes = fred.close_prices(fetch, series, start, end)
    return bars.table([day for day, _ in closes], {"close": [close for _, close in closes]})


PROVIDERS: Mapping[str, DailyBars] = {
    "yahoo": yahoo.daily_bars,
    "cboe": cboe.daily_bars,
    "fred": _fred_bars,
    "coinbase": coinbase.daily_bars,
    "kraken": kraken.daily_bars,
}


def collect_index_prices(fetch: Fetch) -> Collected:
    """Return `index_prices` and `price_disagreements` of the window's closed NYSE sessions.

    Levels in index points, fund prices in US dollars. A bar counts from half an hour after the
    regular close, on days of an early close too. Raises PublisherError when no symbol at all
    could be had; a symbol or a provider that fails alone is a named gap.
    """
    rows, disputed = _collect(fetch, fetch.universe.index, markets.INDEX_PRICES, "source")
    return {
        "index_prices": rows,
        "price_disagreements": _select(disputed, markets.PRICE_DISAGREEMENTS),
    }


def collect_crypto_prices(fetch: Fetch) -> Collected:
    """Return `crypto_prices` and `crypto_disagreements` of the window's closed UTC days.

    Prices in US dollars per coin. Raises and names gaps as `collect_index_prices` does.
    """
    rows, disputed = _collect(fetch, fetch.universe.crypto, markets.CRYPTO_PRICES, "venue")
    return {
        "crypto_prices": rows,
        "crypto_disagreements": _select(disputed, markets.CRYPTO_DISAGREEMENTS),
    }


def _collect(
    fetch: Fetch, assets: Sequence[Asset], contract: Table, origin: str
) -> tuple[pa.Table, Sequence[pa.Table]]:
    """Return the bars in the contract's columns, and the disagreements asset by asset."""
    release = contract.releases[""]
    kept, disputed = [], []
    failure: PublisherError | None = None
    for asset in assets:
        due = release.due(max(asset.since, fetch.window.start), fetch.last_day, fetch.now)
        if not due:
            continue
        try:
            answers = _ask_providers(fetch, asset, due)
        except PublisherError as error:
            failure = error
            continue
        rows, disputes = merge(answers, due, asset.tolerance)
        kept.append(_label(rows.rename_columns({"provider": origin}), asset, release))
        disputed.append(_label(disputes, asset, release))
    if failure is not None and not kept:
        raise failure
    return _select(kept, contract), disputed


def _ask_providers(fetch: Fetch, asset: Asset, due: Sequence[date]) -> list[tuple[str, pa.Table]]:
    """Return what the providers have of the due days, first choice first.

    Two answers are wanted, the second to check the first; more only while days are missing.
    Raises PublisherError with all failures when no provider has a single one of the days.
    """
    answers: list[tuple[str, pa.Table]] = []
    failures: list[PublisherError] = []
    for place, (provider, symbol) in enumerate(asset.provider_symbols()):
        if len(answers) >= 2 and not _missing(answers, due):
            break
        try:
            rows = _ask(fetch, provider, symbol, due)
        except PublisherError as error:
            failures.append(error)
            continue
        if _on_days(rows, due).num_rows:
            answers.append((provider, rows))
        elif place == 0:
            # Only the first choice reaches back as far as the universe says.
            failures.append(
                EmptyAnswerError(
                    f"{symbol}: no bar, though {len(due)} are due from {due[0]} to {due[-1]}",
                    publisher=provider,
                )
            )
    problems = [f"{failure.publisher}: {failure.as_gap}" for failure in failures]
    if not answers:
        problems = [f"no provider has it: {'; '.join(problems)}"]
    for problem in problems:
        fetch.gap(f"{asset.symbol}: {problem}")
    if not answers:
        raise _as_one(failures, f"{asset.symbol}: {problems[0]}")
    answers = believed(answers, due, fetch.now)
    for count in range(2, len(answers) + 1):
        _name_blanks(fetch, asset, answers[:count], due)
    return answers


def _as_one(failures: Sequence[PublisherError], problem: str) -> PublisherError:
    """Return one error for those of all providers: worth another attempt if one of them is."""
    passing = [failure for failure in failures if isinstance(failure, TransientError)]
    one = (passing or failures)[-1]
    return type(one)(problem, publisher=one.publisher, url=one.url, payload=one.payload)


def _ask(fetch: Fetch, provider: str, symbol: str, due: Sequence[date]) -> pa.Table:
    """Return the provider's bars, with days beside the due ones. Raise PublisherError only."""
    collect = PROVIDERS[provider]
    return fetch.understood(
        f"daily bars of {symbol} from {provider}",
        lambda: collect(fetch, symbol, due[0], due[-1]),
    )


def believed(
    answers: Sequence[tuple[str, pa.Table]], due: Sequence[date], now: datetime
) -> list[tuple[str, pa.Table]]:
    """Return the bars of the due days, without one that was read before its day was over.

    Where a server or a cache lags, the last price that it had is no close, though by `now` (naive
    UTC) the day is over. The newest bar of a venue that never closes counts if the venue shows a
    later day too, if another provider has the same close, or after a week: a coin that is traded
    no more has no later day.
    """
    closes = {
        provider: dict(zip(rows["trade_date"].to_pylist(), rows["close"].to_pylist(), strict=True))
        for provider, rows in answers
    }
    kept = []
    for provider, rows in answers:
        newest = max(closes[provider])
        others = [closes[other].get(newest) for other in closes if other != provider]
        close = closes[provider][newest]
        is_over = (
            provider not in _NEVER_CLOSED
            or newest > due[-1]
            or now.date() - newest > bars.YOUNG
            or any(other and abs(other / close - 1) <= _SAME_MOMENT for other in others)
        )
        days = due if is_over else [day for day in due if day != newest]
        kept.append((provider, _on_days(rows, days)))
    return kept


def _name_blanks(
    fetch: Fetch, asset: Asset, answers: Sequence[tuple[str, pa.Table]], due: Sequence[date]
) -> None:
    """Name the days that all earlier providers left blank and the last one has."""
    *earlier, (provider, rows) = answers
    filled = _on_days(rows, _missing(earlier, due))["trade_date"].to_pylist()
    if filled:
        first = earlier[0][0]
        span = f"{filled[0]}" if len(filled) == 1 else f"{filled[0]} … {filled[-1]}"
        fetch.gap(
            f"{first} has no bar of {asset.symbol} on {len(filled)} of {len(due)} days ({span}), "
            f"taken from {provider}"
        )


def merge(
    answers: Sequence[tuple[str, pa.Table]], due: Sequence[date], tolerance: float
) -> tuple[pa.Table, pa.Table]:
    """Return (bars with their `provider`, disagreements), each with one row per day.

    A later answer fills only the days that earlier ones lack. Days on which the closes of the
    first two differ relatively by more than `tolerance` are disagreements and not bars.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    (first_provider, filled), *later = answers
    filled = filled.append_column("provider", _constant(first_provider, filled))
    disputed = _disagreements(answers[:2], tolerance)
    for provider, rows in later:
        news = _on_days(rows, _missing([("", filled)], due))
        filled = pa.concat_tables(
            [filled, news.append_column("provider", _constant(provider, news))]
        )
    agreed = pc.invert(pc.is_in(filled["trade_date"], disputed["trade_date"].combine_chunks()))
    return filled.filter(agreed), disputed


def _disagreements(answers: Sequence[tuple[str, pa.Table]], tolerance: float) -> pa.Table:
    """Return the days on which two providers' closes differ relatively beyond the tolerance."""
    import pyarrow.compute as pc

    # A single answer is compared with itself, and agrees.
    (source, rows), (other_source, other) = answers[0], answers[-1]
    closes = rows.select(["trade_date", "close"])
    others = other.select(["trade_date", "close"]).rename_columns(["trade_date", "other_close"])
    both = closes.join(others, "trade_date", join_type="inner").sort_by("trade_date")
    relative = pc.subtract(pc.divide(both["other_close"], both["close"]), 1.0)
    return (
        both.append_column("relative_difference", relative)
        .append_column("source", _constant(source, both))
        .append_column("other_source", _constant(other_source, both))
        .filter(pc.greater(pc.abs(relative), tolerance))
    )


def _missing(answers: Sequence[tuple[str, pa.Table]], due: Sequence[date]) -> list[date]:
    have = {day for _, rows in answers for day in rows["trade_date"].to_pylist()}
    return [day for day in due if day not in have]


def _on_days(rows: pa.Table, wanted: Sequence[date]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    return rows.filter(pc.is_in(rows["trade_date"], pa.array(wanted, pa.date32())))


def _constant(value: str, rows: pa.Table) -> pa.Array:
    import pyarrow as pa

    return pa.repeat(value, rows.num_rows)


def _label(rows: pa.Table, asset: Asset, release: Release) -> pa.Table:
    """Add the symbol, and when each day's bar became known."""
    import pyarrow as pa

    known = release.known_at(rows["trade_date"].to_pylist())
    return rows.append_column("symbol", _constant(asset.symbol, rows)).append_column(
        "known_at", pa.array(known, pa.timestamp("us"))
    )


def _select(tables: Sequence[pa.Table], contract: Table) -> pa.Table:
    """Return the tables as one, in the contract's columns."""
    import pyarrow as pa

    if not tables:
        return contract.arrow_schema.empty_table()
    rows = pa.concat_tables(tables).select(contract.arrow_schema.names)
    return rows.cast(contract.arrow_schema)
