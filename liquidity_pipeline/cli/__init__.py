"""The `liquidity` command: it starts runs, queries and prints, and computes nothing."""
