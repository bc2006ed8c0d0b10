"""CPU of whole runs beside an empty Dagster job of the same shape."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections import defaultdict
from datetime import date
from pathlib import Path

from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.server import start
from liquidity_pipeline_tests.benchmarks.measuring import (
    Costs,
    cpu,
    liquidity,
    measured_on,
    python,
    table,
)

TODAY, FIRST = date(2026, 2, 6), date(2024, 1, 1)
RUN, NOTHING_NEW, REFRESH = "first run of 26 months", "run that finds nothing new", "refresh"
STOCK_RUN = "first run of 26 months, Dagster's stock event log"
# Release 0.29.27 of dagster-duckdb-pandas refuses pandas 3, so it has an environment of its own.
IO_MANAGER = "the same rows stored by dagster-duckdb's pandas IO manager, and nothing else"
EMPTY_RUN, EMPTY_REFRESH = "empty job of 26 months", "empty job of two months"
BESIDE = {
    RUN: EMPTY_RUN,
    STOCK_RUN: EMPTY_RUN,
    IO_MANAGER: EMPTY_RUN,
    NOTHING_NEW: EMPTY_REFRESH,
    REFRESH: EMPTY_REFRESH,
}
BARS = {NOTHING_NEW: 0.7, REFRESH: 1.0}
_PANDAS_ASSETS = Path(__file__).with_name("pandas_assets.py")
_WITH_STOCK_STORAGE = """
import dagster
from liquidity_pipeline.cli.main import main
from liquidity_pipeline.orchestration import event_log

event_log.open_instance = lambda home: dagster.DagsterInstance.from_config(str(home))
main()
"""


def section(rounds: int, io_python: Path | None = None) -> str:
    """Run against a sandbox in this process, whose CPU is not counted; return Markdown.

    `io_python` is an interpreter with dagster-duckdb-pandas; without one that line is left out.
    """
    options = Options(today=TODAY, start=FIRST)
    seconds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, start(options) as box:
        for number in range(rounds):
            _round(Path(folder) / f"{number}", box.url, seconds, io_python)
    costs = {name: Costs(tuple(taken)) for name, taken in seconds.items()}
    rows = []
    for name, cost in costs.items():
        beside = costs.get(BESIDE.get(name, ""))
        ratio = f"{_ratio(cost, beside):.2f}" if beside else ""
        rows.append([name, cost, ratio, BARS.get(name, "")])
    header = ["job", "CPU s (least … most)", "times its empty job", "at most (times)"]
    return f"{measured_on()} Rounds: {rounds}; medians.\n\n{table(header, rows)}"


def _round(folder: Path, url: str, seconds: dict[str, list[float]], io_python: Path | None) -> None:
    """Run each job once, in turn, so that load falls on all alike."""
    place = ["--endpoints", url, "--data-dir", str(folder / "data"), "--as-of", f"{TODAY}"]
    of_two_months = ["--endpoints", url, "--data-dir", str(folder / "data")]
    empty = [sys.executable, "-m", "liquidity_pipeline_tests.benchmarks.empty_job"]
    seconds[EMPTY_RUN].append(
        cpu([*empty, str(folder / "run"), "2024-01", "2026-02"], may_end_with=[0])
    )
    seconds[RUN].append(cpu(liquidity("run", "--since", f"{FIRST:%Y-%m}", *place)))
    elsewhere = ["--data-dir", str(folder / "stock"), *place[:2], *place[4:]]
    stock = python(_WITH_STOCK_STORAGE, "run", "--since", f"{FIRST:%Y-%m}", *elsewhere)
    seconds[STOCK_RUN].append(cpu(stock))
    if io_python:
        words = [str(folder / "stored"), str(folder / "data"), "2024-01", "2026-02"]
        seconds[IO_MANAGER].append(
            cpu([str(io_python), str(_PANDAS_ASSETS), *words], may_end_with=[0])
        )
    # The second run asks once more for what the first did not get: a hole is believed when two
    # answers agree on it. From the third on there is nothing new.
    cpu(liquidity("run", "--since", f"{FIRST:%Y-%m}", *place))
    seconds[EMPTY_REFRESH].append(
        cpu([*empty, str(folder / "refresh"), "2026-01", "2026-02"], may_end_with=[0])
    )
    seconds[NOTHING_NEW].append(cpu(liquidity("run", "--since", f"{FIRST:%Y-%m}", *place)))
    refresh = ["env", f"LIQUIDITY_AS_OF={TODAY}", *liquidity("refresh", *of_two_months)]
    seconds[REFRESH].append(cpu(refresh))


def _ratio(cost: Costs, beside: Costs) -> float:
    """Return the median of the ratios of each round: what ran side by side is compared."""
    return statistics.median(a / b for a, b in zip(cost.seconds, beside.seconds, strict=True))
