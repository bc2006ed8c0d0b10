"""The data flow in one direction. Read from the syntax trees, so that nothing is executed.

One test per rule; a failing test lists every module that breaks its rule.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import liquidity_pipeline

PACKAGE = Path(liquidity_pipeline.__file__).parent
DIAGRAM = PACKAGE.parent / "docs" / "architecture.md"

# A room of the package imports from rooms in the lines above its own, and from its own line.
ORDER = [
    {"__init__", "__version__"},
    {"settings", "statistics"},
    {"calendars", "holidays", "universe"},
    {"contracts"},
    {"sources"},
    {"storage"},
    {"ingestion"},
    {"models"},
    {"brief", "engines"},
    {"assistant"},
    {"pipeline"},
    {"scorecard"},
    {"alerts"},
    {"orchestration", "definitions"},
    {"cli"},
]
RANK = {room: place for place, rooms in enumerate(ORDER) for room in rooms}
USES_DAGSTER = {"orchestration", "definitions", "cli"}
LONGEST_FUNCTION, LONGEST_MODULE = 40, 400
HEAVY = (
    "pandas",
    "numpy",
    "pyarrow",
    "duckdb",
    "dagster",
    "pandera",
    "sqlalchemy",
    "sqlglot",
    "requests",
)


@cache
def modules() -> dict[str, ast.Module]:
    """All modules of the package by path, e.g. `sources/http.py`."""
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"), str(path))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def room(module: str) -> str:
    return module.split("/", maxsplit=1)[0].removesuffix(".py")


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


def rooms_imported(node: ast.AST) -> set[str]:
    own = (name.split(".") for name in imports(node) if name.startswith("liquidity_pipeline."))
    return {names[1] for names in own}


def at_import(module: ast.Module) -> ast.Module:
    """Return the module without the bodies of its functions."""

    class WithoutBodies(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
            return None

        visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - ast's name

    copied = ast.parse(ast.unparse(module))
    return ast.fix_missing_locations(WithoutBodies().visit(copied))


def test_every_room_has_a_place_in_the_order():
    assert {room(module) for module in modules()} <= {*RANK, "sandbox"}


def test_a_module_imports_only_from_rooms_before_its_own():
    offenders = [
        f"{module} imports {other}"
        for module, tree in modules().items()
        if room(module) != "sandbox"
        for other in sorted(rooms_imported(tree) - {"sandbox"})
        if RANK[other] > RANK[room(module)]
    ]
    assert offenders == []


def modules_imported(tree: ast.Module) -> set[str]:
    """Return the paths of the package's modules that are imported anywhere in a module.

    `from package import module` counts as the module, not as the package that holds it.
    """
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            inner = {path_of(f"{node.module}.{alias.name}") for alias in node.names}
            found |= {path or path_of(str(node.module)) for path in inner}
        elif isinstance(node, ast.Import):
            found |= {path_of(alias.name) for alias in node.names}
    return {path for path in found if path}


def path_of(name: str) -> str | None:
    """Return the path of a module of the package by its dotted name, or None for any other name."""
    stem = name.removeprefix("liquidity_pipeline.").replace(".", "/")
    return next((path for path in (f"{stem}.py", f"{stem}/__init__.py") if path in modules()), None)


def test_no_modules_import_each_other_in_a_circle():
    """An import inside a function counts as well: it hides a circle and does not undo it."""
    graph = {module: modules_imported(tree) - {module} for module, tree in modules().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" imports ".join(reversed(error.args[1]))) from None


def test_nothing_imports_the_sandbox_before_it_is_asked_for():
    offenders = [
        module
        for module, tree in modules().items()
        if room(module) != "sandbox" and "sandbox" in rooms_imported(at_import(tree))
    ]
    assert offenders == []


def test_the_sandbox_imports_nothing_of_the_pipeline():
    offenders = [
        f"{module} imports {other}"
        for module, tree in modules().items()
        if room(module) == "sandbox"
        for other in sorted(rooms_imported(tree) - {"sandbox"})
    ]
    assert offenders == []


def test_dagster_is_imported_only_where_things_are_wired():
    offenders = [
        f"{module} imports {name}"
        for module, tree in modules().items()
        if room(module) not in USES_DAGSTER
        for name in sorted(set(imports(tree)))
        if name.split(".")[0].startswith("dagster")
    ]
    assert offenders == []


def test_only_settings_read_the_environment():
    """Other modules may hand the whole environment on, and orchestration sets DAGSTER_HOME."""
    offenders = [
        f"{module}:{line}"
        for module, tree in modules().items()
        if room(module) != "settings"
        for line in lines_reading_the_environment(tree, sets_home=room(module) == "orchestration")
    ]
    assert offenders == []


def lines_reading_the_environment(tree: ast.Module, *, sets_home: bool) -> Iterator[int]:
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if getattr(node, "attr", None) == "getenv":
            yield getattr(node, "lineno", 0)
        if not (isinstance(node, ast.Attribute) and node.attr == "environ"):
            continue
        parent = parents[node]
        handed_on = isinstance(parent, ast.Dict) and node in parent.values
        names_home = (
            sets_home
            and isinstance(parent, ast.Subscript)
            and isinstance(parent.ctx, ast.Store)
            and ast.literal_eval(parent.slice) == "DAGSTER_HOME"
        )
        if not (handed_on or names_home):
            yield node.lineno


def loaded_by(statement: str) -> set[str]:
    """Return the heavy libraries that a new process has loaded after a statement."""
    code = f"import sys\n{statement}\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(answer.stdout.split())


def test_settings_bring_no_heavy_library_with_them():
    assert loaded_by("import liquidity_pipeline.settings, liquidity_pipeline.universe") == set()


def test_contracts_and_the_registry_leave_heavy_libraries_for_later():
    statement = "import liquidity_pipeline.contracts.sources, liquidity_pipeline.sources.registry"
    assert loaded_by(statement) <= {"requests", "numpy"}


def test_the_code_location_leaves_databases_and_data_frames_for_later():
    """Dagster's processes load it each time; Arrow is part of what the assets are declared with."""
    assert loaded_by("import liquidity_pipeline.definitions") <= {"dagster", "numpy", "pyarrow"}


