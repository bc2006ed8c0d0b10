"""Estimated effect on a portfolio over four weeks if the drain continues, worsens or reverses.

Impact = weekly beta on the drain of record x the scenario's drain over four weeks, with the 95 %
interval of the beta. That interval says how well the past beta is known; markets move for many
other reasons, and nothing promises that the beta stays. Sources: method, C7; `inference`.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.assets.sensitivity import SCENARIOS
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.inference import Estimates, Floats, Moments, combine, slopes

if TYPE_CHECKING:
    import duckdb


DRIVER = "reserve_drain"
WINDOW_WEEKS, MIN_WEEKS = 156, 60
HORIZON_WEEKS = 4
WORSE_QUANTILE = 0.95
NAMES = ("continue", "worsen", "reverse")
PORTFOLIO = "portfolio"


class PortfolioError(ValueError):
    """The portfolio file cannot be used: the message says where, what was expected, what to do."""


@dataclass(frozen=True)
class Betas:
    """Betas (% per USD bn of weekly drain), estimated together; columns follow `assets`."""

    assets: tuple[str, ...]
    slope: Estimates


@dataclass(frozen=True)
class Impact:
    """What one scenario means for one asset, or for the portfolio as a whole."""

    scenario: str
    asset: str
    weight: float
    drain_usd_bn: float
    beta: float
    impact_pct: float
    impact_low_pct: float
    impact_high_pct: float
    n_obs: int


@dataclass(frozen=True)
class Outlook:
    """The impacts of the scenarios on a portfolio, and the last weeks that they rest on.

    `drains_through` is the newest week of the drain of record; `returns_through` the newest week
    with a return, by asset.
    """

    impacts: Sequence[Impact]
    drains_through: date
    returns_through: Mapping[str, date]


def scenario(
    portfolio: Mapping[str, float], betas: Betas, scenarios: Mapping[str, float]
) -> list[Impact]:
    """Return each scenario's impact on each position and on the portfolio, in % of its value.

    `portfolio` maps assets to shares of the whole, what is missing to 1 is cash; `scenarios` map
    names to drains in USD bn over four weeks. The portfolio's interval allows for the betas' errors
    being correlated. Raises PortfolioError for an asset without a beta.
    """
    missing = [a for a in portfolio if not betas.slope.is_defined[_index(betas, a)]]
    if missing:
        raise PortfolioError(
            f"{', '.join(missing)}: fewer than {MIN_WEEKS} of the last {WINDOW_WEEKS} weeks, or "
            f"none of the last {HORIZON_WEEKS}, have a return: no beta. Leave the position out, it "
            f"then counts as cash."
        )
    positions = [(asset, weight, {asset: 1.0}) for asset, weight in portfolio.items()]
    positions.append((PORTFOLIO, sum(portfolio.values()), dict(portfolio)))
    return [
        _impact(name, drain, asset, weight, combine(betas.slope, _weights(betas, held)))
        for name, drain in scenarios.items()
        for asset, weight, held in positions
    ]


def drain_scenarios(weekly_drains: Floats) -> dict[str, float]:
    """Return the drain over four weeks of each scenario, from weekly drains (USD bn) up to now.

    continue: what the last four weeks drained, an inflow if negative. worsen: the 95th percentile
    of all four-week drains so far, or more if the last four weeks moved more in either direction.
    reverse: minus continue.
    """
    sums = np.convolve(weekly_drains, np.ones(HORIZON_WEEKS), mode="valid")
    last = float(sums[-1])
    worse = max(float(np.quantile(sums, WORSE_QUANTILE)), abs(last))
    return dict(zip(NAMES, (last, worse, -last), strict=True))


def read_portfolio(path: Path, known: Sequence[str]) -> dict[str, float]:
    """Return weights by symbol from a CSV file with the columns symbol and weight.

    Raises PortfolioError that names the line and what to write instead.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, skipinitialspace=True)
            if set(lines.fieldnames or ()) != {"symbol", "weight"}:
                raise PortfolioError(
                    f"{path}: the first line must be 'symbol,weight', it is "
                    f"'{','.join(lines.fieldnames or ())}'."
                )
            entries = [(lines.line_num, row) for row in lines]
    except (OSError, UnicodeDecodeError) as error:
        raise PortfolioError(f"{path} cannot be read: {error}. Give a CSV file.") from None
    weights: dict[str, float] = {}
    for number, row in entries:
        symbol, weight = _position(row, known, f"{path}, line {number}")
        if symbol in weights:
            raise PortfolioError(f"{path}, line {number}: '{symbol}' is listed twice.")
        weights[symbol] = weight
    if not weights:
        raise PortfolioError(f"{path} holds no position: write one line 'symbol,weight' for each.")
    if sum(weights.values()) > 1.001:
        raise PortfolioError(
            f"{path}: the weights add up to {sum(weights.values()):g}. Write shares of the whole, "
            f"0.25 for a quarter; what is missing to 1 counts as cash."
        )
    return weights


