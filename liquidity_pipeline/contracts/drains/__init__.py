"""Contracts of the marts on drains: what takes reserves out of the banks, and when."""
