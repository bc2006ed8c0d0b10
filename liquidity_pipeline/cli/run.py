"""One run from a terminal: its request, its progress, its result and its exit code."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.text import Text

from liquidity_pipeline.cli import failures
from liquidity_pipeline.cli.console import console, errors
from liquidity_pipeline.cli.exits import INCOMPLETE, NOT_PUBLISHED, OK, tell
from liquidity_pipeline.cli.place import Place
from liquidity_pipeline.cli.progress import RunProgress, run_progress
from liquidity_pipeline.cli.sandbox_starter import reachable
from liquidity_pipeline.cli.signals import interruptible
from liquidity_pipeline.cli.window import months
from liquidity_pipeline.settings import (
    LIVE,
    SANDBOX,
    Settings,
    SettingsError,
    default_data_dir,
    memory,
)

if TYPE_CHECKING:
    from liquidity_pipeline.orchestration.report import Report

MAX_LINE = 300
# So many failing marts are named after a run; of each source, one problem is.
MAX_PROBLEMS = 12


@dataclass(frozen=True)
class Request:
    """What a run is to fetch; months as YYYY-MM. `show` prints the result, not only where it is.

    `takes_other_units`: values may differ from the known ones by powers of ten.
    """

    since: str | None = None
    until: str | None = None
    sources: tuple[str, ...] = ()
    force: bool = False
    takes_other_units: bool = False
    show: bool = False


def run_and_exit(place: Place, request: Request) -> NoReturn:
    """Fetch, build and publish with a progress bar; report; exit with the run's code.

    Raises SettingsError, which is wrong usage, before anything starts.
    """
    memory.look_for_cycles_rarely()
    with memory.without_pandas():
        _run_and_exit(place, request)


def _run_and_exit(place: Place, request: Request) -> NoReturn:
    settings = place.settings()
    first, last = months(request.since, request.until, settings)
    names = _sources(request)
    before = _publication(settings)
    try:
        with run_progress() as progress, reachable(settings, first) as reached:
            report = _execute(reached, replace(request, sources=names), (first, last), progress)
    except KeyboardInterrupt:
        _end("interrupted; what was fetched by then is kept", settings, before)
    except SettingsError:
        raise
    except Exception as error:  # noqa: BLE001 - no class of error may end with a wrong exit code
        failures.record(error)
        _end(failures.explain(error, settings.data_dir), settings, before)
    _report(report, settings, request)
    if not report.is_current:
        sys.exit(NOT_PUBLISHED)
    sys.exit(OK if report.clean else INCOMPLETE)


def _sources(request: Request) -> tuple[str, ...]:
    from liquidity_pipeline.sources.registry import SOURCES

    known = (*SOURCES, "policy_events")
    if unknown := set(request.sources) - set(known):
        raise SettingsError(f"no source {', '.join(unknown)}; there are {', '.join(SOURCES)}")
    return request.sources or known


def _publication(settings: Settings) -> tuple[int, int] | None:
    """Return what tells one publication from the next."""
    try:
        state = settings.published_file.stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns


def _end(reason: str, settings: Settings, before: tuple[int, int] | None) -> NoReturn:
    """End a run that broke off: 1 if it had published by then, else 3."""
    if _publication(settings) not in (None, before):
        tell(f"published {settings.published_file}, and broke off after that: {reason}")
        sys.exit(INCOMPLETE)
    tell(f"not published: {reason}")
    sys.exit(NOT_PUBLISHED)


def _execute(
    settings: Settings,
    request: Request,
    span: tuple[date, date],
    progress: RunProgress,
) -> Report:
    settings.claim_data_dir()
    # Dagster takes a second to import; `liquidity --help` should not wait for it.
    from liquidity_pipeline.orchestration import dagster_instance, runs
    from liquidity_pipeline.pipeline import Pipeline
    from liquidity_pipeline.sources.fetch import Window

    first, last = span
    with (
        interruptible() as interrupted,
        dagster_instance.instance(settings.data_dir, progress.waiting) as dagster,
    ):
        pipeline = Pipeline(settings, takes_other_units=request.takes_other_units)
        runner = runs.Runner(pipeline, dagster, progress.done, progress.waiting, interrupted)
        window = Window.of_months(first, last)
        planned = runs.plan(runner.pipeline, window, request.sources, force=request.force)
        progress.fetching(planned, f"{first:%Y-%m} to {last:%Y-%m}")
        runner.refresh(planned)
        stale = runner.pipeline.stale_marts()
        progress.building(len(stale))
        runner.publish(stale)
        runner.forget_old_runs()
    return runner.report


def _report(report: Report, settings: Settings, request: Request) -> None:
    if report.is_current:
        if request.show:
            _show(settings)
        file = settings.published_file
        done = f"nothing new: {file} is up to date" if report.unchanged else f"published {file}"
        console.print(f"\n{done}", markup=False, soft_wrap=True)
        if request.show:
            _next_steps(settings)
    else:
        tell("not published: the last good file, if any, is unchanged")
    _print_problems(report)


def _print_problems(report: Report) -> None:
    """Print the first problem of each source and all of the marts; say how many more there are.

    The marts come first: their step says why there is no publication, if there is none.
    """
    hidden = 0
    for name, found in sorted(report.problems.items(), key=lambda item: item[0] != "marts"):
        shown = found[:MAX_PROBLEMS] if name == "marts" else found[:1]
        for line in shown:
            _print_problem(name, line)
        hidden += len(found) - len(shown)
    if hidden:
        tell(f"and {hidden} more problems: `liquidity status` has what is stale, and why")


def _show(settings: Settings) -> None:
    """Show the result; a mart that has never been built is no reason to end with an error."""
    import duckdb

    from liquidity_pipeline.cli.report import show

    try:
        show(settings.published_file, console)
    except duckdb.CatalogException as error:
        tell(f"not all of the result can be shown: {str(error).splitlines()[0]}")


def _print_problem(name: str, line: str) -> None:
    text = " ".join(line.split())
    shown = text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]} …"
    label = name if shown.startswith(name) else f"{name}: "
    errors.print(Text.assemble((label, "yellow"), shown.removeprefix(name)), soft_wrap=True)


def _next_steps(settings: Settings) -> None:
    """Print commands for the same data; those of `make` know only the default directories."""
    # In a virtual environment that is not active, the shell does not know the command.
    found = shutil.which("liquidity")
    command = "liquidity" if found else os.path.relpath(Path(sys.executable).parent / "liquidity")
    place = f"--data-dir {shlex.quote(str(settings.data_dir))}"
    live = settings.endpoints == LIVE
    at_default = settings.data_dir == Path(default_data_dir(settings.endpoints)).absolute()
    if at_default:
        look = f"make ui{' LIVE=1' if live else ''}"
    else:
        look = f"{command} ui {place}{'' if live else f' --endpoints {settings.endpoints}'}"
    steps = {"look at it": f"{command} query {place} 'show all tables'", "open the UI": look}
    if at_default and settings.endpoints == SANDBOX:
        steps["go live"] = "make run LIVE=1"
    for name, step in steps.items():
        console.print(f"  {name:<12} {step}", markup=False, soft_wrap=True)
