"""Run jobs in this process, for the command line: the same assets, recorded in the same instance.

An incremental run asks each source only for the months that need it; sources that need the same
months share a run.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import dagster as dg

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.models.reconciliations.reconciliation import (
    RECONCILIATIONS,
    figures,
    passes,
)
from liquidity_pipeline.orchestration.assembly import build_definitions
from liquidity_pipeline.orchestration.dagster_instance import COMMAND_LINE
from liquidity_pipeline.orchestration.mart_assets import BRIEF_KEY, PUBLICATION_KEY
from liquidity_pipeline.orchestration.partitions import range_tags
from liquidity_pipeline.orchestration.resources import PipelineResource
from liquidity_pipeline.orchestration.source_assets import source_key
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES

OnStep = Callable[[str], None]
PUBLICATION = "liquidity_duckdb"

# Said once per step by Dagster at INFO; a person at a terminal wants the result instead.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Report:
    """What a run did. `problems` are lines for a person, by what they are about."""

    published: bool = False
    succeeded: list[str] = field(default_factory=list)
    problems: dict[str, list[str]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Published, and nothing failed or was missing on the way."""
        return self.published and not self.problems

    def note(self, event: dg.DagsterEvent) -> None:
        """Take over what one event of a run says."""
        name = _asset_name(event.step_key)
        if event.is_step_success:
            self.succeeded.append(name)
        elif event.is_step_failure:
            self.add(name, [_failure_text(event), *_gaps(_failure_metadata(event))])
        elif event.is_step_materialization:
            self.add(name, _gaps(event.step_materialization_data.materialization.metadata))
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            evaluation = event.asset_check_evaluation_data
            if not evaluation.passed:
                self.add(evaluation.asset_key.path[-1], _check_lines(evaluation))

    def add(self, name: str, lines: list[str]) -> None:
        """Add lines about something, each once."""
        known = self.problems.get(name, [])
        new = [line for line in lines if line not in known]
        if new:
            self.problems[name] = known + new


def plan(
    resource: PipelineResource, window: Window, sources: Sequence[str], *, force: bool
) -> list[tuple[Window | None, list[str]]]:
    """Return the runs that are needed: a range of months and the sources that share it.

    A source without partitions has no range and joins the first run, because each run costs
    Dagster half a second.
    """
    partitioned = [name for name in sources if name in SOURCES and SOURCES[name].partitioned]
    snapshots = [name for name in sources if name not in partitioned]
    sharing: dict[Window, list[str]] = defaultdict(list)
    for name in partitioned:
        wanted = [window] if force else resource.pipeline.ranges_to_fetch(SOURCES[name], window)
        for span in wanted:
            sharing[span].append(name)
    runs: list[tuple[Window | None, list[str]]] = list(sharing.items())
    if snapshots and runs:
        runs[0] = (runs[0][0], [*snapshots, *runs[0][1]])
    elif snapshots:
        runs = [(None, snapshots)]
    return runs


def refresh(
    resource: PipelineResource,
    dagster: dg.DagsterInstance,
    runs: Iterable[tuple[Window | None, list[str]]],
    report: Report,
    on_step: OnStep,
) -> None:
    """Run sources over their ranges; failures are noted in the report and stop nothing else."""
    job = _job(resource, "refresh")
    for span, names in runs:
        keys = [source_key(name) for name in names]
        tags = range_tags(span) if span else {}
        _execute(job, dagster, report, on_step, asset_selection=keys, tags=tags)


def publish(
    resource: PipelineResource, dagster: dg.DagsterInstance, report: Report, on_step: OnStep
) -> None:
    """Build all marts, run the reconciliations, and publish.

    Marts that would come out the same are left as they are; the publication is always made anew,
    because it says when each source was last asked.
    """
    job = _job(resource, "publish")
    current = resource.pipeline.marts_are_current()
    if current:
        _reconcile(resource, report)
    selection = [PUBLICATION_KEY, BRIEF_KEY] if current else None
    _execute(job, dagster, report, on_step, asset_selection=selection)
    report.published = PUBLICATION in report.succeeded


