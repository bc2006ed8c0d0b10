"""An offline stand-in for every publisher: a simulated economy behind the publishers' wire formats.

`options.Options` says what is wanted; `server.start`, `server.serve` and `process.beside` run it.
Nothing outside of this package may need it, and it needs nothing of the pipeline.
"""

from liquidity_pipeline.sandbox.options import Options

__all__ = ["Options"]
