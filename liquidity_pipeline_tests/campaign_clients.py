"""Read a published file with the real clients, each in an environment of its own.

    python -m liquidity_pipeline_tests.campaign_clients FILE [--write docs/bi.md]

Every client counts the rows of every table and view; the counts must equal those of the first
client. Needs a package index (and npm for Node); takes a few minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NAMES = (
    "select table_schema || '.' || table_name from information_schema.tables "
    "where table_schema in ('sources', 'marts', 'meta', 'bi', 'previous') order by 1"
)
PLAIN = f"""
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as c:
    names = [n for n, in c.execute("{NAMES}").fetchall()]
    counts = {{n: len(c.execute(f"select * from {{n}}").fetchall()) for n in names}}
print(json.dumps(counts))
"""
PANDAS = PLAIN.replace(".fetchall()) for", ".df()) for")
POLARS = PLAIN.replace(".fetchall()) for", ".pl()) for").replace(
    "import duckdb", "import polars, duckdb"
)
ADBC = f"""
import adbc_driver_manager.dbapi, importlib.util, json, sys
spec = importlib.util.find_spec("_duckdb") or importlib.util.find_spec("duckdb.duckdb")
options = {{"path": sys.argv[1], "access_mode": "READ_ONLY"}}
with adbc_driver_manager.dbapi.connect(
    driver=spec.origin, entrypoint="duckdb_adbc_init", db_kwargs=options
) as connection, connection.cursor() as cursor:
    cursor.execute("{NAMES}")
    names = [n for n, in cursor.fetchall()]
    counts = {{}}
    for name in names:
        cursor.execute(f"select * from {{name}}")
        counts[name] = cursor.fetch_arrow_table().num_rows
print(json.dumps(counts))
"""
SQLALCHEMY = f"""
import json, sys
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
engine = create_engine(
    f"duckdb:///{{sys.argv[1]}}", poolclass=NullPool, connect_args={{"read_only": True}}
)
with engine.connect() as c:
    names = [n for n, in c.execute(text("{NAMES}"))]
    counts = {{n: len(c.execute(text(f"select * from {{n}}")).fetchall()) for n in names}}
