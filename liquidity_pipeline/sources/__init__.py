"""One module per publisher: request and parse, bytes to Arrow. No Dagster, no storage."""
