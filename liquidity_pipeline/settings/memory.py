"""How this process asks for memory, and gives it back.

A run makes and drops hundreds of tables, one after another. Left to themselves, Arrow, DuckDB and
the C library keep what was dropped for a next time that does not come: a third of the peak of a run
over many years.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# Of mallopt(3). Blocks of a megabyte and more are mapped, and so are unmapped when they are freed.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_GLIBC = {_TRIM_THRESHOLD: 4 << 20, _MMAP_THRESHOLD: 1 << 20, _ARENA_MAX: 2}
# So many new containers make Python look for cycles among them; its own number is 700.
_NEW_CONTAINERS = 100_000
# Of DuckDB's own allocator, a jemalloc. By itself it keeps the most that any query ever took, until
# the last connection is closed.
_DUCKDB = "dirty_decay_ms:0,muzzy_decay_ms:0"
_ENVIRONMENT = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_ARENA_MAX")


def give_back_what_is_freed() -> None:
    """Let this process return memory early; to be called before Arrow or DuckDB is imported.

    What the environment says about any of the three allocators has priority. C libraries other than
    glibc are left as they are.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    os.environ.setdefault("DUCKDB_JE_MALLOC_CONF", _DUCKDB)
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _ENVIRONMENT):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in _GLIBC.items():
            mallopt(parameter, value)


def give_back_now() -> None:
    """Return to the system what the C library keeps of freed memory between what is in use.

    To be called where much was dropped: after a source is stored, or a mart. Takes a millisecond.
    """
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def look_for_cycles_rarely() -> None:
    """Let this process, which ends within minutes, look less often for objects that are in cycles.

    Libraries and Dagster's definitions are some hundred thousand objects, none of which is ever
    dropped. While they come, Python goes through them nine hundred times, and several times more
    when the process ends, for half a second. Tables of rows are freed without that search.
    """
    gc.set_threshold(_NEW_CONTAINERS)
    atexit.register(gc.freeze)


@contextmanager
def loading() -> Iterator[None]:
    """Do not look for cycles in the block, which loads what this process keeps until it ends.

    What was loaded is left out of every later search as well.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


class _Withheld(MetaPathFinder, Loader):
    """Lets an import of pandas fail as if it were not installed."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name == "pandas" else None

    def exec_module(self, module: ModuleType) -> None:
        raise ModuleNotFoundError("pandas is left out: see settings.memory", name=module.__name__)


_WITHHELD = _Withheld()


@contextmanager
def without_pandas() -> Iterator[None]:
    """Keep pandas out of this process in the block, or until `let_pandas_in`.

    Arrow with its first array, and DuckDB with its first parameter, import pandas where it is
    installed, to recognise objects of it. A run has none, and would load it for a third of a second
    and 50 MB.
    """
    if "pandas" not in sys.modules and _WITHHELD not in sys.meta_path:
        sys.meta_path.insert(0, _WITHHELD)
    try:
        yield
    finally:
        let_pandas_in()


def let_pandas_in() -> None:
    """Let pandas be imported from now on; to be called before an import that is meant."""
    if _WITHHELD in sys.meta_path:
        sys.meta_path.remove(_WITHHELD)
