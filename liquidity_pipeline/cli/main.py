"""The `liquidity` command: its options, and which module does what it says.

Exit codes: 0 done; 1 done, and where a command publishes, published, but a check failed or data
are missing; 2 wrong usage; 3 not published, or interrupted.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from liquidity_pipeline import __version__
from liquidity_pipeline.cli.exits import INCOMPLETE, NOT_PUBLISHED, OK, tell
from liquidity_pipeline.cli.place import DATA_DIR, Place, placed
from liquidity_pipeline.cli.signals import interruptible
from liquidity_pipeline.settings import SettingsError, parse_day

_FORMS = click.Choice(["table", "csv", "json"])


class Commands(click.Group):
    """The commands, and one way in which all of them end: never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a setting that cannot be used is wrong usage of any of them."""
        try:
            with interruptible():
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except SettingsError as error:
            raise click.UsageError(str(error)) from None
        except KeyboardInterrupt:
            tell("interrupted")
            sys.exit(NOT_PUBLISHED)
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, 1 would say "done"
            from liquidity_pipeline.cli import failures

            failures.record(error)
            tell(f"failed: {failures.explain(error, ctx.meta.get(DATA_DIR))}")
            sys.exit(NOT_PUBLISHED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="liquidity")
def main() -> None:
    """Measure how much cash the US Treasury and the Fed drain from the financial system."""


@main.command(short_help="Fetch what is new, build all marts and publish.")
@click.option(
    "--since",
    metavar="YYYY-MM",
    help="First month. Default: the first month in the data directory; for a new directory "
    "2005-10, or three years back with the sandbox.",
)
@click.option(
    "--as-of", metavar="YYYY-MM-DD", help="Use only what was public at the end of this day."
)
@placed
def run(place: Place, since: str | None) -> None:
    """Fetch what is new, build all marts, publish, and show the result."""
    from liquidity_pipeline.cli.run import Request, run_and_exit

    run_and_exit(place, Request(since=since, show=True))


@main.command()
@click.option("--since", metavar="YYYY-MM", required=True, help="First month.")
@click.option("--until", metavar="YYYY-MM", help="Last month; by default the current one.")
@click.option("--source", "sources", multiple=True, help="Fetch only this source; may be repeated.")
@click.option(
    "--force",
    is_flag=True,
    help="Also fetch months that are complete, and take values in other units than the known ones.",
)
@placed
def backfill(
    place: Place, since: str, until: str | None, sources: tuple[str, ...], force: bool
) -> None:
    """Fetch a range of months, then build and publish."""
    from liquidity_pipeline.cli.run import Request, run_and_exit

    request = Request(since, until, sources, force=force, takes_other_units=force)
    run_and_exit(place, request)


@main.command(short_help="Fetch the current and the previous month again, and publish.")
@placed
def refresh(place: Place) -> None:
    """Fetch the current and the previous month of every source, then build and publish."""
    from liquidity_pipeline.cli.run import Request, run_and_exit

    previous = place.settings().today.replace(day=1) - timedelta(days=1)
    run_and_exit(place, Request(since=f"{previous:%Y-%m}", force=True))


@main.command(short_help="Report whether the data are published, fresh and sound.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "prometheus"]), default="table"
)
@placed
def status(place: Place, form: str) -> None:
    """Show in one line whether the data are published, fresh and sound, then each source."""
    from liquidity_pipeline.cli.status import status as show_status

    sys.exit(OK if show_status(place.settings(), form) else INCOMPLETE)


@main.command(short_help="Run SQL on the published file.")
@click.argument("sql")
@click.option("--format", "form", type=_FORMS, default="table")
@placed
def query(place: Place, sql: str, form: str) -> None:
    """Run SQL on the published file, e.g. "from marts.weekly_drains limit 5".

    A query can reach only this file: it reads and writes no other file and uses no network.
    """
    from liquidity_pipeline.cli.query import query as run_query

    run_query(_published(place), sql, form)


@main.command(short_help="Serve the published file to an assistant.")
@placed
def mcp(place: Place) -> None:
    """Serve the published file to an assistant: a read-only Model Context Protocol server.

    It speaks over standard input and output, and is started by the assistant's program: see
    docs/bi.md.
    """
    from liquidity_pipeline.cli.mcp import serve

    serve(place)


@main.command(short_help="Write the brief of the published file.")
@click.option("--lang", "language", type=click.Choice(["en", "zh"]), default="en")
@click.option("--format", "form", type=click.Choice(["html", "md", "json"]), default="md")
@click.option(
    "--as-of",
    metavar="YYYY-MM-DD",
    help="Write the brief as it would have been at the end of this day.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write to; by default the terminal.",
)
@placed
def brief(place: Place, language: str, form: str, output: Path | None) -> None:
    """Write the brief: what drains, what is coming, and which assets reacted."""
    from liquidity_pipeline.cli.brief import write_brief

    write_brief(place, language=language, form=form, output=output)


@main.group(short_help="Send alerts on the published file.")
def alerts() -> None:
    """Send alerts on what began, changed or ended since the last check."""


@alerts.command("check")
@click.option(
    "--dry-run", is_flag=True, help="Evaluate and print, without sending or recording anything."
)
@placed
def alerts_check(place: Place, *, dry_run: bool) -> None:
    """Evaluate all conditions on the published file and send what is new."""
    from liquidity_pipeline.cli.alerts import check_and_exit

    check_and_exit(place, dry_run=dry_run)


@alerts.command("test")
def alerts_test() -> None:
    """Send a test message to every channel of LIQUIDITY_ALERT_URLS."""
    from liquidity_pipeline.cli.alerts import test_and_exit

    test_and_exit()


@main.command(short_help="Write a file of views over the lake, for notebooks.")
@placed
def live(place: Place) -> None:
    """Write live.duckdb: views over the lake's Parquet files as they are, without a snapshot."""
    from liquidity_pipeline.storage.lake import Lake
    from liquidity_pipeline.storage.live import write

    settings = place.settings()
    target = settings.data_dir / "live.duckdb"
    names = write(Lake(settings.lake_dir), target)
    click.echo(f"{target}: {len(names)} views in the schema lake, live and not a snapshot")


