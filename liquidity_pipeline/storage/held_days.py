"""On which days something is held, as sorted days of Python, made from columns of Arrow at once."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Numbers = npt.NDArray[np.int32]


def days_by_entity(entities: pa.ChunkedArray, days: pa.ChunkedArray) -> dict[str, list[date]]:
    """Return the different days of each entity, oldest first."""
    encoded = entities.combine_chunks().dictionary_encode()
    codes, names = encoded.indices.to_numpy(), encoded.dictionary.to_pylist()
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    parts = np.split(_numbers(days)[np.argsort(codes, kind="stable")], ends[:-1])
    return {name: _different(part) for name, part in zip(names, parts, strict=bool(names))}


def different_days(days: pa.ChunkedArray) -> list[date]:
    """Return the different days, oldest first."""
    return _different(_numbers(days))


def _numbers(days: pa.ChunkedArray) -> Numbers:
    numbers: Numbers = days.cast(pa.int32()).combine_chunks().to_numpy()
    return numbers


def _different(numbers: Numbers) -> list[date]:
    return list(np.unique(numbers).astype("datetime64[D]").astype(object))
