"""All marts: every contract that a family module defines, found by looking."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from liquidity_pipeline.contracts import assets, drains, funding, settlements, stress
from liquidity_pipeline.contracts.table import Table, by_name

# The models are cut into the same families: a mart of `drains` is built in `models/drains`.
_FAMILIES = (settlements, drains, funding, assets, stress)


def _tables_of(module: object) -> tuple[Table, ...]:
    return tuple(value for value in vars(module).values() if isinstance(value, Table))


MART_TABLES = by_name(tuple(table for module in _FAMILIES for table in _tables_of(module)))
FAMILY_OF_MART: Mapping[str, str] = MappingProxyType(
    {
        table.name: module.__name__.rpartition(".")[2]
        for module in _FAMILIES
        for table in _tables_of(module)
    }
)
