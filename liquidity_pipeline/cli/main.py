"""The `liquidity` command.

Exit codes: 0 done; 1 done and published, but a check failed or data are missing; 2 wrong usage;
3 not published.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import astuple, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from liquidity_pipeline import __version__
from liquidity_pipeline.cli.run import (
    INCOMPLETE,
    OK,
    Place,
    Request,
    console,
    errors,
    publishers,
    run_and_exit,
    say_waiting,
)
from liquidity_pipeline.settings import SANDBOX, SettingsError, parse_day

if TYPE_CHECKING:
    from liquidity_pipeline.ingestion.ingest import Rebuilt
    from liquidity_pipeline.pipeline import Pipeline


def placed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which data a command works on, and hand them over as a Place."""

    @functools.wraps(command)
    def with_place(
        *, data_dir: str | None, endpoints: str | None, sandbox: bool, **options: Any
    ) -> Any:
        if sandbox and endpoints not in (None, SANDBOX):
            raise click.UsageError("--sandbox and --endpoints exclude each other")
        return command(Place(data_dir, SANDBOX if sandbox else endpoints), **options)

    decorated: Callable[..., Any] = with_place
    for option in (
        click.option("--data-dir", type=click.Path(file_okay=False), help="Data directory."),
        click.option("--endpoints", help="live, sandbox, or the root URL of a stand-in."),
        click.option("--sandbox", is_flag=True, help="Synthetic data from the sandbox."),
    ):
        decorated = option(decorated)
    return decorated


