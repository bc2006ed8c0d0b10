"""`liquidity mcp`: serve the published file to an assistant, over standard input and output."""

from __future__ import annotations

import click

from liquidity_pipeline.cli.place import Place


def serve(place: Place) -> None:
    """Serve until the client closes standard input; raise UsageError without the SDK."""
    try:
        from liquidity_pipeline.assistant.server import server

        made = server(place.settings())
    except ModuleNotFoundError as missing:
        if missing.name != "mcp":
            raise
        raise click.UsageError(
            "the Model Context Protocol SDK is not installed: "
            "pip install 'liquidity-pipeline[mcp]', or pip install 'mcp>=2.3,<3'"
        ) from None
    made.run("stdio")
