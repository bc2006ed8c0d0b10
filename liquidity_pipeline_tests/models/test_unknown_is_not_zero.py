"""Nothing unknown becomes zero in a mart: every place where a NULL is passed over has its reason.

SQL passes over NULL in `sum`, `least` and `greatest`, and `coalesce(x, 0)` replaces it. Each such
place in the models is listed here with why what is missing there is nothing, and not unknown. A new
one, and one that is no longer there, fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from liquidity_pipeline.contracts.marts import FAMILY_OF_MART
from liquidity_pipeline.contracts.registry import PUBLISHED
from liquidity_pipeline.models import engine
from liquidity_pipeline.models.statements import query, statements

MODELS = Path(engine.__file__).parent
FOLDERS = (*sorted(set(FAMILY_OF_MART.values())), "views")


# Any values will do: what a statement passes over does not depend on them.
VALUES = {"column": "sofr_iorb_bp", "asset": "SPX", "days": 28, "first": 1, "last": 2}


def _queries() -> dict[str, str]:
    """Return all SQL of the models by name: marts, views, and the statements of marts in Python."""
    found = {
        path.stem: path.read_text(encoding="utf-8")
        for folder in FOLDERS
        for path in (MODELS / folder).glob("*.sql")
    }
    for folder in MODELS.glob("*/queries"):
        for name in statements(folder):
            sql = query(name, folder, **VALUES)
            # What others include begins with its `with` and ends before their first part.
            found[name] = f"{sql.removesuffix(',')} from taken" if sql.endswith(",") else sql
    return found


IN_SQL = _queries()

EVENT = "no row is no event: the contract cuts the days that were not asked for and answered"
ANSWERED = "joined with the days through which the auctions were answered for, without gaps"
MOMENTS = "compares moments, of which both are always known"
GUARDED = "another column of the same query, or its `having`, tells that every part is known"
RESULT = "taken where results are out, and then the parser has an amount; else it is not yet due"
NO_PART = "auctions are known as a whole: a day and group without such a row has nothing of it"
HOLDINGS = "a security that is not among the Fed's holdings of the week is not held by it"
RETIRED = "no buyback has retired any of it: what depends on it is known no further than they are"
LEAST_KNOWN = "a lower bound by definition: `soma_basis` says assumed"
NO_HISTORY = (
    "before the first such day nothing is assumed to have been bought: `soma_basis` assumed"
)
BOTH = "both arguments come from one row and are unknown together"
ROUNDING = "holds off a negative of the size of a rounding error; NULL where the sum is"
NO_DIVIDEND = "a price counts from the provider that states dividends; without one there was none"
NOTHING_KNOWN = "what was known on the Friday of a week: nothing, and that is the score's subject"
PRINCIPAL = "at face where the Fed's holdings are not served, as the table says"
COUNT = "counts issues"
ESTIMATE = "one row per day and group, all of whose amounts the parser states or none"
OFFERED = (
    "an expected issue has the size of the last of its kind: marts.expected_issues has no NULL"
)
OPERATION = (
    "an operation is stored with its amount only; a row without one makes its answer unknown"
)

SETTLEMENT_VINTAGES: dict[str, tuple[str, ...]] = {
    NO_HISTORY: (
        "COALESCE(GREATEST(LEAST(SUM(bought_usd_mn - ratio * nominal_reachable_usd_mn) / "
        "SUM(tips_reachable_usd_mn), 1), 0), 0)",
        "COALESCE(SUM(bought_usd_mn) / NULLIF(SUM(nominal_reachable_usd_mn), 0), 0)",
        "COALESCE(nominal_ratio, 0)",
        "COALESCE(tips_ratio, 0)",
        "GREATEST(LEAST(SUM(bought_usd_mn - ratio * nominal_reachable_usd_mn) / "
        "SUM(tips_reachable_usd_mn), 1), 0)",
        "LEAST(SUM(bought_usd_mn - ratio * nominal_reachable_usd_mn) / "
        "SUM(tips_reachable_usd_mn), 1)",
        "LEAST(ratio, 1)",
    ),
    NO_PART: (
        "COALESCE(add_ons_usd_mn, 0)",
        "COALESCE(announced_usd_mn, 0)",
        "COALESCE(auctioned_usd_mn, 0)",
        "COALESCE(buyback_maximum_usd_mn, 0)",
        "COALESCE(buyback_usd_mn, 0)",
        "COALESCE(cmb_add_ons_usd_mn, 0)",
        "COALESCE(cmb_issued_usd_mn, 0)",
        "COALESCE(cmb_redeemed_usd_mn, 0)",
        "COALESCE(expected_issues_usd_mn, 0)",
        "COALESCE(expected_redeemed_usd_mn, 0)",
        "COALESCE(own_add_ons_usd_mn, 0)",
        "COALESCE(public_inflation_usd_mn, 0)",
        "COALESCE(reachable_usd_mn, 0)",
        "COALESCE(redeemed_usd_mn, 0)",
        "COALESCE(soma_par_usd_mn, 0)",
    ),
    HOLDINGS: (
        "COALESCE(inflation_usd_mn / NULLIF(par_usd_mn, 0), 0)",
        "COALESCE(par_usd_mn, 0)",
        "GREATEST(par_usd_mn - COALESCE(retired_usd_mn, 0) - COALESCE(par_usd_mn, 0), 0)",
        "LEAST(COALESCE(par_usd_mn, 0), par_usd_mn - COALESCE(retired_usd_mn, 0))",
        "SUM(GREATEST(par_usd_mn - COALESCE(retired_usd_mn, 0) - COALESCE(par_usd_mn, 0), 0) "
        "* COALESCE(inflation_usd_mn / NULLIF(par_usd_mn, 0), 0))",
        "SUM(LEAST(COALESCE(par_usd_mn, 0), par_usd_mn - COALESCE(retired_usd_mn, 0)))",
    ),
    RETIRED: (
        "COALESCE(retired_usd_mn, 0)",
        "GREATEST(par_usd_mn - COALESCE(retired_usd_mn, 0), 0)",
        "SUM(GREATEST(par_usd_mn - COALESCE(retired_usd_mn, 0), 0))",
        "SUM(accepted_usd_mn)",
    ),
    COUNT: ("COALESCE(scheduled_issues, 0)",),
    RESULT: (
        "COALESCE(soma_usd_mn, 0)",
        "SUM(CASE WHEN has_results OR results_at IS NULL THEN par_usd_mn ELSE offering_usd_mn END)",
        "SUM(CASE WHEN has_results THEN soma_usd_mn END)",
        "SUM(CASE WHEN is_cmb THEN par_usd_mn END)",
        "SUM(CASE WHEN leg = 'buyback' AND NOT has_results THEN offering_usd_mn END)",
        "SUM(CASE WHEN leg = 'buyback' AND has_results THEN par_usd_mn END)",
        "SUM(CASE WHEN leg = 'issue' AND NOT has_results AND announced_at <= moment THEN "
        "offering_usd_mn END)",
        "SUM(CASE WHEN leg = 'issue' AND has_results THEN par_usd_mn END)",
        "SUM(CASE WHEN leg = 'issue' AND has_results THEN soma_usd_mn END)",
        "SUM(CASE WHEN leg = 'issue' AND is_cmb AND has_results THEN soma_usd_mn END)",
        "SUM(CASE WHEN leg = 'issue' AND is_cmb THEN CASE WHEN has_results THEN par_usd_mn "
        "ELSE offering_usd_mn END END)",
        "SUM(CASE WHEN security_group = 'coupons' AND (operation_date IS NULL OR issue_date <"
        " operation_date) THEN par_usd_mn - COALESCE(soma_usd_mn, 0) ELSE 0 END)",
    ),
    LEAST_KNOWN: (
        "GREATEST(COALESCE(group_soma_usd_mn, group_add_ons_usd_mn) - group_own_usd_mn, 0)",
        "GREATEST(group_add_ons_usd_mn, group_own_usd_mn + COALESCE(nominal_ratio, 0) * "
        "nominal_reachable_usd_mn + COALESCE(tips_ratio, 0) * tips_reachable_usd_mn)",
        "GREATEST(group_add_ons_usd_mn, group_own_usd_mn)",
        "LEAST(group_redeemed_usd_mn, CASE WHEN soma_basis = 'holdings' THEN "
        "group_soma_par_usd_mn WHEN soma_basis = 'published' THEN COALESCE(group_soma_usd_mn,"
        " group_redeemed_usd_mn - group_public_usd_mn) WHEN soma_basis = 'none' THEN 0 WHEN "
        "group_pending_usd_mn > 0 THEN GREATEST(group_add_ons_usd_mn, group_own_usd_mn + "
        "COALESCE(nominal_ratio, 0) * nominal_reachable_usd_mn + COALESCE(tips_ratio, 0) * "
        "tips_reachable_usd_mn) ELSE GREATEST(group_add_ons_usd_mn, group_own_usd_mn) END)",
    ),
    GUARDED: ("GREATEST(group_held_usd_mn - group_add_ons_usd_mn, 0)",),
    OFFERED: ("SUM(offering_usd_mn)",),
    ESTIMATE: (
        "SUM(public_usd_mn)",
        "SUM(soma_usd_mn)",
    ),
}

# By model: what passes over a NULL, as SQLGlot writes it, without the names of tables.
REASONS: dict[str, dict[str, str]] = {
    "flows_by_day": {"COALESCE(net_usd_mn, 0)": ANSWERED},
    "repo_and_settlements": {
        "COALESCE(coupons_usd_mn, 0)": ANSWERED,
        "COALESCE(bills_usd_mn, 0)": ANSWERED,
    },
    "interest_ahead": {"LEAST(known_at, now)": MOMENTS},
    "asset_returns": {
        "GREATEST(0, sum_of_squares - sum_of_steps * sum_of_steps / 20)": ROUNDING,
        "COALESCE(dividend, 0)": NO_DIVIDEND,
        "SUM(CAST(LN(1 + COALESCE(dividend, 0) / close) AS DECIMAL(18, 15)))": NO_DIVIDEND,
    },
    "driver_changes": {
        "COALESCE(SUM(amount_usd_mn), 0)": EVENT,
        "COALESCE(SUM(purchases_usd_mn), 0)": EVENT,
        "SUM(amount_usd_mn)": EVENT,
        "SUM(CASE direction WHEN 'purchase' THEN accepted_usd_mn ELSE -accepted_usd_mn END)": (
            OPERATION
        ),
    },
    "daily_drain_error": {
        "COALESCE(SUM(purchases_usd_mn), 0)": EVENT,
        "COALESCE(SUM(amount_usd_mn), 0)": EVENT,
        "SUM(amount_usd_mn)": EVENT,
        "SUM(CASE direction WHEN 'purchase' THEN accepted_usd_mn ELSE -accepted_usd_mn END)": (
            OPERATION
        ),
        "GREATEST(xx * yy, 1e-9)": ROUNDING,
    },
    "drains": {
        "COALESCE(amount_usd_mn, 0)": GUARDED,
        "SUM(accepted_usd_mn)": OPERATION,
        "SUM(CASE direction WHEN 'purchase' THEN accepted_usd_mn ELSE -accepted_usd_mn END)": (
            OPERATION
        ),
    },
    "fed_bill_purchases": {
        "SUM(CASE direction WHEN 'purchase' THEN accepted_usd_mn ELSE -accepted_usd_mn END)": (
            OPERATION
        ),
    },
    "tga_daily": {
        "SUM(CASE WHEN transaction_type = 'Issues' THEN amount_usd_mn ELSE -amount_usd_mn END)": (
            GUARDED
        ),
    },
    "weekly_drains": {"SUM(amount_usd_mn)": "components without an amount are not in marts.drains"},
    "funding_conditions": {
        "SUM(CASE WHEN kind = 'srf' THEN accepted_usd_mn END)": OPERATION,
        "SUM(CASE WHEN kind = 'on_rrp' THEN accepted_usd_mn END)": OPERATION,
    },
    "coupon_interest": {
        "GREATEST(par_usd_mn - COALESCE(retired_usd_mn, 0), 0)": RETIRED,
        "COALESCE(retired_usd_mn, 0)": RETIRED,
        "COALESCE(ratio, 0)": PRINCIPAL,
        "SUM(par_usd_mn)": RESULT,
        "LEAST(payment_date + INTERVAL '4' HOUR, now)": MOMENTS,
        "GREATEST(known_at, CASE WHEN payment_date >= CAST('2024-05-29' AS DATE) "
        "THEN LEAST(payment_date + INTERVAL '4' HOUR, now) END)": MOMENTS,
    },
    "settlement_outlook": {
        "LEAST(net_usd_mn / 100000 * low_bp_per_100bn, net_usd_mn / 100000 * high_bp_per_100bn)": (
            BOTH
        ),
        "GREATEST(net_usd_mn / 100000 * low_bp_per_100bn, "
        "net_usd_mn / 100000 * high_bp_per_100bn)": BOTH,
    },
    "settlement_outlook_score": {
        "COALESCE(SUM(issued_usd_mn), 0)": NOTHING_KNOWN,
        "COALESCE(SUM(redeemed_usd_mn), 0)": NOTHING_KNOWN,
        "COALESCE(SUM(net_public_usd_mn), 0)": NOTHING_KNOWN,
    },
    "settlement_vintages": {
        text: reason for reason, texts in SETTLEMENT_VINTAGES.items() for text in texts
    },
}


def passing_over(sql: str) -> Iterator[str]:
    """Yield what passes over a NULL in a query."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    read = {f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db}
    nullable = {
        column.name
        for name in read & PUBLISHED.keys()
        for column in PUBLISHED[name].columns
        if column.nullable and column.kind in ("number", "integer")
    }
    for node in tree.find_all(exp.Coalesce, exp.Greatest, exp.Least, exp.Sum):
        if isinstance(node, exp.Sum):
            unknown = {column.name for column in node.find_all(exp.Column)} & nullable
            if not unknown or _is_guarded(node, unknown):
                continue
        elif isinstance(node, exp.Coalesce):
            if not any(other.is_number and float(other.name) == 0 for other in node.expressions):
                continue
        elif _is_of_moments(node):
            continue
        yield _text(node)