class Commands(click.Group):
    """The commands: a setting that cannot be used is wrong usage of any of them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise click.UsageError(str(error)) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="liquidity")
def main() -> None:
    """Measure how much cash the US Treasury and the Fed drain from the financial system."""


@main.command()
@click.option("--since", metavar="YYYY-MM", help="First month; by default three years back.")
@click.option("--as-of", metavar="YYYY-MM-DD", help="Use only what was public on this day.")
@placed
def run(place: Place, since: str | None, as_of: str | None) -> None:
    """Fetch what is new, build all marts, publish, and show the result."""
    run_and_exit(replace(place, as_of=as_of), Request(since=since, show=True))


@main.command()
@click.option("--since", metavar="YYYY-MM", required=True, help="First month.")
@click.option("--until", metavar="YYYY-MM", help="Last month; by default the current one.")
@click.option("--source", "sources", multiple=True, help="Only this source; may be repeated.")
@click.option("--force", is_flag=True, help="Fetch months again that are complete.")
@placed
def backfill(
    place: Place, since: str, until: str | None, sources: tuple[str, ...], force: bool
) -> None:
    """Fetch a range of months, then build and publish."""
    run_and_exit(place, Request(since=since, until=until, sources=sources, force=force))


@main.command()
@placed
def refresh(place: Place) -> None:
    """Fetch the current and the previous month of every source, then build and publish."""
    previous = place.settings().today.replace(day=1) - timedelta(days=1)
    run_and_exit(place, Request(since=f"{previous:%Y-%m}", force=True))


@main.command()
@placed
def status(place: Place) -> None:
    """Say what is held, what is stale, and why."""
    from rich.markup import escape
    from rich.table import Table

    from liquidity_pipeline.pipeline import Pipeline

    pipeline = Pipeline(place.settings())
    table = Table("table", "of", "newest", "due", "behind", "missing", "fetched (UTC)", "problem")
    stale = False
    for row in pipeline.freshness().to_pylist():
        stale = stale or row["is_stale"]
        table.add_row(
            row["table_name"],
            row["entity"],
            str(row["last_day"] or ""),
            str(row["due_day"] or ""),
            str(row["days_behind"] or ""),
            str(row["days_missing"] or ""),
            f"{row['fetched_at']:%Y-%m-%d %H:%M}" if row["fetched_at"] else "never",
            escape((row["problem"] or "")[:60]),
            style="yellow" if row["is_stale"] else None,
        )
    console.print(table)
    published = pipeline.settings.published_file
    console.print(f"published: {published if published.exists() else 'nothing yet'}")
    sys.exit(INCOMPLETE if stale or not published.exists() else OK)


@main.command()
@click.argument("sql")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
@placed
def query(place: Place, sql: str, form: str) -> None:
    """Run SQL on the published file, e.g. "from marts.weekly_drains limit 5"."""
    import duckdb

    from liquidity_pipeline.storage.warehouse import reading

    try:
        with reading(_published(place)) as published:
            result = published.execute(sql)
            names, rows = [column[0] for column in result.description or ()], result.fetchall()
    except duckdb.Error as error:
        raise click.UsageError(str(error)) from None
    _print_rows(names, rows, form)


@main.command()
@click.option("--lang", "language", type=click.Choice(["en", "zh"]), default="en")
@click.option("--format", "form", type=click.Choice(["html", "md", "json"]), default="md")
@click.option("--as-of", metavar="YYYY-MM-DD", help="As it would have been on this day.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here.")
@placed
def brief(place: Place, language: str, form: str, as_of: str | None, output: Path | None) -> None:
    """Say what drains, what is coming and who reacted: the brief of the published file."""
    from liquidity_pipeline.cli.brief import write_brief

    write_brief(place, language=language, form=form, as_of=as_of, output=output)


@main.command()
@click.option(
    "--portfolio",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="CSV with the columns symbol and weight.",
)
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
@placed
def scenario(place: Place, portfolio: Path, form: str) -> None:
    """Set a portfolio against a continued, a worse and a reversed drain."""
    import duckdb

    from liquidity_pipeline.models.assets.scenarios import PortfolioError, portfolio_scenarios
    from liquidity_pipeline.storage.warehouse import reading

    try:
        with reading(_published(place)) as published:
            impacts = portfolio_scenarios(published, portfolio)
    except (PortfolioError, duckdb.Error) as error:
        raise click.UsageError(str(error)) from None
    names = [field.name for field in fields(impacts[0])]
    _print_rows(names, [astuple(impact) for impact in impacts], form)


@main.command()
@click.option("--check", is_flag=True, help="Only compare with the lake; change nothing.")
@click.option("--force", is_flag=True, help="Replace the lake even if rows would be lost.")
@placed
def rebuild(place: Place, check: bool, force: bool) -> None:
    """Rebuild the lake from the archive alone, without a network, and publish."""
    from liquidity_pipeline.ingestion import rebuild as rebuilding
    from liquidity_pipeline.pipeline import Pipeline

    pipeline = Pipeline(place.settings())
    if check:
        rebuilt, done = _run_archive_again(pipeline)
        different = rebuilding.differences(pipeline.lake.root, rebuilt)
        rebuilding.discard(rebuilt)
        sys.exit(INCOMPLETE if different or done.failures else OK)
    from liquidity_pipeline.orchestration.dagster_instance import exclusive

    pipeline.settings.claim_data_dir()
    with exclusive(pipeline.settings.data_dir, lambda: say_waiting(pipeline.settings)):
        done = _replace_lake(pipeline, force=force)
    try:
        run_and_exit(place, Request(sources=("policy_events",)))
    except SystemExit as published:
        sys.exit(published.code or (INCOMPLETE if done.failures else OK))


def _replace_lake(pipeline: Pipeline, *, force: bool) -> Rebuilt:
    """Put the rebuilt lake in the place of the old one, or end with why not."""
    from liquidity_pipeline.ingestion import rebuild as rebuilding

    lake = pipeline.lake.root
    if rebuilding.recover(lake):
        console.print("put back the lake that an interrupted rebuild had left aside")
    rebuilt, done = _run_archive_again(pipeline)
    if refusal := rebuilding.refusal(lake, rebuilt, done.fetches, force=force):
        rebuilding.discard(rebuilt)
        errors.print(f"not replaced: {refusal}", markup=False, soft_wrap=True)
        sys.exit(INCOMPLETE)
    rebuilding.replace_lake(lake, rebuilt)
    return done


def _run_archive_again(pipeline: Pipeline) -> tuple[Path, Rebuilt]:
    """Rebuild beside the lake, and say what failed and how it differs."""
    from liquidity_pipeline.ingestion import rebuild as rebuilding

    with console.status("running every archived fetch again"):
        rebuilt, done = pipeline.rebuild_lake()
    for failure in done.failures:
        errors.print(f"not run again: {failure}", markup=False, soft_wrap=True)
    different = rebuilding.differences(pipeline.lake.root, rebuilt)
    console.print(f"{done.fetches} fetches run again; {len(different)} files differ from the lake")
    for name in different[:20]:
        console.print(f"  {name}")
    return rebuilt, done


@main.command()
@placed
def doctor(place: Place) -> None:
    """Check the surroundings: versions, files, reference facts, publishers."""
    from rich.markup import escape

    from liquidity_pipeline.cli.doctor import examine

    findings = examine(place.settings())
    for finding in findings:
        mark = "[green]ok  [/]" if finding.good else "[red]fail[/]"
        console.print(f"{mark} {escape(f'{finding.what}: {finding.detail}')}")
    sys.exit(OK if all(finding.good for finding in findings) else INCOMPLETE)


@main.command()
@click.option("--port", default=3000, show_default=True)
@placed
def ui(place: Place, port: int) -> None:
    """Open Dagster's UI on a data directory; with --sandbox, beside a running sandbox."""
    import subprocess

    from liquidity_pipeline.orchestration.dagster_instance import dagster_home

    settings = place.settings()
    settings.claim_data_dir()
    dagster = Path(sys.executable).with_name("dagster")
    module = "liquidity_pipeline.definitions"
    since = settings.today.replace(year=settings.today.year - 3, day=1)
    with publishers(settings, since) as reachable:
        environment = {
            **os.environ,
            "LIQUIDITY_DATA_DIR": str(settings.data_dir),
            "LIQUIDITY_ENDPOINTS": settings.endpoints,
            "LIQUIDITY_SANDBOX_URL": reachable.sandbox_url or "",
            "DAGSTER_HOME": str(dagster_home(settings.data_dir)),
        }
        command = [str(dagster), "dev", "-m", module, "-p", str(port)]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603


