"""The simulated economy obeys its accounts, is the same every time, and moves as the key says."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import numpy as np
import pytest

from liquidity_pipeline.sandbox import days, policy
from liquidity_pipeline.sandbox.balance_sheet import weekly
from liquidity_pipeline.sandbox.economy import Economy, simulate
from liquidity_pipeline.sandbox.schedule import cusip

pytestmark = pytest.mark.slow


def by_day(economy: Economy, amounts: dict[int, int]) -> np.ndarray:
    """Stand amounts by day number on the economy's business days."""
    return np.array([amounts.get(day, 0) for day in economy.days.tolist()])


def test_assets_equal_liabilities_on_every_day(economy):
    s = economy.sheet
    liabilities = s.currency + s.on_rrp + s.foreign_rrp + s.tga + s.other_liabilities + s.reserves
    assert (s.total_assets == liabilities).all()
    assert min(s.reserves.min(), s.tga.min(), s.currency.min()) > 0


def test_tga_moves_by_receipts_outlays_and_debt_cash(economy):
    cash, debt = economy.cash, economy.debt
    flows = cash.deposits.sum(axis=1) - cash.withdrawals.sum(axis=1)
    raised = debt.issued.sum(axis=1) - debt.discount.sum(axis=1)
    paid = debt.redeemed.sum(axis=1) - debt.buyback_discount
    assert (np.diff(economy.sheet.tga) == (flows + raised - paid)[1:]).all()


def test_settlements_are_the_sum_of_auctions_maturities_and_buybacks(economy):
    """Recomputed from the auctions alone, as a reader of `auctions_query` would."""
    debt = economy.debt
    issued: dict[int, int] = defaultdict(int)
    redeemed: dict[int, int] = defaultdict(int)
    for auction, offering, soma in zip(
        economy.auctions, debt.offering.tolist(), debt.soma_accepted.tolist(), strict=True
    ):
        if offering > 0 and auction.issued <= economy.days[-1]:
            issued[auction.issued] += offering + soma
            redeemed[auction.redeemed] += offering + soma
    for buyback in debt.buybacks:
        redeemed[buyback.settles] += buyback.par
        for purchase in buyback.purchases:
            redeemed[economy.auctions[purchase.row].redeemed] -= purchase.par
    assert (debt.issued.sum(axis=1) == by_day(economy, issued)).all()
    assert (debt.redeemed.sum(axis=1) == by_day(economy, redeemed)).all()


def test_soma_holds_what_it_bought_and_rolled_over(economy):
    """Holdings change by add-ons, by settled operations, and by what matures, class by class."""
    debt, change = economy.debt, defaultdict(int)
    held: dict[str, int] = defaultdict(int)
    events: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for auction, soma in zip(economy.auctions, debt.soma_accepted.tolist(), strict=True):
        events[auction.issued].append((auction.cusip, soma))
    for operation in economy.operations:
        for row, par in operation.fills:
            fill = (economy.auctions[row].cusip, operation.sign * par)
            events[operation.settles].append(fill)
    maturity = {a.cusip: a.redeemed for a in economy.auctions}
    for when in sorted(events):
        for name, par in events[when]:
            held[name] += par
            change[max(when, int(economy.days[0]))] += par
    for name, par in held.items():
        change[maturity[name]] -= par
        assert par >= 0
    total = np.cumsum(by_day(economy, change))
    assert (debt.soma.sum(axis=1) == total).all()


def test_moves_by_security_add_up_to_what_is_held_and_outstanding(economy):
    """The record by CUSIP and the record by kind are kept apart; both tell the same."""
    debt, rows = economy.debt, len(economy.days)
    by_kind = np.zeros((rows, 4), dtype=np.int64)
    outstanding = np.zeros(rows, dtype=np.int64)
    kinds = {"bill": 0, "cmb": 0, "note": 1, "bond": 1, "frn": 2, "tips": 3}
    for row, security, issued, soma in debt.moves.tolist():
        by_kind[row, kinds[economy.auctions[security].security_class]] += soma
        outstanding[row] += issued
    assert (np.cumsum(by_kind, axis=0) == debt.soma).all()
    net = debt.issued.sum(axis=1) - debt.redeemed.sum(axis=1)
    assert (outstanding[1:] == net[1:]).all()


def test_public_settlement_leaves_the_soma_exchange_out(economy):
    """Issues less redemptions is what the public pays plus what SOMA's holdings change by."""
    bought: dict[int, int] = defaultdict(int)
    for operation in economy.operations:
        bought[operation.settles] += operation.sign * operation.accepted
    net = economy.debt.issued.sum(axis=1) - economy.debt.redeemed.sum(axis=1)
    exchanged = np.diff(economy.debt.soma.sum(axis=1)) - by_day(economy, bought)[1:]
    assert (economy.settlement[1:] == net[1:] - exchanged).all()