@main.group(short_help="Register publications in a shared catalogue.")
def catalogue() -> None:
    """Keep each publication as a snapshot of a DuckLake that LIQUIDITY_CATALOGUE names."""


@catalogue.command("publish")
@placed
def catalogue_publish(place: Place) -> None:
    """Register the published file as the catalogue's newest snapshot."""
    from liquidity_pipeline.cli.catalogue import publish

    publish(_published(place))


@catalogue.command("list")
def catalogue_list() -> None:
    """List the publications in the catalogue, with the version that reads each."""
    from liquidity_pipeline.cli.catalogue import show

    show()


@main.command(short_help="Estimate a portfolio's four-week loss in three drain scenarios.")
@click.option(
    "--portfolio",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="CSV with the columns symbol and weight.",
)
@click.option("--format", "form", type=_FORMS, default="table")
@placed
def scenario(place: Place, portfolio: Path, form: str) -> None:
    """Estimate a portfolio's four-week loss if the drain continues, worsens or reverses."""
    from liquidity_pipeline.cli.scenario import show

    show(_published(place), portfolio, form)


@main.command(short_help="Rebuild the lake from the archive, without a network.")
@click.option(
    "--check", is_flag=True, help="Only compare with the lake, without changing anything."
)
@click.option("--force", is_flag=True, help="Replace the lake even if rows would be lost.")
@placed
def rebuild(place: Place, check: bool, force: bool) -> None:
    """Rebuild the lake from the archive alone, without a network, and publish."""
    from liquidity_pipeline.cli.rebuild import compare, replace_and_publish

    if check:
        compare(place)
    else:
        replace_and_publish(place, force=force)


@main.command(short_help="Check the installation and the publishers.")
@placed
def doctor(place: Place) -> None:
    """Check the installation: versions, files, reference facts and publishers."""
    from rich.markup import escape

    from liquidity_pipeline.cli.console import console
    from liquidity_pipeline.cli.doctor import examine

    well = True
    for finding in examine(place.settings()):
        mark = "[green]ok  [/]" if finding.good else "[red]fail[/]"
        console.print(f"{mark} {escape(f'{finding.what}: {finding.detail}')}", soft_wrap=True)
        well = well and finding.good
    sys.exit(OK if well else INCOMPLETE)


@main.command(short_help="Open Dagster's UI on a data directory.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@placed
def ui(place: Place, port: int) -> None:
    """Open Dagster's UI on a data directory; with --sandbox, start a sandbox as well."""
    from liquidity_pipeline.cli.ui import ui as serve_ui

    sys.exit(serve_ui(place, port))


@main.command(short_help="Serve every publisher from a simulated economy.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="0 chooses a free port.",
    show_default=True,
)
@click.option("--today", metavar="YYYY-MM-DD", help="Simulate 22:00 in New York on this day.")
@click.option(
    "--since", metavar="YYYY-MM-DD", help="First day served; by default three years back."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Seed of the simulated economy.",
)
@click.option(
    "--symbols",
    type=click.IntRange(min=0),
    default=0,
    help="Number of additional funds, for load tests.",
    show_default=True,
)
@click.option("--faults", default="", metavar="NAME:RATE,…", help="e.g. 429:0.1,html200:0.05")
@click.option("--fault-seed", default=0, show_default=True)
@click.option(
    "--truth", "show_truth", is_flag=True, help="Print the true values of the simulation and exit."
)
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


if __name__ == "__main__":
    main()