@main.command()
@click.option("--port", default=0, help="0 takes a free one.", show_default=True)
@click.option("--today", metavar="YYYY-MM-DD", help="Stand at 22:00 New York of this day.")
@click.option("--since", metavar="YYYY-MM-DD", help="First day served; three years back.")
@click.option("--seed", default=1, show_default=True, help="Which world.")
@click.option("--symbols", default=0, help="Further funds, for tests of scale.", show_default=True)
@click.option("--faults", default="", metavar="NAME:RATE,…", help="e.g. 429:0.1,html200:0.05")
@click.option("--fault-seed", default=0, show_default=True)
@click.option("--truth", "show_truth", is_flag=True, help="Print the answer key and stop.")
def sandbox(
    *,
    port: int,
    today: str | None,
    since: str | None,
    seed: int,
    symbols: int,
    faults: str,
    fault_seed: int,
    show_truth: bool,
) -> None:
    """Serve every publisher from a simulated economy, on this machine only."""
    from liquidity_pipeline.sandbox import server
    from liquidity_pipeline.sandbox.options import Options

    try:
        options = Options(
            today=parse_day(today, "--today") if today else None,
            start=parse_day(since, "--since") if since else None,
            seed=seed,
            symbols=symbols,
            faults=faults,
            fault_seed=fault_seed,
        )
        if show_truth:
            import json

            from liquidity_pipeline.sandbox.truth import truth

            click.echo(json.dumps(truth(server.make_world(options)), indent=1))
        else:
            server.serve(options, port, lambda url: click.echo(f"listening on {url}"))
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _published(place: Place) -> Path:
    path = place.settings().published_file
    if not path.exists():
        raise click.UsageError(f"{path} does not exist yet: run `liquidity run` first.")
    return path


def _print_rows(names: list[str], rows: list[tuple[Any, ...]], form: str) -> None:
    if form == "csv":
        import csv

        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows(rows)
    elif form == "json":
        import json

        records = [dict(zip(names, row, strict=True)) for row in rows]
        click.echo(json.dumps(records, default=str, indent=1))
    else:
        from rich.markup import escape
        from rich.table import Table
        from rich.text import Text

        # Text: what stands in brackets is no markup.
        table = Table(*map(escape, names))
        for row in rows:
            table.add_row(*(Text(_word(value)) for value in row))
        console.print(table)


def _word(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.4g}" if isinstance(value, float) and abs(value) < 1000 else str(value)


if __name__ == "__main__":
    main()
