"""Names of checks and of the publication, for those who read Dagster's records without Dagster."""

FRESH_CHECK = "sources_are_fresh"
CONTRACT, COMPLETE = SOURCE_CHECKS = ("contract", "complete")
PUBLICATION_PATH = ("publication", "liquidity_duckdb")