def test_weekly_average_is_that_of_thursday_to_wednesday(economy):
    """By hand for the week to Wednesday 2026-07-08, in which 3 July is a business day."""
    found = weekly(economy.days, economy.sheet.tga)
    at = found.wednesdays.tolist().index(days.day(2026, 7, 8))
    close = dict(zip(economy.days.tolist(), economy.sheet.tga.tolist(), strict=True))
    seven = [(7, 2), (7, 3), (7, 3), (7, 3), (7, 6), (7, 7), (7, 8)]
    assert found.average[at] == round(sum(close[days.day(2026, *d)] for d in seven) / 7)
    assert found.level[at] == close[days.day(2026, 7, 8)]


def test_drain_components_add_up(economy):
    drains = economy.sheet.drains()
    parts = sum(drains[name] for name in drains if name != "drain_reserves")
    assert (parts == drains["drain_reserves"]).all()


def test_same_seed_gives_the_same_world_and_another_seed_another():
    first, second, other = (simulate(seed, days.day(2025, 12, 31)) for seed in (7, 7, 8))
    assert (first.sheet.reserves == second.sheet.reserves).all()
    assert (first.markets.prices("^RUT").close == second.markets.prices("^RUT").close).all()
    assert (first.sheet.reserves != other.sheet.reserves).any()


def test_a_longer_world_has_the_same_past(economy):
    """A sandbox that is started a year later must not rewrite what was published."""
    longer = simulate(1, days.day(2028, 12, 31))
    known = len(economy.days) - 60  # auctions before the last weeks aim at days beyond the end
    for name in ("tga", "reserves", "treasuries", "on_rrp", "currency"):
        ours, theirs = (getattr(e.sheet, name)[:known] for e in (economy, longer))
        assert (ours == theirs).all(), name
    for symbol in ("^GSPC", "BTC-USD", "HYG"):
        count = len(economy.markets.prices(symbol).days) - 60
        ours, theirs = (e.markets.prices(symbol).close[:count] for e in (economy, longer))
        assert (ours == theirs).all(), symbol
    rates = [e.funding.rate["SOFR"][:known] for e in (economy, longer)]
    assert (rates[0] == rates[1]).all()


@pytest.mark.parametrize(("symbol", "lag"), [("^GSPC", 0), ("^RUT", 0), ("HYG", 1), ("BTC-USD", 0)])
def test_liquidity_moves_prices_by_the_loading_and_nothing_else(economy, symbol, lag):
    """Two worlds that differ in the loadings alone differ by loading x rise of reserves."""
    without = simulate(1, days.day(2027, 12, 31), loading_scale=0.0)
    paths = [np.log(e.markets.prices(symbol).close) for e in (economy, without)]
    on = economy.markets.prices(symbol).days
    asset = economy.markets.asset(symbol)
    reserves = economy.sheet.reserves[np.searchsorted(economy.days, on, side="right") - 1]
    span = slice(np.searchsorted(on, days.day(2024, 1, 3)), len(on))
    effect = np.diff(paths[0] - paths[1])[span.start + lag :] * 100
    expected = asset.loading * np.diff(reserves)[span.start : len(on) - 1 - lag] / 100_000
    # Four prices at two decimals make a change of a change.
    lowest = min(np.exp(path[span]).min() for path in paths)
    assert np.abs(effect - expected).max() < 100 * 4 * 0.005 / lowest
    assert asset.lag == lag


def test_prices_go_through_their_familiar_level(economy):
    """The S&P 500 closed at 4742.83 on 2024-01-02; so does the simulated one."""
    for symbol in ("^GSPC", "HYG", "BTC-USD", "SBX0001"):
        asset = economy.markets.asset(symbol)
        if asset is not None:
            prices = economy.markets.prices(symbol)
            at = prices.days.tolist().index(days.day(2024, 1, 2))
            assert prices.close[at] == asset.anchor
    assert economy.markets.asset("^GSPC").anchor == 4742.83


def test_coins_answer_most_and_large_caps_least(economy):
    loading = {s: economy.markets.asset(s).loading for s in ("^GSPC", "^SP400", "^RUT", "BTC-USD")}
    assert loading["^GSPC"] < loading["^SP400"] < loading["^RUT"] < loading["BTC-USD"]


def test_returns_have_fat_tails_and_two_regimes(economy):
    returns = np.diff(np.log(economy.markets.prices("^GSPC").close))
    kurtosis = ((returns - returns.mean()) ** 4).mean() / returns.var() ** 2
    assert kurtosis > 4  # 3 for a normal distribution
    bad = economy.markets.turbulent
    assert 0.05 < bad.mean() < 0.4


def test_spreads_react_more_when_reserves_are_scarce(economy):
    """The same quarter-end costs more basis points at scarce than at ample reserves."""
    spread = (economy.funding.rate["SOFR"] - policy.policy_rate(economy.days)) * 100
    month = economy.days.astype("datetime64[D]").astype("datetime64[M]").astype(int)
    last = np.append(np.diff(month) > 0, False) & (month % 3 == 2)
    jump = spread - np.median(
        np.lib.stride_tricks.sliding_window_view(np.pad(spread, 5, mode="edge"), 11), axis=1
    )
    ample = economy.funding.scarcity < 0.2
    scarce = economy.funding.scarcity > 0.8
    assert jump[last & scarce].mean() > jump[last & ample].mean() + 3


