"""Find the contracts that a module, or the modules of a package, define."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from liquidity_pipeline.contracts.table import Table


def tables_in(name: str) -> tuple[Table, ...]:
    """Return the contracts of a module, and of a package's modules in alphabetical order."""
    top = import_module(name)
    parts = [
        import_module(each.name) for each in iter_modules(getattr(top, "__path__", []), f"{name}.")
    ]
    found = (value for module in (top, *parts) for value in vars(module).values())
    return tuple(value for value in found if isinstance(value, Table))
