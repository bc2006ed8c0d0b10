"""Stress flags, the index and how they fared."""