def test_episodes_drain_and_are_known(economy):
    recent = [
        e for e in economy.episodes if days.day(2023, 1, 1) <= e.start <= days.day(2025, 12, 31)
    ]
    assert [e.cause for e in recent] == ["tga_rebuild", "foreign_repo"]
    calm = simulate(1, days.day(2025, 12, 31), with_episodes=False)
    assert calm.episodes == []
    # Beside the same world without them, reserves bear each of them. Treasury's cash desk follows
    # its target with a delay of days, so that a rebuild ends late and a tax date overshoots.
    gap = calm.sheet.reserves - economy.sheet.reserves[: len(calm.days)]
    for episode in economy.episodes:
        first, last = np.searchsorted(calm.days, [episode.start, episode.end + 1])
        if episode.end < calm.days[-1]:
            drained = gap[last - 1] - gap[first - 1]
            assert 0.8 * episode.size < drained < 1.5 * episode.size, episode


def test_fed_buys_the_published_amounts_of_bills(economy):
    """USD 54 bn a month at first, 26.5 bn from May 2026 (contract, section 7.2)."""

    def bought(year: int, month: int) -> float:
        return (
            sum(
                o.accepted
                for o in economy.operations
                if o.kind == "Outright Bill Purchase"
                and days.date_of(o.traded).strftime("%Y-%m") == f"{year}-{month:02d}"
            )
            / 1000
        )

    assert bought(2026, 1) == pytest.approx(54, abs=1)
    assert bought(2026, 7) == pytest.approx(26.5, abs=0.6)
    assert all(days.is_sifma(o.settles) and o.settles > o.traded for o in economy.operations)


@pytest.mark.parametrize(
    ("term", "issued", "others"),
    [
        # Announcement, auction and maturity of the captured rows of auctions_query.
        ("5-Year", "2017-01-03", ["2016-12-22", "2016-12-28", "2021-12-31"]),
        ("26-Week", "2026-09-10", ["2026-09-03", "2026-09-08", "2027-03-11"]),
    ],
)
def test_auctions_fall_on_treasurys_days(economy, term, issued, others):
    found = [a for a in economy.auctions if a.term == term and days.iso(a.issued) == issued]
    assert len(found) == 1
    dates = (found[0].announced, found[0].auctioned, found[0].matures)
    assert [days.iso(d) for d in dates] == others


def test_cusips_carry_the_standard_check_digit():
    """The check digits of two real securities, 912828U81 and 912797WK9."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    for real in ("912828U81", "912797WK9"):
        serial = sum(alphabet.index(c) * 34**i for i, c in enumerate(reversed(real[6:8])))
        assert cusip(real[:6], serial) == real


def test_cusip_stands_for_one_security(economy):
    maturities = defaultdict(set)
    for auction in economy.auctions:
        maturities[auction.cusip].add((auction.matures, auction.security_class))
    assert max(len(found) for found in maturities.values()) == 1


@pytest.mark.parametrize(
    ("when", "fed", "sifma", "nyse"),
    [
        ("2026-04-03", True, False, False),  # Good Friday
        ("2026-07-03", True, False, False),  # eve of a Saturday 4 July
        ("2025-01-09", True, True, False),  # day of mourning
        ("2026-10-12", False, False, True),  # Columbus Day
        ("2026-11-11", False, False, True),  # Veterans Day
        ("2025-12-24", True, True, True),
        ("2026-06-19", False, False, False),
        ("2021-06-18", True, True, True),  # Juneteenth fell on a Saturday
        ("2021-12-24", True, False, False),  # Christmas fell on a Saturday
        ("2021-12-31", True, True, True),  # New Year's Day fell on a Saturday
        ("2023-01-02", False, False, False),  # New Year's Day fell on a Sunday
    ],
)
def test_calendars_of_fed_bond_market_and_exchange(when, fed, sifma, nyse):
    day = days.number(date.fromisoformat(when))
    assert (days.is_fed(day), days.is_sifma(day), days.is_nyse(day)) == (fed, sifma, nyse)


def test_no_statement_on_the_weekdays_that_the_contract_lists():
    """Weekdays absent from the Daily Treasury Statement of 2025 (contract, section 1.2)."""
    absent = ["01-01", "01-20", "02-17", "05-26", "06-19", "07-04", "09-01", "10-13", "11-11",
              "11-27", "12-25"]  # fmt: skip
    year = range(days.day(2025, 1, 1), days.day(2026, 1, 1))
    found = [days.iso(d)[5:] for d in year if days.is_weekday(d) and not days.is_fed(d)]
    assert found == absent
