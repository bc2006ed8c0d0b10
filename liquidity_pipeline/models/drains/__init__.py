"""Drains of reserves and the Treasury's account."""
