"""One contract per table. What is computed or fetched does not belong here."""
