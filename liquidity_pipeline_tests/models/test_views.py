"""Views for dashboards: what is not known is not shown as a figure."""

from __future__ import annotations

import duckdb

from liquidity_pipeline.models.catalogue import views


def test_a_day_whose_maturities_await_an_announcement_has_no_net():
    """Alone, a redemption of 300 would be a payment of 300 to the public that nobody expects."""
    (view,) = [v for v in views() if v.qualified_name == "bi.daily_settlements"]
    with duckdb.connect(":memory:") as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.settlement_calendar as select * from (values "
            "(date '2026-02-03', 'bill', 'settled', 400.0, 300.0, 100.0, 90.0, 85.0), "
            "(date '2026-02-17', 'bill', 'announced', 350.0, 300.0, 50.0, 50.0, null), "
            "(date '2026-02-17', 'note', 'scheduled', 0.0, 80.0, null, null, null), "
            "(date '2026-03-03', 'bill', 'scheduled', 0.0, 300.0, null, null, null)) as t("
            "settlement_date, security_class, status, issued_usd_mn, redeemed_usd_mn, net_usd_mn, "
            "net_public_usd_mn, privately_held_net_usd_mn)"
        )
        rows = connection.execute(f"{view.sql} order by settlement_date").fetchall()
    assert [row[3:] for row in rows] == [(100, 90, 85), (None, None, None), (None, None, None)]
    assert [row[2] for row in rows] == [300, 380, 300]
