"""It survives years. Rerun it with

    python -m liquidity_pipeline_tests.campaign_years --count 2500 --seed 1

One `liquidity run` per simulated business day in one directory, with a fault of the sandbox at
30 % of the requests once a week. Counted are the seconds of each run, and bytes and files of each
folder. What ten years would give is extrapolated from the last half of the runs, and said to be.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from liquidity_pipeline.calendars import is_day
from liquidity_pipeline.sandbox import faults
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.process import run_sandbox_process
from liquidity_pipeline_tests.campaign import Campaign, run_campaign
from liquidity_pipeline_tests.campaign_kills import FIRST, finish, start

BEGIN, RUNS_OF_TEN_YEARS = date(2026, 1, 5), 2_500
FOLDERS = ("archive", "lake", "marts", "dagster_home", "briefs", "logs")
FAULT_EVERY = 5


@dataclass(frozen=True)
class Day:
    """One run: its seconds, and bytes and files of each folder after it."""

    seconds: float
    sizes: dict[str, tuple[int, int]]


def sizes(folder: Path) -> dict[str, tuple[int, int]]:
    """Return bytes and number of files of each folder of a data directory."""
    found = {}
    for name in FOLDERS:
        files = [path for path in (folder / name).rglob("*") if path.is_file()]
        found[name] = (sum(path.stat().st_size for path in files), len(files))
    return found


def work(campaign: Campaign) -> None:
    """Run day after day until the count or the time."""
    days: list[Day] = []
    today = BEGIN
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        while campaign.goes_on:
            today += timedelta(days=1)
            if not is_day("fed", today):
                continue
            sick = campaign.reached % FAULT_EVERY == FAULT_EVERY - 1
            fault = campaign.dice("fault", campaign.reached).choice(faults.NAMES)
            options = Options(
                today=today,
                start=date.fromisoformat(f"{FIRST}-01"),
                faults=f"{fault}:0.3" if sick else "",
                fault_seed=campaign.reached,
                timeout_seconds=2,
                slow_seconds=0.1,
            )
            words = ["run", *(["--since", FIRST] if not days else [])]
            with run_sandbox_process(options) as url:
                began = time.monotonic()
                code, said = finish(start(words, url, folder, today.isoformat()))
            days.append(Day(time.monotonic() - began, sizes(folder)))
            campaign.reached += 1
            campaign.tally[f"{'sick' if sick else 'healthy'} runs ended with {code}"] += 1
            if code not in (0, 1):
                campaign.fail(f"the run of {today} ended with {code}: {said[-300:]}")
    tell(campaign, days)


def tell(campaign: Campaign, days: list[Day]) -> None:
    """Note seconds by tenth of the runs, and growth per run by folder."""
    if len(days) < 4:
        campaign.fail("too few runs for any figure")
        return
    tenth = max(1, len(days) // 10)
    means = [
        sum(day.seconds for day in days[place : place + tenth]) / len(days[place : place + tenth])
        for place in range(0, len(days), tenth)
    ]
    campaign.notes.append(
        "Seconds per run, by tenths of the runs: " + ", ".join(f"{mean:.1f}" for mean in means)
    )
    half = len(days) // 2
    campaign.notes += [
        "",
        "| folder | MB at the end | KB per run | files per run | MB in ten years (extrapolated) |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name in FOLDERS:
        (first, files_first), (last, files_last) = days[half].sizes[name], days[-1].sizes[name]
        runs = len(days) - 1 - half
        growth, files = (last - first) / runs, (files_last - files_first) / runs
        ten_years = (last + growth * max(0, RUNS_OF_TEN_YEARS - len(days))) / 1e6
        campaign.notes.append(
            f"| `{name}` | {last / 1e6:.1f} | {growth / 1e3:,.1f} | {files:.1f} "
            f"| {ten_years:,.0f} |"
        )
    campaign.notes += [
        "",
        f"Ten years are an extrapolation from the growth of the last {len(days) - 1 - half} of "
        f"{len(days)} runs. Dagster's records are deleted after 30 days of the real clock; all "
        f"these runs took place at once, so its figure is without retention.",
    ]


if __name__ == "__main__":
    run_campaign("years", "daily runs", RUNS_OF_TEN_YEARS, work)
