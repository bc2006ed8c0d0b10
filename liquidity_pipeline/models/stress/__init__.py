"""Stress flags, the stress index, and the record of both."""
