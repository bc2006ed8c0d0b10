"""What a run did, in lines for a person, taken from the events that Dagster records of it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from liquidity_pipeline.orchestration.mart_assets import PUBLICATION_KEY
from liquidity_pipeline.orchestration.names import ALL_COMPLETE_CHECK

_LOG = logging.getLogger("liquidity_pipeline.run")


@dataclass
class Report:
    """What a run did. `problems` are lines for a person, by what they are about.

    `unchanged` is a run that found nothing new, and left the published file as it was.
    """

    published: bool = False
    unchanged: bool = False
    succeeded: list[str] = field(default_factory=list)
    problems: dict[str, list[str]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """The file is up to date, and nothing failed or was missing on the way."""
        return self.is_current and not self.problems

    @property
    def is_current(self) -> bool:
        """The published file says what this run knows: it wrote it, or found nothing new."""
        return self.published or self.unchanged

    def note(self, event: dg.DagsterEvent) -> None:
        """Take over what one event of a run says."""
        name = asset_name(event.step_key)
        if event.is_step_success:
            self.succeeded.append(name)
        elif event.is_step_failure:
            self._note_failure(name, event)
        elif event.is_step_materialization:
            self.published = self.published or event.asset_key == PUBLICATION_KEY
            self.add(name, gaps(event.step_materialization_data.materialization.metadata))
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            evaluation = event.asset_check_evaluation_data
            # What is stale is said by each source; the check of the publication sums it up.
            if not evaluation.passed and evaluation.check_name != ALL_COMPLETE_CHECK:
                self.add(evaluation.asset_key.path[-1], _check_lines(evaluation))

    def _note_failure(self, name: str, event: dg.DagsterEvent) -> None:
        data = event.step_failure_data
        metadata = data.user_failure_data.metadata if data.user_failure_data else {}
        if data.error:
            _LOG.error("%s failed\n%s", name, data.error.to_string())
        # A step that names what failed inside it says nothing more in its description.
        if listed := gaps(metadata):
            self.add(name, ([] if name == "marts" else [failure_text(event)]) + listed)
        else:
            self.add(name, [failure_text(event)])

    def add(self, name: str, lines: list[str]) -> None:
        """Add lines about something, each once."""
        known = self.problems.get(name, [])
        new = [line for line in dict.fromkeys(lines) if line not in known]
        if new:
            self.problems[name] = known + new


def failure_text(event: dg.DagsterEvent) -> str:
    """Return why a step failed: the message of the error that was raised in this project's code.

    Dagster wraps that error; what it was raised from is a detail of some library, for the log.
    """
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error
    while error is not None and error.cause is not None and _is_dagsters(error):
        error = error.cause
    return _without_class(error) if error else "failed without a reason"


def _is_dagsters(error: Any) -> bool:
    return str(error.cls_name).startswith("Dagster")


def _without_class(error: Any) -> str:
    """Return the message, without a name of a class that says nothing to a person."""
    text = str(error.message).strip()
    label, _, message = text.partition(": ")
    if label.rpartition(".")[2] != error.cls_name or not message:
        return text
    # "KeyError: 'close'" is nothing without its first word.
    return f"{error.cls_name}: {message}" if "." not in label else message


def figures_line(name: str, values: Mapping[str, object]) -> str:
    """Return named figures as one line."""
    return f"{name}: " + ", ".join(f"{figure} {value}" for figure, value in values.items())


def gaps(metadata: Mapping[str, Any]) -> list[str]:
    """Return the lines of the Markdown list called `gaps`, if there is one."""
    return _listed(metadata["gaps"].value) if "gaps" in metadata else []


def asset_name(step_key: str | None) -> str:
    """Return `tga_balance` for the step `sources__tga_balance`."""
    return (step_key or "run").partition("__")[2] or str(step_key)


def _check_lines(evaluation: Any) -> list[str]:
    """Return what a failed check says in its metadata."""
    values = {name: value.value for name, value in evaluation.metadata.items()}
    if "missing" in values:
        return _listed(values["missing"])
    return [figures_line(evaluation.check_name, values)]


def _listed(markdown: str) -> list[str]:
    return [line.removeprefix("- ") for line in markdown.splitlines()]
