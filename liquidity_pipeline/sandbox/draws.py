"""Random numbers: one independent stream for each name, so that the past never changes.

Every stream starts at the beginning of the world and is drawn in order of time. A world that runs
longer is therefore the same world with more days, and an extra symbol disturbs no other.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.random import Generator

from liquidity_pipeline.sandbox.days import FloatArray


def stream(seed: int, name: str) -> Generator:
    """Return a generator that depends on the seed and the name alone."""
    return np.random.default_rng([seed, crc32(name.encode())])


def normal(seed: int, name: str, count: int, columns: int = 0) -> FloatArray:
    """Draw standard normal numbers: shape (count,), or (count, columns) filled row by row."""
    shape = (count, columns) if columns else (count,)
    return stream(seed, name).standard_normal(shape)


def fat_tailed(seed: int, name: str, count: int) -> FloatArray:
    """Draw Student-t numbers with five degrees of freedom, scaled to unit variance."""
    draws: FloatArray = stream(seed, name).standard_t(5, count) * np.sqrt(3 / 5)
    return draws


def mean_reverting(shocks: FloatArray, persistence: float) -> FloatArray:
    """Build a first-order autoregression of the shocks, starting at zero."""
    level, path = 0.0, np.empty(len(shocks))
    for i, shock in enumerate(shocks.tolist()):
        level = persistence * level + shock
        path[i] = level
    return path
