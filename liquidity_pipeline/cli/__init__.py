"""The `liquidity` command: it starts, asks and prints, and computes nothing."""
