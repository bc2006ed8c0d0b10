"""Readers are never blocked and never see two publications at once. Rerun it with

    python -m liquidity_pipeline_tests.campaign_readers --count 10000 --seed 1

Eight processes read the published file with plain DuckDB while the publications of two days take
each other's place as fast as they can be written. A read opens the file, asks which day it is, and
hashes every row of a few tables, each with a statement of its own; the hashes must be those of that
day. An error of any kind, or a hash of another day, is a failure.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import duckdb

from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.process import run_sandbox_process
from liquidity_pipeline_tests.campaign import Campaign, filled, run_campaign

READERS, TABLES_PER_READ = 8, 3
DAYS, SINCE = (date(2026, 1, 20), date(2026, 2, 6)), date(2025, 12, 1)
# A reader imports nothing of ours: it is any program with DuckDB's driver.
READER = """
import duckdb, json, random, sys
file, wanted, stop, count, tables, seed = sys.argv[1:]
expected, dice = json.load(open(wanted)), random.Random(seed)
reads = errors = torn = 0
seen = set()
while reads < int(count):
    try:
        with duckdb.connect(file, read_only=True) as reader:
            day, edition = reader.execute(
                "select as_of::varchar, publication_id from meta.publication").fetchone()
            for name in dice.sample(sorted(expected[day]), int(tables)):
                found = reader.execute("select count(*), bit_xor(hash(t)) from " + name + " t")
                torn += list(map(str, found.fetchone())) != expected[day][name]
            again = reader.execute("select publication_id from meta.publication").fetchone()
            torn += again != (edition,)
            seen.add(edition)
    except Exception as error:
        errors += 1
        print(type(error).__name__, error, file=sys.stderr)
    reads += 1
    if reads % 10 == 0:
        try:
            open(stop).close()
            break
        except FileNotFoundError:
            pass
print(json.dumps([reads, errors, torn, len(seen)]))
"""


def hashes(file: Path) -> dict[str, list[str]]:
    """Return, per table of sources and marts, the number of rows and a hash of them all."""
    with duckdb.connect(str(file), read_only=True) as reader:
        names = reader.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where schema_name in ('sources', 'marts') and estimated_size > 0"
        ).fetchall()
        found = {}
        for (name,) in names:
            row = reader.execute(f"select count(*), bit_xor(hash(t)) from {name} t").fetchone()
            found[name] = [str(value) for value in row or ()]
    return found


def work(campaign: Campaign) -> None:
    """Publish two days by turns while eight processes read."""
    options = Options(today=DAYS[-1], start=SINCE, compress=False)
    with tempfile.TemporaryDirectory() as name, run_sandbox_process(options) as url:
        folder = Path(name)
        older = filled(folder / "older", url, DAYS[0], SINCE)
        shutil.copytree(folder / "older", folder / "newer")
        newer = filled(folder / "newer", url, DAYS[1], SINCE)
        target, stop, wanted = (folder / n for n in ("liquidity.duckdb", "stop", "expected.json"))
        expected = {}
        for pipeline in (older, newer):
            pipeline.publish(target)
            expected[str(pipeline.settings.today)] = hashes(target)
        wanted.write_text(json.dumps(expected))
        share = -(-campaign.asked // READERS)
        words = [sys.executable, "-c", READER, str(target), str(wanted), str(stop), str(share)]
        words.append(str(TABLES_PER_READ))
        readers = [
            subprocess.Popen(
                [*words, f"{campaign.seed} {number}"],
                stdout=subprocess.PIPE,
                stderr=(folder / f"errors{number}").open("w"),
                text=True,
            )
            for number in range(READERS)
        ]
        publications = 0
        while any(reader.poll() is None for reader in readers):
            (older, newer)[publications % 2].publish(target)
            publications += 1
            if campaign.is_time_over:
                stop.touch()
        count(campaign, readers, folder, publications)


def count(
    campaign: Campaign, readers: list[subprocess.Popen[str]], folder: Path, publications: int
) -> None:
    """Add up what the readers saw."""
    for number, reader in enumerate(readers):
        said, _ = reader.communicate()
        if reader.returncode:
            campaign.fail(f"reader {number} ended with {reader.returncode}")
            continue
        reads, errors, torn, editions = json.loads(said)
        campaign.reached += reads
        campaign.tally["reads"] += reads
        campaign.tally["errors"] += errors
        campaign.tally["torn reads"] += torn
        campaign.tally["publications seen, summed over readers"] += editions
        if errors or torn:
            shown = (folder / f"errors{number}").read_text()[:300]
            campaign.fail(f"reader {number}: {errors} errors, {torn} torn reads; {shown}")
    campaign.tally["publications while they read"] = publications
    campaign.tally["reader processes"] = len(readers)
    if publications < 2:
        campaign.fail("fewer than two publications took place while the readers read")


if __name__ == "__main__":
    run_campaign("readers", "reads", 10_000, work)
