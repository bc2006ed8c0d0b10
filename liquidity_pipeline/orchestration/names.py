"""Names of checks and of the publication, for those who read Dagster's records without Dagster."""

FRESH_CHECK = "fresh"
ALL_COMPLETE_CHECK = "sources_are_complete"
CONTRACT, COMPLETE = SOURCE_CHECKS = ("contract", "complete")
PUBLICATION_PATH = ("publication", "liquidity_duckdb")
