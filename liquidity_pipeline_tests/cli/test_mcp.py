"""`liquidity mcp`, asked by the official SDK's own client over standard input and output."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pytest
from mcp import Client, StdioServerParameters

from liquidity_pipeline.assistant.asking import MEMORY, QueryError, ask, read
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import SANDBOX, Settings
from liquidity_pipeline.storage.confined import confined

PROGRAM = "from liquidity_pipeline.cli.main import main; main()"
Made = TypeVar("Made")


def talk(place: tuple[str, ...], conversation: Callable[[Client], Awaitable[Made]]) -> Made:
    """Start the command, hold a conversation with it, and end it."""

    async def hold() -> Made:
        server = StdioServerParameters(
            command=sys.executable, args=["-c", PROGRAM, "mcp", *place], env=dict(os.environ)
        )
        async with asyncio.timeout(240), Client(server) as client:
            return await conversation(client)

    return asyncio.run(hold())


def call(place: tuple[str, ...], tool: str, **arguments: Any) -> Any:
    """Return what one tool answers, or the text of its error."""

    async def conversation(client: Client) -> Any:
        answer = await client.call_tool(tool, arguments)
        return answer.content[0].text if answer.is_error else answer.structured_content

    return talk(place, conversation)


def file_of(place: tuple[str, ...]) -> Path:
    return Path(place[3]) / "liquidity.duckdb"


def test_every_tool_only_reads_and_every_answer_names_its_publication(place):
    asked = {
        "catalogue": {"search": "drain week"},
        "describe_table": {"name": "bi.dashboard"},
        "query": {"sql": "select 1"},
        "coverage": {"table": "sources.tga_balance"},
        "brief": {"language": "zh"},
    }

    async def conversation(client: Client) -> Any:
        tools = (await client.list_tools()).tools
        answers = {t: (await client.call_tool(t, a)).structured_content for t, a in asked.items()}
        return tools, answers

    tools, answers = talk(place, conversation)
    assert {tool.name for tool in tools} == set(asked)
    assert all(tool.annotations.read_only_hint for tool in tools)
    with duckdb.connect(str(file_of(place)), read_only=True) as published:
        ((identifier, through),) = published.execute(
            "select publication_id, known_through from meta.publication, meta.coverage "
            "where table_name = 'tga_balance'"
        ).fetchall()
    for answer in answers.values():
        assert answer["publication"]["publication_id"] == identifier
        assert answer["publication"]["as_of"] == "2026-02-06"
        assert answer["publication"]["is_synthetic"]
        assert "SYNTHETIC" in answer["publication"]["caution"]
    tga = {"table": "sources.tga_balance", "behind": []}
    reach = tga | {"known_through": through.isoformat(), "newest": through.isoformat()}
    assert answers["coverage"]["reach"] == [reach]
    assert reach in answers["describe_table"]["reach"]
    assert reach in answers["brief"]["reach"]
    assert answers["query"]["reach"] == []
    assert "marts.weekly_drains" in {t["name"] for t in answers["catalogue"]["tables"]}
    units = {c["name"]: c["unit"] for c in answers["describe_table"]["columns"]}
    assert set(units) == {"gauge", "date", "value", "unit", "age_days", "source_table"}
    assert "流动性" in answers["brief"]["text"]


def test_columns_are_described_with_their_units(place):
    answer = call(place, "describe_table", name="marts.tga_daily")
    units = {column["name"]: column["unit"] for column in answer["columns"]}
    assert units["closing_usd_mn"] == "USD millions"
    assert answer["key"] == "record_date"


def test_resources_are_the_tools_answers(place):
    async def conversation(client: Client) -> list[str]:
        uris = [str(resource.uri) for resource in (await client.list_resources()).resources]
        uris += ["liquidity://tables/marts.tga_daily", "liquidity://brief/en"]
        return [(await client.read_resource(uri)).contents[0].text for uri in uris]

    answers = [json.loads(text) for text in talk(place, conversation)]
    assert len(answers) == 4
    assert len({answer["publication"]["publication_id"] for answer in answers}) == 1
    assert all(answer["reach"] for answer in answers)


def test_a_running_server_answers_from_the_newest_publication(place, tmp_path: Path):
    folder = tmp_path / "data"
    shutil.copytree(place[3], folder)
    settings = Settings(folder, SANDBOX, sandbox_url=place[1], as_of=date(2026, 2, 6))
    asked = {"sql": "select publication_id from meta.publication"}

    async def conversation(client: Client) -> list[dict[str, Any]]:
        before = (await client.call_tool("query", asked)).structured_content
        await asyncio.to_thread(Pipeline(settings).publish)
        return [before, (await client.call_tool("query", asked)).structured_content]

    before, after = talk((*place[:3], str(folder)), conversation)
    for answer in (before, after):
        assert answer["rows"] == [[answer["publication"]["publication_id"]]]
    assert before["rows"] != after["rows"]


def test_a_directory_without_a_publication_says_what_to_do(place, tmp_path: Path):
    error = call((*place[:3], str(tmp_path)), "query", sql="select 1")
    assert "run `liquidity run` first" in error


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1) to '{folder}/out.csv'",
        "from read_csv('/etc/passwd')",
        "from read_text('{folder}/secret.txt')",
        "from '{folder}/secret.txt'",
        "from glob('/etc/*')",
        "from duckdb_secrets()",
        "from read_parquet('http://127.0.0.1:9/x.parquet')",
        "attach '{folder}/new.duckdb'",
        "export database '{folder}/dump'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "reset lock_configuration",
        "pragma enable_profiling = 'json'",
        "create table memory.main.mine as select 1",
        "delete from marts.tga_daily",
        "select 1; drop table marts.tga_daily",
        "explain analyze copy (select 1) to '{folder}/out.csv'",
        "select query('select 1')",
        "from query('copy (select 1) to ''{folder}/out.csv''')",
        "call duckdb_settings()",
        "from sql",
        "",
        "not even sql",
    ],
)
def test_a_query_reaches_nothing_else(sql, place, tmp_path: Path):
    (tmp_path / "secret.txt").write_text("what is inside")
    with (
        confined(file_of(place), memory=MEMORY, seconds=20) as connection,
        pytest.raises((QueryError, duckdb.Error)) as refused,
    ):
        read(connection, sql.format(folder=tmp_path), 10)
    assert "what is inside" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["secret.txt"]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("select count(*) from range(100000000) a, range(1000000) b", "2 seconds"),
        # No interrupt is heard within one call of a function; the process is killed.
        ("select length(repeat('x', 2000000000) || repeat('y', 2000000000))", "2 seconds"),
        ("from range(100000000000) a order by hash(a.range)", "memory|2 seconds"),
        ("select repeat('x', 1000000000) || i from range(100) r(i)", "memory|2 seconds"),
    ],
)
def test_a_query_ends_in_time_whatever_it_does(sql, why, place):
    began = time.monotonic()
    with pytest.raises(QueryError, match=why):
        ask(file_of(place), sql, seconds=2)
    # The limit, a start on a busy machine, and no more.
    assert time.monotonic() - began < 60


def test_an_answer_is_cut_by_rows_and_by_size_and_says_so(place):
    file = file_of(place)
    few = ask(file, "from range(5)", rows=5)
    assert (few.rows, few.is_cut) == ([[0], [1], [2], [3], [4]], False)
    many = ask(file, "from range(6)", rows=5)
    assert (len(many.rows), many.is_cut) == (5, True)
    wide = ask(file, "select repeat('x', 5000) from range(900)", rows=1000)
    assert wide.is_cut
    assert sum(len(str(row)) for row in wide.rows) < 150_000
    assert "5,000 characters" in wide.rows[0][0]


def test_what_is_not_a_number_is_not_one_in_json(place):
    result = ask(file_of(place), "select 'nan'::double, null, date '2026-02-06', 1.5::decimal(9,1)")
    assert result.rows == [["nan", None, "2026-02-06", 1.5]]
    json.dumps(result.rows, allow_nan=False)


def test_a_view_rests_on_the_sources_behind_its_tables(place):
    result = ask(file_of(place), "select max(d.date) from bi.dashboard d")
    assert "marts.tga_daily" in result.reads
