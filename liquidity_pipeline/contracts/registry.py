"""All published tables, in the order in which they are documented."""

from __future__ import annotations

from collections.abc import Mapping

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.meta import PUBLICATION_TABLES, REFERENCE_TABLES
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.table import Table

PUBLISHED: Mapping[str, Table] = {
    table.qualified_name: table
    for tables in (SOURCE_TABLES, MART_TABLES, REFERENCE_TABLES, PUBLICATION_TABLES)
    for table in tables.values()
}
