"""Storage: raw bytes, Parquet, and the published DuckDB file. No requests, no models."""