def _reconcile(resource: PipelineResource, report: Report) -> None:
    """Say again what does not reconciliation, though the marts are those of the last run."""
    for reconciliation in RECONCILIATIONS:
        result = resource.pipeline.evaluate(reconciliation)
        if not passes(reconciliation, result):
            report.add(
                reconciliation.mart,
                [_figures_line(reconciliation.name, figures(reconciliation, result))],
            )


def _figures_line(name: str, values: Mapping[str, object]) -> str:
    return f"{name}: " + ", ".join(f"{figure} {value}" for figure, value in values.items())


def _job(resource: PipelineResource, name: str) -> dg.JobDefinition:
    return _definitions(resource).resolve_job_def(name)


@lru_cache(maxsize=1)
def _definitions(resource: PipelineResource) -> dg.Definitions:
    """Assemble once per resource: it takes half a second."""
    return build_definitions(resource)


def publish_steps() -> int:
    """Return how many assets `publish` makes, for a progress bar."""
    return len(MART_TABLES) + 2


def _execute(
    job: dg.JobDefinition,
    dagster: dg.DagsterInstance,
    report: Report,
    on_step: OnStep,
    *,
    asset_selection: Sequence[dg.AssetKey] | None = None,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run a job; raise KeyboardInterrupt when it was interrupted, which Dagster keeps to itself."""
    run_id = str(uuid.uuid4())
    interrupted = False

    def watch(entry: dg.EventLogEntry) -> None:
        nonlocal interrupted
        if entry.dagster_event is not None:
            interrupted = interrupted or _is_interrupt(entry.dagster_event)
            report.note(entry.dagster_event)
            if done := _finished(entry.dagster_event):
                on_step(done)

    dagster.add_event_listener(run_id, watch)
    job.execute_in_process(
        run_id=run_id,
        run_config=_QUIET,
        instance=dagster,
        raise_on_error=False,
        asset_selection=asset_selection,
        tags={**tags, **COMMAND_LINE},
    )
    if interrupted:
        raise KeyboardInterrupt


def _is_interrupt(event: dg.DagsterEvent) -> bool:
    if event.is_step_failure:
        error = event.step_failure_data.error
        return error is not None and error.cls_name == "DagsterExecutionInterruptedError"
    return event.event_type_value == "PIPELINE_CANCELED"


def _finished(event: dg.DagsterEvent) -> str | None:
    """Return what an event finished: a source with its step, anything else when it was made."""
    is_source = str(event.step_key).startswith("sources__")
    if is_source and (event.is_step_success or event.is_step_failure):
        return _asset_name(event.step_key)
    if event.is_step_materialization and not is_source and event.asset_key:
        return str(event.asset_key.path[-1])
    return None


def _check_lines(evaluation: Any) -> list[str]:
    """Return what a failed check says in its metadata."""
    values = {name: value.value for name, value in evaluation.metadata.items()}
    if "missing" in values:
        return _listed(values["missing"])
    return [_figures_line(evaluation.check_name, values)]


def _gaps(metadata: Mapping[str, Any]) -> list[str]:
    return _listed(metadata["gaps"].value) if "gaps" in metadata else []


def _listed(markdown: str) -> list[str]:
    return [line.removeprefix("- ") for line in markdown.splitlines()]


def _failure_metadata(event: dg.DagsterEvent) -> Mapping[str, Any]:
    data = event.step_failure_data.user_failure_data
    return data.metadata if data else {}


def _failure_text(event: dg.DagsterEvent) -> str:
    """Return why a step failed, in the words of whoever knew."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error else "failed"


def _asset_name(step_key: str | None) -> str:
    """Return `tga_balance` for the step `sources__tga_balance`."""
    return (step_key or "run").partition("__")[2] or str(step_key)
