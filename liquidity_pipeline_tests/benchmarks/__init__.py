"""What the project costs beside its alternatives: `make bench` writes docs/performance.md.

Not tests: they measure, and nothing fails when a machine is slow. CPU is user and system time of a
process and its children, which a busy machine changes less than it changes the clock. What is
compared takes turns, so that load falls on all alike.
"""
