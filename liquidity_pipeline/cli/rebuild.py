"""Rebuild the lake from the archive: compare only, or replace and publish."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from liquidity_pipeline.cli.console import console
from liquidity_pipeline.cli.exits import INCOMPLETE, NOT_PUBLISHED, OK, tell
from liquidity_pipeline.cli.place import Place
from liquidity_pipeline.cli.run import Request, run_and_exit
from liquidity_pipeline.ingestion import rebuild as rebuilding
from liquidity_pipeline.settings import SettingsError

if TYPE_CHECKING:
    from liquidity_pipeline.ingestion.ingest import Rebuilt
    from liquidity_pipeline.pipeline import Pipeline


def compare(place: Place) -> None:
    """Say how the lake differs from what the archive gives; change nothing."""
    from liquidity_pipeline.pipeline import Pipeline

    pipeline = Pipeline(place.settings())
    with _rebuilt_lake(pipeline) as (rebuilt, done):
        different = rebuilding.differences(pipeline.lake.root, rebuilt)
    sys.exit(INCOMPLETE if different or done.failures else OK)


def replace_and_publish(place: Place, *, force: bool) -> None:
    """Put the rebuilt lake in the place of the old one, while no run reads or writes it."""
    from liquidity_pipeline.orchestration.dagster_instance import exclusive
    from liquidity_pipeline.pipeline import Pipeline
    from liquidity_pipeline.sources.registry import SOURCES
    from liquidity_pipeline.storage.locks import WAREHOUSE, holding_all

    if place.settings().lake_url:
        raise SettingsError(
            "a lake in an object store is not replaced by a rebuild, because other machines write "
            "to it. If a file of this machine's copy is damaged, delete the file: the next run "
            "copies it again."
        )
    pipeline = Pipeline(place.settings())
    pipeline.settings.claim_data_dir()
    publishers = {name for source in SOURCES.values() for name in source.publishers}
    folder, who = pipeline.settings.data_dir, "`liquidity rebuild`"
    with exclusive(folder, tell), holding_all(folder, {WAREHOUSE, *publishers}, who, tell):
        done = _replace_lake(pipeline, force=force)
    try:
        run_and_exit(place, Request(sources=("policy_events",)))
    except SystemExit as published:
        sys.exit(published.code or (INCOMPLETE if done.failures else OK))


def _replace_lake(pipeline: Pipeline, *, force: bool) -> Rebuilt:
    """Put the rebuilt lake in the place of the old one, or end with why not."""
    lake = pipeline.lake.root
    if rebuilding.recover(lake):
        console.print("put back the lake that an interrupted rebuild had left aside")
    with _rebuilt_lake(pipeline) as (rebuilt, done):
        if refusal := rebuilding.refusal(lake, rebuilt, done.fetches, force=force):
            tell(f"not replaced: {refusal}")
            # Nothing was published either: 1 would say that it was.
            sys.exit(NOT_PUBLISHED)
        rebuilding.replace_lake(lake, rebuilt)
    return done


@contextmanager
def _rebuilt_lake(pipeline: Pipeline) -> Iterator[tuple[Path, Rebuilt]]:
    """Rebuild beside the lake, and say what failed and how it differs."""
    with ExitStack() as opened:
        with console.status("running every archived fetch again"):
            rebuilt, done = opened.enter_context(pipeline.rebuilt_lake())
        for failure in done.failures:
            tell(f"not run again: {failure}")
        different = rebuilding.differences(pipeline.lake.root, rebuilt)
        console.print(
            f"{done.fetches} fetches run again; {len(different)} files differ from the lake"
        )
        for name in different[:20]:
            console.print(f"  {name}")
        yield rebuilt, done
