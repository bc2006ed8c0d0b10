"""Reconciliations between independent records."""