def _is_guarded(node: exp.Expr, unknown: set[str]) -> bool:
    """Tell whether the query counts that the summed column is known in every row."""
    query = node.find_ancestor(exp.Select)
    text = _text(query) if query else ""
    return any(f"COUNT({name})" in text or f"{name} IS NULL" in text for name in unknown)


def _is_of_moments(node: exp.Expr) -> bool:
    """Tell whether all that is compared are moments or days, of which the others decide."""
    names = {column.name for column in node.find_all(exp.Column)}
    return all(re.search(r"known_|date|moment|today|through|quarter_end", name) for name in names)


def _text(node: exp.Expr) -> str:
    """Write an expression without the names of its tables."""
    return re.sub(r"\b[a-z_0-9]+\.(?=[a-z_])", "", node.sql("duckdb"))


@pytest.mark.parametrize("name", sorted(IN_SQL))
def test_what_passes_over_the_unknown_has_its_reason(name: str) -> None:
    assert set(passing_over(IN_SQL[name])) == set(REASONS.get(name, {}))


def test_every_reason_is_of_a_query() -> None:
    assert REASONS.keys() <= IN_SQL.keys()


def test_what_passes_over_the_unknown_is_seen() -> None:
    assert set(
        passing_over(
            "select sum(net_usd_mn), coalesce(sum(issued_usd_mn), 0), greatest(net_usd_mn, 1), "
            "greatest(known_at, settlement_date) from marts.settlement_calendar"
        )
    ) == {
        "SUM(net_usd_mn)",
        "COALESCE(SUM(issued_usd_mn), 0)",
        "GREATEST(net_usd_mn, 1)",
    }
    assert not set(
        passing_over(
            "select case when count(net_usd_mn) = count(*) then sum(net_usd_mn) end "
            "from marts.settlement_calendar"
        )
    )
