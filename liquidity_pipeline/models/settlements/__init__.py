"""Settlements of Treasury debt, past and ahead."""
