"""The Model Context Protocol server: tools and resources over the published file, read-only."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import Field

from liquidity_pipeline import __version__
from liquidity_pipeline.assistant import answers, reading
from liquidity_pipeline.assistant.asking import MAX_ROWS, SECONDS, QueryError
from liquidity_pipeline.settings import Settings

if TYPE_CHECKING:
    from mcp.server import MCPServer

_INSTRUCTIONS = f"""\
US liquidity: what the Treasury and the Federal Reserve take out of, or put into, the financial
system, and whether risk assets react. Begin with `catalogue`, then `describe_table`, then `query`
(DuckDB SQL, one statement, at most {MAX_ROWS} rows and {SECONDS:g} seconds). `brief` is the daily
summary.

- Units are in the names: _usd_mn is millions of US dollars, _bp basis points, _pct per cent.
- A drain is positive when it takes reserves out. `drain_reserves_*` follows the accounting,
  `drain_headline_*` market commentary: never add them, and say which one a figure is.
- Net settlement lands in the Treasury's account: never add it to the account's rise. Sum over
  bi.weekly_drain_components; marts.weekly_drains contains a row `total`.
- NULL is not known: it is never zero, and an absent row is not calm.
- Every answer names its publication and, in `reach`, how far the data behind it are known. State
  the day that a figure describes, and whatever is listed as behind.
- If `is_synthetic` is true, the data are made up: say so with every figure.
"""

Made = TypeVar("Made")
Tool = TypeVar("Tool", bound=Callable[..., Any])


def server(settings: Settings) -> MCPServer:
    """Return the server of a data directory; the file is opened for each answer."""
    from mcp.server import MCPServer

    made = MCPServer(
        "liquidity-pipeline",
        title="US liquidity",
        instructions=_INSTRUCTIONS,
        version=__version__,
        log_level="WARNING",
    )
    _add_tools(made, settings)
    _add_resources(made, settings)
    return made


def _read_only_tool(made: MCPServer) -> Callable[[], Callable[[Tool], Tool]]:
    from mcp.types import ToolAnnotations

    hints = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
    return partial(made.tool, annotations=hints)


def _add_tools(made: MCPServer, settings: Settings) -> None:
    tool = _read_only_tool(made)

    @tool()
    def catalogue(
        search: Annotated[str, Field(description="Words that name or meaning must contain")] = "",
    ) -> answers.Catalogue:
        """List the tables and views with what they hold, and queries to start with."""
        return _told(settings, lambda file: reading.catalogue(file, search))

    @tool()
    def describe_table(
        name: Annotated[str, Field(description="Schema and table, e.g. marts.weekly_drains")],
    ) -> answers.TableDescription:
        """Describe a table or view: its key, and each column's type, unit and meaning."""
        return _told(settings, lambda file: reading.describe(file, name))

    @tool()
    def query(
        sql: Annotated[str, Field(description="One SELECT in DuckDB's dialect")],
        max_rows: Annotated[int, Field(ge=1, le=MAX_ROWS)] = 200,
    ) -> answers.QueryResult:
        """Run one SQL query on the published file; it reaches no other file and no network."""
        return _told(settings, lambda file: reading.query(file, sql, max_rows))

    @tool()
    def coverage(
        table: Annotated[str, Field(description="A source table; empty for all")] = "",
    ) -> answers.Coverage:
        """Say through which day each input is known, through which it should be, and why not."""
        return _told(settings, lambda file: reading.coverage(file, table))

    @tool()
    def brief(language: Literal["en", "zh"] = "en") -> answers.BriefText:
        """Return the brief: verdict, drains, what is coming, who reacted, what is missing."""
        return _told(settings, lambda file: reading.brief(file, settings.briefs_dir, language))


def _add_resources(made: MCPServer, settings: Settings) -> None:
    """Offer what a person attaches to a conversation by hand; JSON, as the tools answer it."""
    as_json = partial(made.resource, mime_type="application/json")

    @as_json("liquidity://catalogue", description="Tables, views and queries to start with")
    def catalogue() -> str:
        return _told(settings, lambda file: reading.catalogue(file, "")).model_dump_json()

    @as_json("liquidity://coverage", description="Through which day each input is known")
    def coverage() -> str:
        return _told(settings, lambda file: reading.coverage(file, "")).model_dump_json()

    @as_json("liquidity://tables/{name}", description="One table, with the units of its columns")
    def table(name: str) -> str:
        return _told(settings, lambda file: reading.describe(file, name)).model_dump_json()

    @as_json("liquidity://brief/{language}", description="The brief, in en or zh")
    def brief(language: Literal["en", "zh"]) -> str:
        told = _told(settings, lambda file: reading.brief(file, settings.briefs_dir, language))
        return told.model_dump_json()


def _told(settings: Settings, read: Callable[[Path], Made]) -> Made:
    """Return an answer; what went wrong is told to the one who asked, without a traceback.

    The SDK hands the text of a ResourceError on from tools and resources alike.
    """
    import duckdb
    from mcp.server.mcpserver.exceptions import ResourceError

    file = settings.published_file
    if not file.exists():
        raise ResourceError(f"{file} does not exist yet: run `liquidity run` first.")
    try:
        return read(file)
    except (QueryError, duckdb.Error) as error:
        raise ResourceError(str(error)) from None
