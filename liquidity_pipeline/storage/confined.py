"""SQL from outside on a published file, and nothing else: no other file, and no network.

A person's `liquidity query` and an assistant's tool ask through the same door.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from liquidity_pipeline.storage.warehouse import reading

_INTERRUPT_EVERY = 0.2


@contextmanager
def confined(
    published: Path, *, memory: str, seconds: float
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a published file for SQL that may be hostile; the file is closed with the block.

    The connection reads and writes no other file, loads no extension, spills nothing to disk, sees
    no variable of the program, and cannot undo any of it. When the block lasts longer than
    `seconds`, whatever it executes ends with duckdb.InterruptException. `memory` is DuckDB's
    memory limit, such as '1GB'.
    """
    with reading(published) as connection:
        for setting, value in {
            "memory_limit": f"'{memory}'",
            "temp_directory": "''",
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_access": "false",
            "lock_configuration": "true",
        }.items():
            connection.execute(f"set {setting} = {value}")
        with _interrupted_after(seconds, connection):
            yield connection


@contextmanager
def _interrupted_after(seconds: float, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Interrupt what runs too long, again and again: one that meets no statement is lost."""
    done = threading.Event()

    def watch() -> None:
        if done.wait(seconds):
            return
        while not done.wait(_INTERRUPT_EVERY):
            connection.interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
