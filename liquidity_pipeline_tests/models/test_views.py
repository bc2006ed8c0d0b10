"""Views for dashboards: what is not known is not shown as a figure."""

from __future__ import annotations

from pathlib import Path

import duckdb

from liquidity_pipeline.models.catalogue import views
from liquidity_pipeline.storage import warehouse


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


def test_a_view_can_be_created_again_from_its_recorded_and_from_its_printed_text(
    place: tuple[str, ...],
):
    """The shared catalogue takes the recorded text; DuckLake and EXPORT DATABASE print it."""
    with warehouse.reading(Path(place[-1], "liquidity.duckdb")) as connection:
        recorded = dict(
            connection.execute(
                "select schema_name || '.' || view_name, sql from meta.views"
            ).fetchall()
        )
        printed = dict(
            connection.execute(
                "select schema_name || '.' || view_name, sql from duckdb_views() "
                "where database_name = 'liquidity' and not internal"
            ).fetchall()
        )
        assert recorded.keys() == printed.keys() == {view.qualified_name for view in views()}
        for name, text in recorded.items():
            for query in (text, printed[name].partition(" AS ")[2]):
                connection.execute(f"create or replace temp view again as {query}")
                different = connection.execute(
                    f"(from {name} except all from temp.again) "
                    f"union all (from temp.again except all from {name})"
                ).fetchall()
                assert different == [], name
        gauges = connection.execute("select count(*) from bi.dashboard").fetchall()
    assert gauges[0][0] > 5
