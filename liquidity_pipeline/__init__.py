"""How much cash the US Treasury and the Federal Reserve drain from the financial system."""

__version__ = "0.1.0"
