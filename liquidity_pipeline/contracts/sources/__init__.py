"""Contracts of the source tables: what the publishers say, one unit each, nothing computed.

A contract that a module of this package defines is a source table; it is found by looking.
"""

from __future__ import annotations

from liquidity_pipeline.contracts.discovery import tables_in
from liquidity_pipeline.contracts.table import by_name

SOURCE_TABLES = by_name(tables_in(__name__))