def portfolio_scenarios(connection: duckdb.DuckDBPyConnection, path: Path) -> Outlook:
    """Return the scenarios of a portfolio file on a published database, as of its newest week.

    `connection` sees the schemas marts and meta. Raises PortfolioError.
    """
    known = tuple(panels.asset_classes(connection))
    portfolio = read_portfolio(path, known)
    weekly = _Weekly.read(connection)
    if not weekly.weeks:
        raise PortfolioError(
            "no weekly drain of reserves is known here. `liquidity status` says which inputs are "
            "missing, and why."
        )
    betas = weekly.betas(len(weekly.weeks))
    unpriced = [asset for asset in portfolio if asset not in betas.assets]
    if unpriced:
        raise PortfolioError(f"{', '.join(unpriced)}: followed, but no weekly return is published.")
    impacts = scenario(portfolio, betas, drain_scenarios(weekly.drains))
    return Outlook(impacts, weekly.weeks[-1], weekly.returns_through(portfolio))


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.scenarios`: single assets, at the last Wednesday of each month."""
    weekly = _Weekly.read(connection)
    class_of = panels.asset_classes(connection)
    weeks = np.array(weekly.weeks, dtype="datetime64[D]")
    rows: list[dict[str, object]] = []
    for as_of in panels.as_of_dates(connection):
        stop = int(np.searchsorted(weeks, np.datetime64(as_of.date), side="right"))
        if stop < WINDOW_WEEKS:
            continue
        betas, drains = weekly.betas(stop), drain_scenarios(weekly.drains[:stop])
        usable = zip(betas.assets, betas.slope.is_defined, strict=True)
        held = {asset: 1.0 for asset, is_defined in usable if is_defined}
        rows += [
            {
                "as_of": as_of.date,
                "scenario": impact.scenario,
                "asset": impact.asset,
                "asset_class": class_of[impact.asset],
                "drain_usd_bn": impact.drain_usd_bn,
                "beta": impact.beta,
                "impact_pct": impact.impact_pct,
                "impact_low_pct": impact.impact_low_pct,
                "impact_high_pct": impact.impact_high_pct,
                "n_obs": impact.n_obs,
                "known_at": as_of.known_at,
            }
            for impact in (scenario(held, betas, drains) if held else ())
            if impact.asset != PORTFOLIO
        ]
    return panels.table(rows, SCENARIOS.arrow_schema)


@dataclass(frozen=True)
class _Weekly:
    """Drains of record and returns on the same Wednesdays."""

    weeks: Sequence[date]
    drains: Floats
    assets: tuple[str, ...]
    returns: Floats

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> _Weekly:
        drivers = panels.drivers(connection, "weekly")
        drains = drivers.column(DRIVER) if DRIVER in drivers.names else np.full(0, np.nan)
        known = np.flatnonzero(~np.isnan(drains))
        weeks = [drivers.dates[i] for i in known.tolist()]
        returns = panels.returns(connection, "weekly").on(weeks)
        return cls(weeks, drains[known], returns.names, returns.values)

    def returns_through(self, assets: Collection[str]) -> dict[str, date]:
        """Return the newest week with a return of each asset; each has one."""
        known = ~np.isnan(self.returns)
        return {
            asset: self.weeks[int(np.flatnonzero(known[:, self.assets.index(asset)])[-1])]
            for asset in assets
        }

    def betas(self, stop: int) -> Betas:
        """Return the betas of the 156 weeks before week number `stop`."""
        part = slice(max(0, stop - WINDOW_WEEKS), stop)
        # A price that is no longer published has no beta now.
        has_ended = np.isnan(self.returns[max(0, stop - HORIZON_WEEKS) : stop]).all(axis=0)
        y = np.where(has_ended, np.nan, self.returns[part])
        x = np.repeat(self.drains[part, None], y.shape[1], axis=1)
        return Betas(self.assets, slopes(Moments.of_pairs(x, y), MIN_WEEKS).slope)


def _index(betas: Betas, asset: str) -> int:
    try:
        return betas.assets.index(asset)
    except ValueError:
        raise PortfolioError(
            f"there is no beta for '{asset}'; there are betas for {', '.join(betas.assets)}."
        ) from None


def _weights(betas: Betas, held: Mapping[str, float]) -> Floats:
    return np.array([held.get(asset, 0.0) for asset in betas.assets])


def _impact(name: str, drain: float, asset: str, weight: float, beta: Estimates) -> Impact:
    ends = sorted((float(beta.low[0]) * drain, float(beta.high[0]) * drain))
    return Impact(
        scenario=name,
        asset=asset,
        weight=weight,
        drain_usd_bn=drain,
        beta=float(beta.estimate[0]),
        impact_pct=float(beta.estimate[0]) * drain,
        impact_low_pct=ends[0],
        impact_high_pct=ends[1],
        n_obs=int(beta.n_obs[0]),
    )


def _position(row: Mapping[str, str | None], known: Sequence[str], place: str) -> tuple[str, float]:
    symbol = (row["symbol"] or "").strip()
    if symbol not in known:
        raise PortfolioError(
            f"{place}: '{symbol}' is not followed. Known are {', '.join(known)}; others are added "
            f"in universe.toml."
        )
    try:
        weight = float(row["weight"] or "")
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight) or weight == 0:
        raise PortfolioError(
            f"{place}: the weight of '{symbol}' is '{row['weight'] or ''}', expected a number such "
            f"as 0.25, or -0.1 for a short position."
        )
    return symbol, weight


MARTS = {
    "scenarios": PythonMart(
        build,
        frozenset(
            {
                "marts.sampled_returns",
                "marts.driver_changes",
                "meta.calendar_days",
                "meta.clock",
                "meta.universe",
            }
        ),
    )
}