# --- length ---------------------------------------------------------------------------------------


def test_caches_of_arrays_are_bounded():
    """Without a bound an array is kept for every size and seed that was ever asked for."""
    unbounded = [
        f"{path.name}:{function.lineno} {function.name}"
        for path in sorted((PACKAGE / "statistics").glob("*.py"))
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        for decorator in map(ast.unparse, function.decorator_list)
        if re.search(r"\b(lru_)?cache\b", decorator) and not re.search(r"maxsize=\d", decorator)
    ]
    assert unbounded == []


def test_functions_are_short():
    offenders = [
        f"{module}:{node.lineno} {node.name} has {lines} lines"
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert offenders == []


def test_modules_are_short():
    counted = {
        module: len((PACKAGE / module).read_text(encoding="utf-8").splitlines())
        for module in modules()
    }
    offenders = [f"{name} has {n} lines" for name, n in counted.items() if n > LONGEST_MODULE]
    assert offenders == []


# --- the diagram ---------------------------------------------------------------------------------


def arrows_of_the_code() -> set[tuple[str, str]]:
    """Return which room imports which, without the arrows that follow from others."""
    graph: dict[str, set[str]] = {}
    for module, tree in modules().items():
        own = room(module)
        if own not in ("__init__", "sandbox", "definitions"):
            graph.setdefault(own, set()).update(rooms_imported(tree) - {own, "sandbox"})
            graph[own].discard("__version__")
    below: dict[str, set[str]] = {}
    for name in TopologicalSorter(graph).static_order():
        direct = graph.get(name, set())
        below[name] = direct.union(*(below[other] for other in direct))
    return {
        (name, other)
        for name, direct in graph.items()
        for other in direct
        if not any(other in below[third] for third in direct if third != other)
    }


def test_the_diagram_shows_the_imports_as_they_are():
    text = DIAGRAM.read_text(encoding="utf-8")
    drawn = set(re.findall(r"^ +(\w+) --> (\w+)$", text, flags=re.MULTILINE))
    assert drawn == arrows_of_the_code()
