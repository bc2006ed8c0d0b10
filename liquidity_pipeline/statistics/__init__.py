"""General statistics, independent of the subject of this project."""
