"""What a sandbox can be asked for. Parsing of command lines is `cli`'s business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Options:
    """One sandbox: its clock, its world and its troubles.

    `today` puts the clock at 22:00 New York of that day; None lets it run. `seed` chooses the
    world. `start` is the first day that is served (None: the first of the month three years
    before today): it cuts the same world elsewhere, it does not make another. `symbols` adds
    funds SBX0001, SBX0002 ... `loading_scale` multiplies all loadings on liquidity; 0 makes a
    world without any effect. `episodes` False leaves the stress episodes out. `faults` is
    `name:rate,name:rate` (see `faults`), drawn from `fault_seed`. `compress` False never gzips.
    """

    today: date | None = None
    seed: int = 1
    start: date | None = None
    symbols: int = 0
    loading_scale: float = 1.0
    episodes: bool = True
    faults: str = ""
    fault_seed: int = 0
    slow_seconds: float = 2.0
    timeout_seconds: float = 60.0
    compress: bool = True
