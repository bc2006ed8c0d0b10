"""Ctrl-C and SIGTERM end a command in the same way, and neither is ever lost."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_ENDING = {signal.SIGINT, signal.SIGTERM}
# By then the finalizer has ended, in seconds.
_MOMENT = 0.05


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Let SIGTERM raise KeyboardInterrupt; give a function that tells whether a signal arrived.

    Dagster puts handlers of its own in place while it executes, and forgets a signal that arrives
    between two steps. Python writes each signal's number into the wake-up pipe in any case. Where
    the exception is raised in a finalizer, out of which Python lets none, it is raised once more.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    # A shell lets its background jobs ignore SIGINT, and Dagster would then ignore SIGTERM as well.
    handlers = {each: signal.signal(each, signal.default_int_handler) for each in _ENDING}
    wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    arrived: set[int] = set()
    tell_of_unraisable = sys.unraisablehook

    def interrupted() -> bool:
        with suppress(BlockingIOError):
            arrived.update(os.read(reading, 4096))
        return bool(arrived & _ENDING)

    sys.unraisablehook = _interrupting_again(tell_of_unraisable)
    try:
        yield interrupted
    finally:
        sys.unraisablehook = tell_of_unraisable
        signal.set_wakeup_fd(wakeup)
        for each, handler in handlers.items():
            signal.signal(each, handler)
        os.close(reading)
        os.close(writing)


def _interrupting_again(
    tell: Callable[[sys.UnraisableHookArgs], object],
) -> Callable[[sys.UnraisableHookArgs], None]:
    """Return what to do with an exception of a finalizer; `tell` is told of all others."""

    def hook(what: sys.UnraisableHookArgs) -> None:
        if issubclass(what.exc_type, KeyboardInterrupt):
            main = threading.main_thread().ident
            # A real signal, to the thread that works: it also ends what that thread waits for.
            threading.Timer(_MOMENT, signal.pthread_kill, (main, signal.SIGINT)).start()
        else:
            tell(what)

    return hook
