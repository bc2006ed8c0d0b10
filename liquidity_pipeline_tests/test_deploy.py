"""The deployment files agree with each other; what can be run of them is run in test_postgres."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"


def load(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def test_the_chart_has_the_limits_and_retention_of_the_other_deployments():
    chart, dagster = load("helm/values.yaml"), load("postgres/dagster.yaml")
    pools = chart["concurrency"]["pools"]
    assert {"granularity": pools["granularity"], "default_limit": pools["defaultLimit"]} == (
        dagster["concurrency"]["pools"]
    )
    at_once = chart["concurrency"]["runs"]["maxConcurrentRuns"]
    assert at_once == dagster["concurrency"]["runs"]["max_concurrent_runs"]
    monitoring = chart["dagsterDaemon"]["runMonitoring"]
    assert monitoring["startTimeoutSeconds"] == dagster["run_monitoring"]["start_timeout_seconds"]
    for kind in ("schedule", "sensor"):
        kept = chart["retention"][kind]["purgeAfterDays"]
        expected = dagster["retention"][kind]["purge_after_days"]
        named = {k: v for k, v in kept.items() if k in expected} if kind == "sensor" else kept
        assert named == expected
    assert chart["telemetry"] == dagster["telemetry"]


def test_the_chart_and_the_compose_file_start_the_same_code_server():
    (deployment,) = load("helm/values.yaml")["dagster-user-deployments"]["deployments"]
    code = load("compose.yaml")["services"]["code"]
    assert set(deployment["codeServerArgs"]) <= set(code["command"])
    # What the chart gives is a whole command, so the image must have no entry point of its own.
    assert "\nENTRYPOINT []\n" in (DEPLOY / "helm" / "Dockerfile").read_text(encoding="utf-8")
