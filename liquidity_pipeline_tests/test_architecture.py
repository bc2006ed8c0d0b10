"""The way of the data is one direction. Read from the syntax trees, so that nothing is executed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import liquidity_pipeline

PACKAGE = Path(liquidity_pipeline.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

# A part of the package knows the parts in the lines above its own, and those of its own line.
ORDER = [
    {"__init__", "__version__"},
    {"settings"},
    {"calendars", "universe", "statistics"},
    {"contracts"},
    {"sources"},
    {"storage"},
    {"models"},
    {"pipeline", "doctor"},
    {"scorecard"},
    {"brief"},
    {"orchestration", "definitions"},
    {"cli", "terminal"},
]
RANK = {part: place for place, parts in enumerate(ORDER) for part in parts}
DAGSTER = {"orchestration", "definitions", "cli"}
HEAVY = ("pandas", "numpy", "pyarrow", "duckdb", "dagster", "pandera", "sqlglot", "requests")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(node: ast.AST) -> Iterator[str]:
    """Yield the modules that are imported anywhere below a node."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            module = str(child.module)
            whole = module == "liquidity_pipeline"
            yield from (f"{module}.{alias.name}" for alias in child.names) if whole else [module]


def parts_known(node: ast.AST) -> set[str]:
    own = (name.split(".") for name in imports(node) if name.startswith("liquidity_pipeline."))
    return {names[1] for names in own}


def at_import(module: ast.Module) -> ast.Module:
    """Return the module without the bodies of its functions."""

    class WithoutBodies(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
            return None

        visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - ast's name

    return ast.fix_missing_locations(WithoutBodies().visit(module))


def label(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_every_part_of_the_package_has_its_place_in_the_order():
    assert {part(path) for path in FILES} <= {*RANK, "sandbox"}


@pytest.mark.parametrize("path", FILES, ids=label)
def test_a_module_knows_only_what_stands_before_it(path: Path):
    if part(path) == "sandbox":
        return
    known = parts_known(tree(path)) - {"sandbox"}
    later = {name for name in known if RANK[name] > RANK[part(path)]}
    assert not later, f"{label(path)} imports {later}, which come later in the way of the data"


def test_the_sandbox_is_known_to_nobody_until_it_is_asked_for():
    knowing = [
        label(path)
        for path in FILES
        if part(path) != "sandbox" and "sandbox" in parts_known(at_import(tree(path)))
    ]
    assert knowing == []


def test_the_sandbox_speaks_to_the_pipeline_only_over_http():
    forbidden = {"sources", "storage", "models", "pipeline", "orchestration", "cli"}
    for path in FILES:
        if part(path) == "sandbox":
            assert not parts_known(tree(path)) & forbidden, label(path)


@pytest.mark.parametrize("path", FILES, ids=label)
def test_dagster_is_imported_where_things_are_wired_and_nowhere_else(path: Path):
    found = {name for name in imports(tree(path)) if name.split(".")[0].startswith("dagster")}
    assert not found or part(path) in DAGSTER


@pytest.mark.parametrize("path", FILES, ids=label)
def test_only_settings_read_the_environment(path: Path):
    """Others may hand the whole environment on, and orchestration names Dagster's home."""
    if part(path) == "settings":
        return
    module = tree(path)
    parents = {child: node for node in ast.walk(module) for child in ast.iter_child_nodes(node)}
    assert "getenv" not in {getattr(node, "attr", None) for node in ast.walk(module)}
    for node in ast.walk(module):
        if not (isinstance(node, ast.Attribute) and node.attr == "environ"):
            continue
        parent = parents[node]
        handed_on = isinstance(parent, ast.Dict) and node in parent.values
        names_home = (
            part(path) == "orchestration"
            and isinstance(parent, ast.Subscript)
            and isinstance(parent.ctx, ast.Store)
            and ast.literal_eval(parent.slice) == "DAGSTER_HOME"
        )
        assert handed_on or names_home, f"{label(path)}:{node.lineno}"


def test_statistics_know_nothing_of_what_the_series_measure():
    for path in FILES:
        if part(path) == "statistics":
            assert parts_known(tree(path)) <= {"statistics"}, label(path)


def test_settings_bring_no_heavy_library_with_them():
    code = (
        "import sys, liquidity_pipeline.settings, liquidity_pipeline.universe;"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_contracts_and_the_registry_leave_the_slow_libraries_for_later():
    code = (
        "import sys, liquidity_pipeline.contracts.sources, liquidity_pipeline.sources.registry;"
        "names = ('pandas', 'pandera', 'pandas_market_calendars', 'dagster', 'duckdb', 'pyarrow');"
        "print([name for name in names if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
