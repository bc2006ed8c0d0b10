"""Contracts of the marts on assets: returns, and how they respond to liquidity."""
