"""The publishers' wire formats: pure functions from the economy and a clock to HTTP bodies.

One module per publisher, its quirks included. They compute nothing that the economy could.
"""
