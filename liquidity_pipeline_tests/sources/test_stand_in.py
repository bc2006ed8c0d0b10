"""Synthetic data are marked as such, however the sandbox was named."""

from __future__ import annotations

from pathlib import Path

from pytest_httpserver import HTTPServer

from liquidity_pipeline.settings import SANDBOX, Settings
from liquidity_pipeline.sources.stand_in import recognized


def test_a_sandbox_is_recognized_by_its_address(sandbox: str, tmp_path: Path):
    found = recognized(Settings(tmp_path, endpoints=sandbox))
    assert (found.endpoints, found.sandbox_url) == (SANDBOX, sandbox)


def test_any_other_stand_in_stays_what_it_is(httpserver: HTTPServer, tmp_path: Path):
    httpserver.expect_request("/__health").respond_with_json({"ok": True})
    for url in (httpserver.url_for("").rstrip("/"), "http://127.0.0.1:9", "live"):
        settings = Settings(tmp_path, endpoints=url)
        assert recognized(settings) is settings
