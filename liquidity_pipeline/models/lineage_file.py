"""The file `lineage.json`: what the queries of this package read, worked out ahead.

Run this after a change of a query or of a table's columns; a test says when it is due. Until then
the changed query is parsed whenever it is asked about, which is slower and gives the same answer.

    python -m liquidity_pipeline.models.lineage_file
"""

from __future__ import annotations

import json
from typing import Any

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.models import catalogue, engine, lineage
from liquidity_pipeline.models.reconciliations.reconciliation import RECONCILIATIONS


def content() -> str:
    """Return the file as it should be, from the text of the queries: one answer a line."""
    in_sql = [name for name in MART_TABLES if engine.is_in_sql(name)]
    queries = [engine.sql(name) for name in in_sql]
    queries += [check.sql for check in RECONCILIATIONS]
    queries += [view.sql for view in catalogue.views()]
    kept: dict[str, Any] = {
        lineage.tables_key(sql): sorted(lineage.parse_tables(sql)) for sql in queries
    }
    for name in in_sql:
        schema = engine.schema_read(name)
        columns = lineage.parse_columns(engine.sql(name), schema)
        kept[lineage.columns_key(engine.sql(name), schema)] = columns
    lines = (f"{json.dumps(key)}: {json.dumps(kept[key])}" for key in sorted(kept))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Write the file."""
    lineage.FILE.write_text(content(), encoding="utf-8")


if __name__ == "__main__":
    main()
