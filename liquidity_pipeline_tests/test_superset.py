"""The Superset bundle, imported into a real server, and each chart's data against the file.

Superset lives in an environment of its own; docs/bi.md says how to make one. Runs where
LIQUIDITY_SUPERSET names the server's address and LIQUIDITY_FILE a published file that it can read.
"""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import duckdb
import pytest
import requests

SERVER, FILE = os.environ.get("LIQUIDITY_SUPERSET"), os.environ.get("LIQUIDITY_FILE")
SCRIPT = Path(__file__).parents[1] / "docs" / "examples" / "superset_bundle.py"
LOGIN = {"username": "admin", "password": "admin", "provider": "db"}


@pytest.mark.campaign
@pytest.mark.skipif(not (SERVER and FILE), reason="no Superset server is named")
def test_the_bundle_is_imported_and_every_chart_has_the_files_numbers(tmp_path: Path):
    bundle = tmp_path / "bundle.zip"
    module = runpy.run_path(str(SCRIPT))
    module["main"](Path(str(FILE)), bundle)
    session = requests.Session()
    token = session.post(f"{SERVER}/api/v1/security/login", json=LOGIN, timeout=60).json()
    session.headers["Authorization"] = f"Bearer {token['access_token']}"
    imported = session.post(
        f"{SERVER}/api/v1/dashboard/import/",
        files={"formData": bundle.read_bytes()},
        data={"overwrite": "true"},
        timeout=120,
    )
    assert imported.ok, imported.text
    found = session.get(f"{SERVER}/api/v1/chart/", timeout=60).json()["result"]
    charts = {chart["slice_name"]: chart["id"] for chart in found}
    with duckdb.connect(str(FILE), read_only=True) as published:
        for title, kind, source, day, measures, _ in module["CHARTS"]:
            address = f"{SERVER}/api/v1/chart/{charts[title]}/data/"
            (answer,) = session.get(address, timeout=120).json()["result"]
            rows = answer["data"]
            assert rows, title
            if kind == "table":
                ((count,),) = published.execute(f"select count(*) from {source}").fetchall()
                assert len(rows) == count
                continue
            ((newest, total),) = published.execute(
                f"select max({day}), arg_max(s, {day}) from (select {day}, "
                f"sum({measures[0]}) as s from {source} group by {day})"
            ).fetchall()
            last = max(row[day] for row in rows)
            shown = [row[measures[0]] for row in rows if row[day] == last]
            assert sum(value for value in shown if value is not None) == pytest.approx(total or 0)
            assert newest is not None
