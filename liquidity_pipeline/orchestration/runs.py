"""Run jobs in this process, for the command line: the same assets, recorded in the same instance.

An incremental run asks each source only for the months that need it; sources that need the same
months share a run.
"""

import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import dagster as dg

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.models.reconciliations.reconciliation import (
    RECONCILIATIONS,
    figures,
    passes,
)
from liquidity_pipeline.orchestration import liveness, retention
from liquidity_pipeline.orchestration.assembly import build_definitions
from liquidity_pipeline.orchestration.dagster_instance import COMMAND_LINE
from liquidity_pipeline.orchestration.dagster_private import INTERRUPTED
from liquidity_pipeline.orchestration.mart_assets import BRIEF_KEY, PUBLICATION_KEY, mart_key
from liquidity_pipeline.orchestration.names import FRESH_CHECK
from liquidity_pipeline.orchestration.partitions import range_tags
from liquidity_pipeline.orchestration.report import Report, asset_name, figures_line
from liquidity_pipeline.orchestration.source_assets import source_key
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES

# A range of months and the sources that share it; no range for sources without partitions.
Planned = tuple[Window | None, list[str]]

# Said once per step by Dagster at INFO; a person at a terminal wants the result instead.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def plan(
    pipeline: Pipeline, window: Window, sources: Sequence[str], *, force: bool
) -> list[Planned]:
    """Return the runs that are needed: a range of months and the sources that share it.

    A source without partitions has no range and joins the first run, because each run costs
    Dagster half a second.
    """
    partitioned = [name for name in sources if name in SOURCES and SOURCES[name].partitioned]
    snapshots = [name for name in sources if name not in partitioned]
    sharing: dict[Window, list[str]] = defaultdict(list)
    for name in partitioned:
        wanted = [window] if force else pipeline.ranges_to_fetch(SOURCES[name], window)
        for span in wanted:
            sharing[span].append(name)
    runs: list[Planned] = list(sharing.items())
    if snapshots and runs:
        runs[0] = (runs[0][0], [*snapshots, *runs[0][1]])
    elif snapshots:
        runs = [(None, snapshots)]
    return runs


@dataclass
class Runner:
    """Executes runs of one command, and keeps what they said in `report`.

    `on_asset` is told each asset that is done, `on_warning` each warning of a step, such as for
    whom it waits. `interrupted` tells whether a signal has arrived, which Dagster keeps to itself
    when it comes between two steps.
    """

    pipeline: Pipeline
    dagster: dg.DagsterInstance
    on_asset: Callable[[str], None] = lambda _: None
    on_warning: Callable[[str], None] = lambda _: None
    interrupted: Callable[[], bool] = lambda: False
    report: Report = field(default_factory=Report)

    @cached_property
    def _definitions(self) -> dg.Definitions:
        return build_definitions(self.pipeline)

    def refresh(self, planned: Iterable[Planned]) -> None:
        """Run sources over their ranges; failures are noted in the report and stop nothing else."""
        for span, names in planned:
            job = self._job("refresh", [source_key(name) for name in names])
            self.execute(job, tags=range_tags(span) if span else {})

    def publish(self, stale: Sequence[str] | None = None) -> None:
        """Build the marts whose inputs changed, run the reconciliations, and publish.

        `stale` are these marts where they were asked for already: see `Pipeline.stale_marts`. Other
        marts are left as they are, and so is a published file to which nothing would be new.
        """
        stale = self.pipeline.stale_marts() if stale is None else stale
        self._reconcile(set(MART_TABLES) - set(stale))
        if not stale and self.pipeline.is_published():
            self.report.unchanged = True
            return
        chosen = [*map(mart_key, stale), PUBLICATION_KEY, BRIEF_KEY]
        self.execute(self._job("publish", chosen))

    def forget_old_runs(self) -> list[str]:
        """Delete Dagster's records of old runs that nothing needs; see `retention`."""
        keys = self._definitions.resolve_asset_graph().asset_check_keys
        return retention.forget_old_runs(self.dagster, list(keys))

    def _reconcile(self, unchanged: Collection[str]) -> None:
        """Say again what does not reconcile of the marts that are those of an earlier run."""
        checks = [check for check in RECONCILIATIONS if check.mart in unchanged]
        results = self.pipeline.reconcile(checks) if checks else []
        for reconciliation, result in zip(checks, results, strict=True):
            if not passes(reconciliation, result):
                line = figures_line(reconciliation.name, figures(reconciliation, result))
                self.report.add(reconciliation.mart, [line])

    def _job(self, name: str, assets: Collection[dg.AssetKey]) -> dg.JobDefinition:
        """Return a job's part for some assets, with their checks but that of freshness.

        Freshness is judged by time and not by a run: see `freshness`.
        """
        checks = self._definitions.resolve_asset_graph().asset_check_keys
        return self._definitions.resolve_job_def(name).get_subset(
            asset_selection=set(assets),
            asset_check_selection={
                key for key in checks if key.asset_key in assets and key.name != FRESH_CHECK
            },
        )

    def execute(
        self,
        job: dg.JobDefinition,
        *,
        tags: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Run a job; raise KeyboardInterrupt when it was interrupted, which Dagster keeps."""
        run_id = str(uuid.uuid4())
        stopped = False

        def watch(entry: dg.EventLogEntry) -> None:
            nonlocal stopped
            if entry.dagster_event is not None:
                stopped = stopped or _is_interrupt(entry.dagster_event)
                self._note(entry.dagster_event)
            elif int(entry.level) == logging.WARNING:
                self.on_warning(entry.user_message)

        self.dagster.add_event_listener(run_id, watch)
        with liveness.alive(self.dagster, run_id, "a `liquidity` command"):
            job.execute_in_process(
                run_id=run_id,
                run_config=_QUIET,
                instance=self.dagster,
                raise_on_error=False,
                tags={**tags, **COMMAND_LINE},
            )
        if stopped or self.interrupted():
            raise KeyboardInterrupt

    def _note(self, event: dg.DagsterEvent) -> None:
        self.report.note(event)
        if done := _finished(event):
            self.on_asset(done)


def _is_interrupt(event: dg.DagsterEvent) -> bool:
    if event.is_step_failure:
        error = event.step_failure_data.error
        return error is not None and error.cls_name == INTERRUPTED
    return event.event_type_value == "PIPELINE_CANCELED"


def _finished(event: dg.DagsterEvent) -> str | None:
    """Return what an event finished: a source with its step, anything else when it was made."""
    is_source = str(event.step_key).startswith("sources__")
    if is_source and (event.is_step_success or event.is_step_failure):
        return asset_name(event.step_key)
    if event.is_step_materialization and not is_source and event.asset_key:
        return str(event.asset_key.path[-1])
    return None
