"""The report for readers. It takes its numbers from the published file."""
