"""The sandbox in a process of its own, for a command that has better things to do meanwhile."""

from __future__ import annotations

import multiprocessing
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from liquidity_pipeline.sandbox.options import HOST, Options

_STOP_SECONDS = 5


@contextmanager
def run_sandbox_process(options: Options) -> Iterator[str]:
    """Run a sandbox beside this process while the block lasts, and give its URL at once.

    A request waits until the sandbox has started. It ends with this process however that ends,
    because this end of the pipe closes then.
    """
    fresh = multiprocessing.get_context("spawn")
    ours, theirs = fresh.Pipe()
    with theirs, socket.create_server((HOST, 0)) as listener:
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        process = fresh.Process(target=_run, args=(options, listener, theirs), daemon=True)
        process.start()
    try:
        yield url
    finally:
        ours.close()
        process.join(_STOP_SECONDS)
        process.terminate()


def _run(options: Options, listener: socket.socket, caller: Connection) -> None:
    # An interrupt at the terminal reaches both processes: the caller decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from liquidity_pipeline.sandbox.server import start

    with start(options, listener=listener), suppress(EOFError):
        caller.recv()
