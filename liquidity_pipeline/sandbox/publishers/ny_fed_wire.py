"""What all parts of the New York Fed's API share: how it refuses, and how it reads a day."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from liquidity_pipeline.sandbox.publishers.wire import Refusal, Reply

JSON = "application/json;charset=utf-8"


def bad_request() -> NoReturn:
    """Answer 400; the real body is not on record."""
    raise Refusal(Reply(400, '{"message":"Bad Request"}', JSON))


def day_given(text: str | None, default: int) -> int:
    """Read a day YYYY-MM-DD as a day number, or refuse; the default is used where there is none."""
    if not text:
        return default
    try:
        return int(np.datetime64(text, "D").astype(np.int64))
    except ValueError:
        bad_request()
