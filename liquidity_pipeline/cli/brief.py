"""`liquidity brief`: print or write the brief of the published file, or of a past day."""

from __future__ import annotations

from pathlib import Path

import click

from liquidity_pipeline.cli.console import errors
from liquidity_pipeline.cli.place import Place
from liquidity_pipeline.settings import parse_day


def write_brief(place: Place, *, language: str, form: str, output: Path | None) -> None:
    """Write the brief to a file, or to standard output; raise UsageError where there is none."""
    from liquidity_pipeline.brief.edition import write_text
    from liquidity_pipeline.brief.render import render
    from liquidity_pipeline.pipeline import Pipeline
    from liquidity_pipeline.storage.warehouse import PublicationError

    pipeline = Pipeline(place.settings())
    try:
        if place.as_of:
            day = parse_day(place.as_of, "--as-of")
            with errors.status(f"building all marts as of {day}, which may take half a minute"):
                brief = pipeline.brief_as_of(day)
        else:
            brief = pipeline.brief()
    except FileNotFoundError as missing:
        raise click.UsageError(f"{missing} does not exist yet: run `liquidity run`.") from None
    except PublicationError as error:
        raise click.UsageError(str(error)) from None
    text = render(brief, form, language)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output.absolute(), text)
        errors.print(f"written {output}", soft_wrap=True, highlight=False)
