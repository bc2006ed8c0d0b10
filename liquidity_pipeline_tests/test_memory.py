"""What a process keeps of memory that it has freed."""

import os
import subprocess
import sys

import pytest

# Ten rounds of tables that are dropped at once: 80 MB at a time, 800 MB in all.
_WORK = """
import liquidity_pipeline.orchestration
import pyarrow as pa

for _ in range(10):
    columns = [pa.array(range(1_000_000)) for _ in range(10)]
del columns
held = next(line for line in open("/proc/self/status") if line.startswith("RssAnon"))
print(pa.default_memory_pool().backend_name, int(held.split()[1]) // 1024)
"""


def outcome(**environment: str) -> tuple[str, int]:
    """Return Arrow's allocator, and the memory (MB) that the process holds when all is dropped."""
    told = {name: value for name, value in os.environ.items() if not name.startswith("ARROW_")}
    done = subprocess.run(
        [sys.executable, "-c", _WORK],
        env={**told, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    backend, held = done.stdout.split()
    return backend, int(held)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_memory_that_is_freed_is_given_back():
    backend, held = outcome()
    assert backend == "system"
    assert held < 120, "Python, Dagster and Arrow without any table take 50 to 70 MB"


def test_what_the_environment_says_of_the_allocator_stands():
    assert outcome(ARROW_DEFAULT_MEMORY_POOL="mimalloc")[0] == "mimalloc"
