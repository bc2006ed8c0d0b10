"""How far a run is, from its first second on: bars for a person, lines for a log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from liquidity_pipeline.cli.console import errors
from liquidity_pipeline.cli.exits import tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liquidity_pipeline.orchestration.runs import Planned


class RunProgress:
    """The progress of one run. Where no person watches, each phase is one line."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._watched = errors.is_terminal
        self._fetching: TaskID | None = None
        self._building: TaskID | None = None
        self._starting = bars.add_task("starting", total=None)

    def waiting(self, text: str) -> None:
        """Say what the run waits for."""
        tell(text)

    def fetching(self, planned: Sequence[Planned], first_to_last: str) -> None:
        """Begin to fetch."""
        total = sum(len(names) for _, names in planned)
        # A source is asked once for each span of months of which something is wanted.
        sources = len({name for _, names in planned for name in names})
        if not self._watched:
            spans = f", in {total} spans of months" if total > sources else ""
            tell(f"fetching {sources} sources ({first_to_last}{spans})")
        self._bars.remove_task(self._starting)
        self._fetching = self._bars.add_task(f"fetching {first_to_last}", total=total)

    def fetched(self, name: str) -> None:
        """Say that a source was asked."""
        if self._fetching is not None:
            self._bars.update(self._fetching, advance=1, description=f"fetched {name}")

    def building(self, marts: int) -> None:
        """Begin to build so many marts, and to publish the file and the brief."""
        if not self._watched:
            tell(f"building {marts} marts and publishing" if marts else "publishing")
        self._building = self._bars.add_task("building marts", total=marts + 2)

    def built(self, name: str) -> None:
        """Say that a mart or the publication was made."""
        if self._building is not None:
            self._bars.update(self._building, advance=1, description=f"built {name}")

    def done(self, name: str) -> None:
        """Take an asset that is done for what it is: before the marts, a source."""
        if self._building is None:
            self.fetched(name)
        else:
            self.built(name)


@contextmanager
def run_progress() -> Iterator[RunProgress]:
    """Show progress on the error stream while the block lasts."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<34}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True) as bars:
        yield RunProgress(bars)
