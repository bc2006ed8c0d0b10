"""Run as `python -m liquidity_pipeline.scorecard PAGE`."""

from __future__ import annotations

import sys
from pathlib import Path

from liquidity_pipeline.scorecard import write_scorecard
from liquidity_pipeline.settings import Settings

if __name__ == "__main__":
    write_scorecard(Path(sys.argv[1]), Settings.from_env())
