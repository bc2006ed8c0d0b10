"""How this process asks for memory, and gives it back.

A run makes and drops hundreds of tables, one after another. Left to themselves, Arrow and the C
library keep what was dropped for a next time that does not come: a third of the peak of a run over
many years.
"""

from __future__ import annotations

import ctypes
import os
import sys

# Of mallopt(3). Blocks of a megabyte and more are mapped, and so are unmapped when they are freed.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_GLIBC = {_TRIM_THRESHOLD: 4 << 20, _MMAP_THRESHOLD: 1 << 20, _ARENA_MAX: 2}
_ENVIRONMENT = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_ARENA_MAX")


def give_back_what_is_freed() -> None:
    """Let this process return memory early; to be called before Arrow is imported.

    Nothing is changed where the environment sets either allocator, and only Arrow's where the C
    library is not glibc.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _ENVIRONMENT):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in _GLIBC.items():
            mallopt(parameter, value)
