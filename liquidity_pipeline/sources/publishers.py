"""One record per publisher: address, request limits, and the meaning of its refusals.

A new publisher is a record here, a module of its own, a contract, an entry in the registry and an
answer of the sandbox. The HTTP client, `liquidity doctor` and Dagster read all that they need to
know about a publisher from its record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from liquidity_pipeline.settings import LIVE, Settings, SettingsError

Form = Literal["json", "csv", "xml"]
Params = Mapping[str, str | int]

_MEBIBYTE = 2**20


@dataclass(frozen=True)
class Probe:
    """The smallest question that a publisher answers; `liquidity doctor` asks it."""

    path: str
    params: Params = field(default_factory=dict)
    form: Form = "json"


@dataclass(frozen=True)
class Publisher:
    """One service.

    `interval`: least seconds between two requests. `group`: its assets' group in Dagster.
    `not_there`: the statuses that say that it does not have what was asked for; any other 4xx is
    a refusal, and says nothing about what it has. `page_if_absent`: it answers with a page of HTML
    and status 200 for a path that it does not have. `throttles_by`: statuses by which it also says
    that it was asked too fast (besides 429); such a request is made once more, later.
    `throttled_attempts`: attempts in all where the answer is 429 and another provider can be
    asked instead of waiting. `largest_body`: bytes, decompressed, beyond which an answer is
    refused. `families`: beginnings of paths that end in a symbol or a day, and are one endpoint.
    """

    name: str
    title: str
    live_url: str
    group: str
    probe: Probe
    interval: float = 0.5
    headers: Mapping[str, str] = field(default_factory=dict)
    not_there: frozenset[int] = frozenset({404})
    page_if_absent: bool = False
    throttles_by: frozenset[int] = frozenset()
    throttled_attempts: int | None = None
    largest_body: int = 64 * _MEBIBYTE
    families: tuple[str, ...] = ()


# Yahoo refuses the user agents of libraries, while FRED hangs for those of browsers.
_BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
_PROJECT = {"User-Agent": "liquidity-pipeline (+requests)"}

_RECORDS = (
    Publisher(
        "fiscaldata",
        "US Treasury Fiscal Data",
        "https://api.fiscaldata.treasury.gov",
        group="treasury",
        interval=0.2,
        headers=_PROJECT,
        probe=Probe(
            "/services/api/fiscal_service/v1/accounting/dts/operating_cash_balance",
            {"page[size]": 1, "sort": "-record_date"},
        ),
    ),
    Publisher(
        "treasury",
        "US Department of the Treasury",
        "https://home.treasury.gov",
        group="treasury",
        interval=1.0,
        headers=_PROJECT,
        page_if_absent=True,
        largest_body=_MEBIBYTE,
        probe=Probe("/system/files/221/Tentative-Buyback-Schedule.xml", form="xml"),
    ),
    Publisher(
        "nyfed",
        "Federal Reserve Bank of New York",
        "https://markets.newyorkfed.org",
        group="federal_reserve",
        headers=_PROJECT,
        # It is said to answer 400 to clients that ask too fast.
        throttles_by=frozenset({400}),
        families=("/api/soma/tsy/get/asof/",),
        probe=Probe("/api/rates/secured/sofr/last/1.json"),
    ),
    Publisher(
        "nyfed_research",
        "Federal Reserve Bank of New York, research",
        "https://www.newyorkfed.org",
        group="federal_reserve",
        interval=1.0,
        headers=_PROJECT,
        # A path that it does not have leads to a page, of this site or of another.
        not_there=frozenset({302, 404}),
        page_if_absent=True,
        largest_body=8 * _MEBIBYTE,
        probe=Probe(
            "/medialibrary/Research/Interactives/Data/elasticity/elasticity-data.xlsx", form="csv"
        ),
    ),
    Publisher(
        "fred",
        "FRED, Federal Reserve Bank of St. Louis",
        "https://fred.stlouisfed.org",
        group="federal_reserve",
        probe=Probe("/graph/fredgraph.csv", {"id": "SOFR", "cosd": "2026-01-02"}, "csv"),
    ),
    Publisher(
        "yahoo",
        "Yahoo Finance",
        "https://query2.finance.yahoo.com",
        group="markets",
        interval=2.0,
        headers=_BROWSER,
        # Once it throttles it wants a minute and more between attempts, which no run should wait
        # for: the next provider is asked at once, and Yahoo again by the next run.
        throttled_attempts=3,
        families=("/v8/finance/chart/",),
        probe=Probe(
            "/v8/finance/chart/^GSPC",
            {"interval": "1d", "period1": 1767312000, "period2": 1767744000},
        ),
    ),
    Publisher(
        "cboe",
        "Cboe",
        "https://cdn.cboe.com",
        group="markets",
        headers=_PROJECT,
        # Its files are in a store that answers 403 to an unknown name.
        not_there=frozenset({403, 404}),
        families=("/api/global/us_indices/daily_prices/",),
        probe=Probe("/api/global/us_indices/daily_prices/VIX_History.csv", form="csv"),
    ),
    Publisher(
        "coinbase",
        "Coinbase Exchange",
        "https://api.exchange.coinbase.com",
        group="markets",
        interval=0.2,
        headers=_PROJECT,
        # No key is asked for, so this is what being too fast may look like.
        throttles_by=frozenset({401}),
        families=("/products/",),
        probe=Probe(
            "/products/BTC-USD/candles",
            {"granularity": 86400, "start": "2026-01-02", "end": "2026-01-03"},
        ),
    ),
    Publisher(
        "kraken",
        "Kraken",
        "https://api.kraken.com",
        group="markets",
        interval=1.0,
        headers=_PROJECT,
        probe=Probe("/0/public/OHLC", {"pair": "XBTUSD", "interval": 1440}),
    ),
    Publisher(
        "ofr",
        "Office of Financial Research",
        "https://www.financialresearch.gov",
        group="markets",
        interval=1.0,
        headers=_PROJECT,
        probe=Probe("/financial-stress-index/data/fsi.csv", form="csv"),
    ),
)

PUBLISHERS: Mapping[str, Publisher] = {record.name: record for record in _RECORDS}


def find(name: str) -> Publisher:
    """Return a publisher's record; raise KeyError that lists the names."""
    try:
        return PUBLISHERS[name]
    except KeyError:
        raise KeyError(
            f"no publisher is called '{name}'; there are {', '.join(PUBLISHERS)}"
        ) from None


def endpoint(name: str, path: str) -> str:
    """Return what works or fails as one: a path, or what all paths of a family begin with."""
    families = PUBLISHERS[name].families
    return next((each for each in families if path.startswith(each)), path)


def base_url(settings: Settings, name: str) -> str:
    """Return the root under which the publisher's own paths are found.

    Raises SettingsError when the sandbox is asked for and does not run.
    """
    return settings.stand_in_url(name) or find(name).live_url


def interval(settings: Settings, name: str) -> float:
    """Return the least seconds between two requests; a private stand-in needs no politeness."""
    if settings.http_interval is not None:
        return settings.http_interval
    return find(name).interval if settings.endpoints == LIVE else 0.0


def refuse_unknown_names(settings: Settings) -> None:
    """Raise SettingsError for the URL of a publisher that does not exist: a slip of the pen."""
    for name in settings.publisher_urls:
        if name not in PUBLISHERS:
            raise SettingsError(
                f"LIQUIDITY_URL_{name.upper()}: no publisher is called '{name}'; "
                f"there are {', '.join(PUBLISHERS)}."
            )
