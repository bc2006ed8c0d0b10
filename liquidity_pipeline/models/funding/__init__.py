"""Overnight funding."""
