"""Settings that reach the publishers: a sandbox is started where one is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from liquidity_pipeline.settings import SANDBOX, Settings


@contextmanager
def reachable(settings: Settings, since: date) -> Iterator[Settings]:
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
