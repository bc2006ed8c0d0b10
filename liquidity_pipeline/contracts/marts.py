"""All marts: every contract that a family's modules define, found by looking."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from liquidity_pipeline.contracts.discovery import tables_in
from liquidity_pipeline.contracts.table import by_name

# The models are divided into the same families: a mart of `drains` is built in `models/drains`.
FAMILIES = ("settlements", "drains", "funding", "assets", "stress")

_TABLES = {family: tables_in(f"{__package__}.{family}") for family in FAMILIES}
MART_TABLES = by_name(tuple(table for tables in _TABLES.values() for table in tables))
FAMILY_OF_MART: Mapping[str, str] = MappingProxyType(
    {table.name: family for family, tables in _TABLES.items() for table in tables}
)
