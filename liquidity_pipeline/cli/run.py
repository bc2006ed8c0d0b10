"""One run from a terminal: what was asked, the progress, the report, the exit code."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from liquidity_pipeline.settings import FIRST_MONTH, LIVE, SANDBOX, Settings, SettingsError

if TYPE_CHECKING:
    from liquidity_pipeline.orchestration.resources import PipelineResource
    from liquidity_pipeline.orchestration.runs import Report
    from liquidity_pipeline.sources.fetch import Window

OK, INCOMPLETE, NOT_PUBLISHED = 0, 1, 3
# A first run without --since fetches this many years.
DEFAULT_YEARS = 3
MAX_LINE = 300
_NOT_PUBLISHED_LINE = "[bold red]not published[/]: the last good file, if any, still stands"

console = Console()
errors = Console(stderr=True)


@dataclass(frozen=True)
class Place:
    """Where a command works: what the command line says, over the environment."""

    data_dir: str | None
    endpoints: str | None
    as_of: str | None = None

    def settings(self) -> Settings:
        """Return the settings; raise SettingsError for what cannot be.

        A sandbox that is asked by its address is still the sandbox, and what it says synthetic.
        """
        given = {
            "LIQUIDITY_DATA_DIR": self.data_dir,
            "LIQUIDITY_ENDPOINTS": self.endpoints,
            "LIQUIDITY_AS_OF": self.as_of,
        }
        settings = Settings.from_env({**os.environ, **{k: v for k, v in given.items() if v}})
        if settings.endpoints in (LIVE, SANDBOX) or not _is_sandbox(settings.endpoints):
            return settings
        return replace(settings, endpoints=SANDBOX, sandbox_url=settings.endpoints)


@dataclass(frozen=True)
class Request:
    """What a run is to fetch; months as YYYY-MM. `show` prints the result, not only where it is."""

    since: str | None = None
    until: str | None = None
    sources: tuple[str, ...] = ()
    force: bool = False
    show: bool = False


def run_and_exit(place: Place, request: Request) -> NoReturn:
    """Fetch, build and publish with a progress bar; report; exit with the run's code.

    Raises SettingsError, which is wrong usage.
    """
    try:
        from liquidity_pipeline.sources.fetch import Window

        settings = place.settings()
        first, last = _months(request, settings)
        with publishers(settings, first) as reachable:
            report = _execute(reachable, request, Window.of_months(first, last))
    except KeyboardInterrupt:
        _end("interrupted; what was fetched by then is kept")
    except SettingsError:
        raise
    except (OSError, ValueError) as error:
        _end(str(error))
    _report(report, settings, request)
    if not report.published:
        sys.exit(NOT_PUBLISHED)
    sys.exit(OK if report.clean else INCOMPLETE)


def _end(reason: str) -> NoReturn:
    errors.print(_NOT_PUBLISHED_LINE)
    errors.print(Text(reason), soft_wrap=True)
    sys.exit(NOT_PUBLISHED)


def _execute(settings: Settings, request: Request, window: Window) -> Report:
    # Dagster takes a second to import; `liquidity --help` should not wait for it.
    from liquidity_pipeline.orchestration import dagster_instance, runs
    from liquidity_pipeline.sources.registry import SOURCES

    names = list(request.sources) or [*SOURCES, "policy_events"]
    if unknown := set(names) - {*SOURCES, "policy_events"}:
        raise SettingsError(f"no source {', '.join(unknown)}; there are {', '.join(SOURCES)}")
    settings.claim_data_dir()
    report = runs.Report()
    resource = _resource(settings)
    with (
        dagster_instance.instance(settings.data_dir, lambda: say_waiting(settings)) as dagster,
        _progress() as progress,
    ):
        planned = runs.plan(resource, window, names, force=request.force)
        fetching = progress.add_task("fetching", total=sum(len(group) for _, group in planned))
        building = progress.add_task("building", total=runs.publish_steps())

        def fetched(name: str) -> None:
            progress.update(fetching, advance=1, description=f"fetched {name}")

        def built(name: str) -> None:
            progress.update(building, advance=1, description=f"built {name}")

        runs.refresh(resource, dagster, planned, report, fetched)
        runs.publish(resource, dagster, report, built)
    return report


def say_waiting(settings: Settings) -> None:
    """Say why nothing happens yet."""
    errors.print(f"another run works on {settings.data_dir}; waiting for its end", soft_wrap=True)


@contextmanager
def publishers(settings: Settings, since: date) -> Iterator[Settings]:
    """Give settings that reach the publishers; a sandbox is started where none is running.

    It starts before anything heavy is imported here: drawing a world takes as long as that.
    """
    if settings.endpoints != SANDBOX or settings.sandbox_url:
        yield settings
        return
    # Only the sandbox's own option brings the sandbox into a process.
    from liquidity_pipeline.sandbox.options import Options
    from liquidity_pipeline.sandbox.process import run_sandbox_process

    with run_sandbox_process(Options(today=settings.as_of, start=since, compress=False)) as url:
        yield replace(settings, sandbox_url=url)


def _is_sandbox(url: str) -> bool:
    import requests

    try:
        return bool(requests.get(f"{url}/__health", timeout=5).json().get("synthetic"))
    except (requests.RequestException, AttributeError):
        return False


def _resource(settings: Settings) -> PipelineResource:
    from liquidity_pipeline.orchestration.resources import PipelineResource

    return PipelineResource(
        data_dir=str(settings.data_dir),
        endpoints=settings.endpoints,
        as_of=settings.as_of.isoformat() if settings.as_of else "",
        sandbox_url=settings.sandbox_url or "",
        step_retries=0,
    )


def _report(report: Report, settings: Settings, request: Request) -> None:
    if report.published:
        if request.show:
            from liquidity_pipeline.cli.report import show

            show(settings.published_file, console)
        console.print(f"\npublished {settings.published_file}", soft_wrap=True)
        if request.show:
            _next_steps(settings)
    else:
        errors.print(_NOT_PUBLISHED_LINE)
    for name, lines in report.problems.items():
        for line in lines:
            _print_problem(name, line)


def _print_problem(name: str, line: str) -> None:
    text = " ".join(line.split())
    shown = text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]} …"
    label = name if shown.startswith(name) else f"{name}: "
    errors.print(Text.assemble((label, "yellow"), shown.removeprefix(name)), soft_wrap=True)


def _next_steps(settings: Settings) -> None:
    live = settings.endpoints == LIVE
    # In a virtual environment that is not active, the shell does not know the command.
    found = shutil.which("liquidity")
    command = "liquidity" if found else os.path.relpath(Path(sys.executable).parent / "liquidity")
    ask = f"{command} query --data-dir {settings.data_dir} 'show all tables'"
    console.print(f"  look at it   {ask}", soft_wrap=True)
    console.print(f"  open the UI  make ui{' LIVE=1' if live else ''}")
    if settings.endpoints == SANDBOX:
        console.print("  go live      make run LIVE=1")


def _months(request: Request, settings: Settings) -> tuple[date, date]:
    """Return the first and a day of the last month asked for."""
    first, last = _first_month(request.since, settings), _month(request.until)
    if last and last < first:
        raise SettingsError(f"--until {request.until} lies before the first month {first:%Y-%m}.")
    return first, last or settings.today


def _first_month(since: str | None, settings: Settings) -> date:
    """Return the month asked for, the lake's oldest, or three years back."""
    if month := _month(since):
        return max(month, FIRST_MONTH)
    from liquidity_pipeline.contracts.sources import TGA_BALANCE
    from liquidity_pipeline.storage.lake import Lake

    held = Lake(settings.lake_dir).months(TGA_BALANCE)
    today = settings.today
    return held[0] if held else today.replace(year=today.year - DEFAULT_YEARS, day=1)


def _month(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise SettingsError(f"'{text}' is not a month; expected YYYY-MM.") from None


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True) as progress:
        yield progress
