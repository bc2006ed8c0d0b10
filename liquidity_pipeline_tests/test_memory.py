"""What a process keeps of memory that it has freed."""

import os
import subprocess
import sys

import pytest

# Ten rounds of tables that are dropped at once: 80 MB at a time, 800 MB in all.
_WORK = """
import liquidity_pipeline.orchestration
import pyarrow as pa

few = pa.array(range(10_000))
for _ in range(10):
    columns = [pa.concat_arrays([few] * 100) for _ in range(10)]
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


# Memory (MB) that the process holds after queries that take 150 MB, all of whose rows are dropped.
_QUERIES = """
import liquidity_pipeline.orchestration
import duckdb

connection = duckdb.connect()
for _ in range(3):
    connection.execute(
        "create or replace temp table made as "
        "select a.range % 100003 as k, random() as v, a.range::varchar as s from range(1500000) a"
    )
    connection.execute(
        "create or replace temp table made as select k, sum(v), list(s)[1] from made group by k"
    )
connection.execute("drop table made")
held = next(line for line in open("/proc/self/status") if line.startswith("RssAnon"))
print(int(held.split()[1]) // 1024)
"""

# The same before and after what is free between blocks that are in use was given back.
_HOLES = """
import liquidity_pipeline.orchestration
import pyarrow as pa
from liquidity_pipeline.settings.memory import give_back_now

def held():
    line = next(line for line in open("/proc/self/status") if line.startswith("RssAnon"))
    return int(line.split()[1]) // 1024

few = pa.array(range(8_000))
arrays = [pa.concat_arrays([few, few]) for _ in range(1_500)]
arrays = arrays[::50]
before = held()
give_back_now()
print(before - held())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_memory_of_queries_is_given_back_while_the_connection_is_open():
    done = subprocess.run(
        [sys.executable, "-c", _QUERIES], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 90, "20 MB are in use; by itself DuckDB keeps another 130"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_memory_between_blocks_in_use_is_given_back_on_request():
    done = subprocess.run(
        [sys.executable, "-c", _HOLES], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 100, "1,500 arrays of 128 kB were made, and every 50th is in use"


# How often Python looks for cycles among 10,000 new lists, and if a cycle is gone after 160,000.
_CYCLES = """
import gc, sys, weakref
from liquidity_pipeline.settings import memory

class Node: pass

if sys.argv[1:]:
    memory.look_for_cycles_rarely()
looked = []
gc.callbacks.append(lambda phase, _: looked.append(phase))
node = Node()
node.itself = node
alive = weakref.ref(node)
del node
kept = [[] for _ in range(10_000)]
rounds = looked.count("start")
kept += [[] for _ in range(150_000)]
print(rounds, alive() is None)
"""


def test_a_command_looks_for_cycles_rarely_and_still_finds_them():
    rounds = {}
    for words in ((), ("rarely",)):
        done = subprocess.run(
            [sys.executable, "-c", _CYCLES, *words], capture_output=True, text=True, check=True
        )
        looked, is_gone = done.stdout.split()
        rounds[words], found = int(looked), is_gone == "True"
        assert found
    assert rounds["rarely",] <= 1 < rounds[()]


# Handlers run in the opposite order of their registration: this one looks last.
_END = """
import atexit, gc
from liquidity_pipeline.settings import memory

atexit.register(lambda: print("frozen" if gc.get_freeze_count() else "not frozen"))
memory.look_for_cycles_rarely()
"""


def test_the_end_of_a_command_does_not_go_through_all_objects():
    """Python looks for cycles in what it ends with, several times: half a second after a run."""
    done = subprocess.run([sys.executable, "-c", _END], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "frozen"


_CUT_AND_CHECKED = """
from liquidity_pipeline.settings import memory

memory.give_back_what_is_freed()
import duckdb, numpy as np, pyarrow as pa
from liquidity_pipeline.contracts.table import Table, integer, number
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.models import reach

ROWS = 400_000
names = [f"number_{i}" for i in range(12)]
columns = (integer("place", "Place"), *(number(name, "A number") for name in names))
table = Table("marts", "large", "Many rows.", key=("place",), columns=columns)

def rows():
    places = np.random.default_rng(1).permutation(ROWS)
    return pa.table({"place": places, **{name: places * 1.5 for name in names}})

reach._tests = lambda *_: {"": "place < 10", "number_3": "place < 20"}
pool, connection = pa.default_memory_pool(), duckdb.connect()
kept = validate(table, reach.cut(table, rows(), connection))
first = kept["place"][0].as_py()
assert first == 10 and kept["number_3"].null_count == 10, (first, kept["number_3"].null_count)
assert kept["place"].to_numpy().tolist() == list(range(10, ROWS))
before, most = pool.bytes_allocated(), pool.max_memory()
in_order = validate(table, kept)
print(most / kept.nbytes, (pool.bytes_allocated() - before) / kept.nbytes)
"""


def test_a_mart_is_not_in_memory_twice_while_it_is_cut_and_sorted():
    """Of the largest mart that would be the peak of a first run."""
    done = subprocess.run(
        [sys.executable, "-c", _CUT_AND_CHECKED], capture_output=True, text=True, check=True
    )
    most, again = map(float, done.stdout.split())
    assert most < 1.6
    assert again < 0.1


_WITHOUT_PANDAS = """
import sys
from datetime import date, datetime
from liquidity_pipeline.settings import memory

without = memory.without_pandas()
without.__enter__()
import duckdb, pyarrow
from liquidity_pipeline.contracts.table import KNOWN_AT, Table, day, number
from liquidity_pipeline.contracts.validation import ContractBreach, validate

duckdb.execute("select ?", ["a parameter"]).fetchall()
pyarrow.array([1]), pyarrow.chunked_array([[1]]).to_numpy()
print("pandas" in sys.modules)
columns = (day("date", "Day"), number("rate_pct", "Rate", high=30), KNOWN_AT)
table = Table("sources", "rates", "Rates.", key=("date",), day="date", columns=columns)
known = {"date": date(2026, 2, 5), "rate_pct": 500.0, "known_at": datetime(2026, 2, 6)}
try:
    validate(table, pyarrow.Table.from_pylist([known], schema=table.arrow_schema))
except ContractBreach as breach:
    print(breach)
"""

_AFTERWARDS = """
from liquidity_pipeline.settings import memory

with memory.without_pandas():
    try:
        import pandas
    except ModuleNotFoundError as error:
        print(error)
import pandas
"""


def test_pandas_is_loaded_by_who_asks_for_it_and_not_by_arrow_or_duckdb():
    """They look for its objects among what they are given; what explains bad rows needs it."""
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_PANDAS], capture_output=True, text=True, check=True
    )
    loaded, explained = done.stdout.splitlines()
    assert loaded == "False"
    assert "rate_pct: less_than_or_equal_to" in explained
    assert "500.0" in explained


def test_pandas_can_be_imported_after_the_command():
    done = subprocess.run(
        [sys.executable, "-c", _AFTERWARDS], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "pandas is left out: see settings.memory"


# What is looked at in each search after the block, and how many objects were there before it.
_LOADED = """
import gc
from liquidity_pipeline.settings import memory

looked = []
gc.callbacks.append(lambda phase, _: looked.append(phase))
with memory.loading():
    kept = [[] for _ in range(10_000)]
print(len(looked), gc.isenabled(), gc.get_freeze_count() >= 10_000)
"""


def test_cycles_are_not_looked_for_while_a_process_loads_what_it_keeps():
    done = subprocess.run(
        [sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "True", "True"]