print(json.dumps(counts))
"""
STREAMLIT = """
import os, sys
os.environ["LIQUIDITY_FILE"] = sys.argv[1]
from streamlit.testing.v1 import AppTest
page = AppTest.from_file(sys.argv[2], default_timeout=60).run()
assert not page.exception, page.exception
print(len(page.dataframe[0].value))
"""
NODE = f"""
const {{ DuckDBInstance }} = require('@duckdb/node-api');
(async () => {{
  const instance = await DuckDBInstance.create(process.argv[2], {{ access_mode: 'READ_ONLY' }});
  const c = await instance.connect();
  const names = (await c.runAndReadAll(`{NAMES}`)).getRows().map((row) => row[0]);
  const counts = {{}};
  for (const name of names) {{
    counts[name] = (await c.runAndReadAll(`select * from ${{name}}`)).getRows().length;
  }}
  console.log(JSON.stringify(counts));
}})();
"""
EVIDENCE = """
const fs = require('fs'), path = require('path');
const { getRunner } = require('@evidence-dev/duckdb');
(async () => {
  const [, , file, folder] = process.argv;
  const runner = await getRunner({ filename: path.relative(folder, file) }, folder);
  const counts = {};
  for (const name of fs.readdirSync(folder).filter((name) => name.endsWith('.sql'))) {
    const found = await runner(fs.readFileSync(path.join(folder, name), 'utf8'), name, 10000);
    counts[name] = 0;
    for await (const rows of found.rows()) counts[name] += rows.length;
    if (!found.columnTypes || counts[name] !== found.expectedRowCount) throw new Error(name);
  }
  console.log(JSON.stringify(counts));
})();
"""


@dataclass(frozen=True)
class Client:
    """One client: what to install, and the program that reads every table."""

    name: str
    requirements: Sequence[str]
    program: str
    shown: str


CLIENTS = (
    Client("DuckDB 1.1", ["duckdb==1.1.3"], PLAIN, "duckdb"),
    Client("DuckDB 1.4", ["duckdb==1.4.4"], PLAIN, "duckdb"),
    Client("DuckDB 1.5", ["duckdb==1.5.6"], PLAIN, "duckdb"),
    Client("DuckDB 2.0", ["duckdb==2.0.*"], PLAIN, "duckdb"),
    Client("pandas", ["duckdb==1.5.6", "pandas", "numpy"], PANDAS, "pandas"),
    Client("Polars", ["duckdb==1.5.6", "polars", "pyarrow"], POLARS, "polars"),
    Client(
        "ADBC driver manager",
        ["duckdb==1.5.6", "adbc-driver-manager", "pyarrow"],
        ADBC,
        "adbc-driver-manager",
    ),
    Client(
        "SQLAlchemy with duckdb-sqlalchemy", ["duckdb-sqlalchemy"], SQLALCHEMY, "duckdb-sqlalchemy"
    ),
)


def run(command: Sequence[str], **options: object) -> str:
    """Run a command and return the last line that it prints; its errors are shown."""
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options)  # type: ignore[call-overload]
    return str(answer.stdout).strip().rpartition("\n")[2]


def environment(folder: Path, requirements: Sequence[str]) -> str:
    """Make a virtual environment with the requirements; return its Python."""
    run([sys.executable, "-m", "venv", str(folder)])
    python = str(folder / "bin" / "python")
    run([python, "-m", "pip", "install", "--quiet", *requirements], stderr=subprocess.DEVNULL)
    return python


def version(python: str, package: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return run([python, "-c", code])


def read_with_all(file: Path, page: Path, scratch: Path) -> list[tuple[str, str, str]]:
    """Return client, version and outcome of each."""
    rows, expected = [], None
    for place, client in enumerate(CLIENTS):
        python = environment(scratch / str(place), client.requirements)
        counts = json.loads(run([python, "-c", client.program, str(file)]))
        expected = expected or counts
        outcome = f"{len(counts)} tables and views, {sum(counts.values()):,} rows"
        rows.append((client.name, version(python, client.shown), outcome))
        if counts != expected:
            raise SystemExit(f"{client.name} reads other rows than {CLIENTS[0].name}")
        sys.stderr.write(f"{' '.join(rows[-1])}\n")
    rows.append(read_with_streamlit(file, page, scratch))
    if shutil.which("npm"):
        rows.append(read_with_node(file, scratch, expected))
        rows.append(read_with_evidence(file, page.parent / "evidence", scratch))
    return rows


def read_with_streamlit(file: Path, page: Path, scratch: Path) -> tuple[str, str, str]:
    python = environment(scratch / "streamlit", ["streamlit", "duckdb==1.5.6"])
    shown = run([python, "-c", STREAMLIT, str(file), str(page)], stderr=subprocess.DEVNULL)
    return "Streamlit", version(python, "streamlit"), f"the example page, {shown} gauges"


def read_with_node(file: Path, scratch: Path, expected: object) -> tuple[str, str, str]:
    number, counts = with_npm(scratch / "node", "@duckdb/node-api", "", NODE, str(file))
    if counts != expected:
        raise SystemExit("Node reads other rows than DuckDB")
    return "Node", number, f"{len(counts)} tables and views"


def read_with_evidence(file: Path, project: Path, scratch: Path) -> tuple[str, str, str]:
    """Extract the sources of the example as `evidence sources` does, with Evidence's connector."""
    package = "@evidence-dev/duckdb"
    number = json.loads((project / "package.json").read_text())["dependencies"][package]
    # The connector resolves the file's path from the folder of the source.
    folder = scratch / "evidence" / "sources"
    shutil.copytree(project / "sources" / "liquidity", folder)
    arguments = (str(file), str(folder))
    _, counts = with_npm(scratch / "evidence", package, f"@{number}", EVIDENCE, *arguments)
    if not all(counts.values()):
        raise SystemExit(f"Evidence reads no rows for a query: {counts}")
    return f"Evidence's connector ({package})", number, f"the {len(counts)} queries of the example"


def with_npm(
    folder: Path, package: str, number: str, program: str, *arguments: str
) -> tuple[str, dict[str, int]]:
    """Install a package in a folder and run a program there; return version and counts."""
    folder.mkdir(exist_ok=True)
    run(["npm", "install", "--silent", "--no-fund", "--no-audit", package + number], cwd=folder)
    (folder / "read.js").write_text(program)
    counts = json.loads(run(["node", "read.js", *arguments], cwd=folder))
    installed = json.loads((folder / "node_modules" / package / "package.json").read_text())
    return installed["version"], counts


def main() -> None:
    """Read the file with every client and print, or write, the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--write", type=Path, help="page whose section `clients` is replaced")
    options = parser.parse_args()
    page = Path(__file__).parents[1] / "docs" / "examples" / "streamlit_app.py"
    with tempfile.TemporaryDirectory() as scratch:
        rows = read_with_all(options.file.resolve(), page, Path(scratch))
    table = ["| client | version | reads |", "| --- | --- | --- |"]
    table += [f"| {client} | {number} | {outcome} |" for client, number, outcome in rows]
    section = "\n".join(table)
    if options.write:
        from liquidity_pipeline.scorecard import replace_section

        text = replace_section(options.write.read_text(encoding="utf-8"), "clients", section)
        options.write.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{section}\n")


if __name__ == "__main__":
    main()
