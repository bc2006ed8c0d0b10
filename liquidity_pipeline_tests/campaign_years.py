"""It survives years. Rerun it with

    python -m liquidity_pipeline_tests.campaign_years --count 2500 --seed 1 --keep FILE

One `liquidity run` per simulated business day in one directory, with a fault of the sandbox at
30 % of the requests once a week. Counted are the seconds of each run, and bytes and files of each
folder. Dagster's records are kept for as many runs as there are business days in 30 days: all runs
take place at once, so the span is measured in runs. What ten years would give is extrapolated from
the last half of the runs, and said to be. With `--keep` the directory lies beside that file, and
the campaign goes on in it.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

from liquidity_pipeline.calendars import is_day
from liquidity_pipeline.sandbox import faults
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.process import run_sandbox_process
from liquidity_pipeline_tests.campaign import Campaign, run_campaign
from liquidity_pipeline_tests.campaign_kills import FIRST, Work, World, command

BEGIN, RUNS_OF_TEN_YEARS = date(2026, 1, 5), 2_500
FOLDERS = ("archive", "lake", "marts", "dagster_home", "briefs", "logs")
FAULT_EVERY = 5
# Business days in the 30 days for which the records of runs are kept.
RUNS_KEPT = 21


@dataclass(frozen=True)
class Day:
    """One run: its day, when it began (Unix time), its seconds, and what each folder holds then."""

    today: str
    began: float
    seconds: float
    sizes: dict[str, tuple[int, int]]


def sizes(folder: Path) -> dict[str, tuple[int, int]]:
    """Return bytes and number of files of each folder of a data directory."""
    found = {}
    for name in FOLDERS:
        files = [path for path in (folder / name).rglob("*") if path.is_file()]
        found[name] = (sum(path.stat().st_size for path in files), len(files))
    return found


def with_retention(work: Work, kept: timedelta) -> Work:
    """Return what does the same, and keeps the records of runs for another span."""

    def retaining() -> None:
        from liquidity_pipeline.orchestration import retention

        retention.KEPT, retention._EVERY = kept, timedelta(0)
        work()

    return retaining


@contextmanager
def place(campaign: Campaign) -> Iterator[tuple[Path, list[Day]]]:
    """Give a folder, and the days that earlier parts of this campaign have run in it."""
    if campaign.keep is None:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name), []
        return
    folder = campaign.keep.with_suffix(".data")
    folder.mkdir(exist_ok=True)
    done = folder / "days.json"
    yield folder, [Day(**day) for day in json.loads(done.read_text())] if done.exists() else []


def work(campaign: Campaign) -> None:
    """Run day after day until the count or the time."""
    import liquidity_pipeline.cli.run  # noqa: F401 - a forked process has it then

    with place(campaign) as (scratch, days):
        for number in campaign.numbers():
            today = date.fromisoformat(days[-1].today) if days else BEGIN
            today += timedelta(days=1)
            while not is_day("fed", today):
                today += timedelta(days=1)
            days.append(run(campaign, scratch, number, today, days))
            (scratch / "days.json").write_text(json.dumps([asdict(day) for day in days]))
        tell(campaign, days)


def run(campaign: Campaign, scratch: Path, number: int, today: date, days: list[Day]) -> Day:
    """Run one day, with a fault once a week."""
    sick = number % FAULT_EVERY == FAULT_EVERY - 1
    fault = campaign.dice("fault", number).choice(faults.NAMES)
    options = Options(
        today=today,
        start=date.fromisoformat(f"{FIRST}-01"),
        faults=f"{fault}:0.3" if sick else "",
        fault_seed=number,
        timeout_seconds=2,
        slow_seconds=0.1,
    )
    since = [] if days else ["--since", FIRST]
    kept = time.time() - days[-RUNS_KEPT].began if len(days) >= RUNS_KEPT else 1e6
    daily = with_retention(command("run", *since), timedelta(seconds=kept))
    with run_sandbox_process(options) as url:
        here = World(url, scratch, {}, scratch)
        began = time.time()
        ended = here.run(daily, scratch / "data", today.isoformat())
    campaign.reached += 1
    campaign.tally[f"{'sick' if sick else 'healthy'} runs ended with {ended.code}"] += 1
    if ended.code not in (0, 1):
        campaign.fail(f"the run of {today} ended with {ended.code}: {ended.said[-300:]}")
    return Day(today.isoformat(), began, time.time() - began, sizes(scratch / "data"))


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
        f"{len(days)} runs. Records of more than {RUNS_KEPT} runs ago were deleted by the runs.",
    ]


if __name__ == "__main__":
    run_campaign("years", "daily runs", RUNS_OF_TEN_YEARS, work)
