"""All marts: every contract that a module of a family defines, found by looking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from liquidity_pipeline.contracts.table import Table, by_name

# The models are divided into the same families: a mart of `drains` is built in `models/drains`.
FAMILIES = ("settlements", "drains", "funding", "assets", "stress")


def _tables_of(family: str) -> Iterator[Table]:
    """Yield the contracts of a family, which is one module or a package of modules."""
    top = import_module(f"liquidity_pipeline.contracts.{family}")
    parts = iter_modules(getattr(top, "__path__", []), f"{top.__name__}.")
    for module in (top, *(import_module(part.name) for part in parts)):
        yield from (value for value in vars(module).values() if isinstance(value, Table))


_TABLES = {family: tuple(_tables_of(family)) for family in FAMILIES}
MART_TABLES = by_name(tuple(table for tables in _TABLES.values() for table in tables))
FAMILY_OF_MART: Mapping[str, str] = MappingProxyType(
    {table.name: family for family, tables in _TABLES.items() for table in tables}
)
