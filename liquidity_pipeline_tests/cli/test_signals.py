"""A signal ends a command wherever it arrives."""

from __future__ import annotations

import signal
import sys
import time
from typing import Any

import pytest

from liquidity_pipeline.cli.signals import interruptible


class Dying:
    """What a signal meets in its finalizer, out of which Python lets no exception."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def __del__(self) -> None:
        if issubclass(self.error, KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        raise self.error


def test_a_signal_that_meets_a_finalizer_ends_the_command_and_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
):
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    with interruptible() as interrupted:
        Dying(KeyboardInterrupt)
        assert interrupted()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            time.sleep(30)
        assert time.monotonic() - began < 20, "what the command waits for is broken off"
    assert told == []


def test_other_errors_of_finalizers_are_told_as_ever(monkeypatch: pytest.MonkeyPatch):
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: told.append(what.exc_type))
    with interruptible():
        Dying(ValueError)
    assert told == [ValueError]
