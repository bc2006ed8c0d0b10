"""Contracts of the `meta` tables: what marts join to, and the description of a publication."""

from __future__ import annotations

from liquidity_pipeline.contracts.table import (
    Column,
    Table,
    by_name,
    day,
    flag,
    integer,
    moment,
    number,
    text,
    usd,
)

CALENDAR_DAYS = Table(
    "meta",
    "calendar_days",
    "Every day from 2005-10 to a year ahead, and the markets for which it is a business day.",
    key=("date",),
    columns=(
        day("date", "Calendar day"),
        flag("is_fed", "Federal Reserve business day, also a day of the Daily Treasury Statement"),
        flag("is_sifma", "Bond-market day, also a day of the secured reference rates"),
        flag("is_nyse", "New York stock session"),
        day("fed_on_or_after", "This day, or the next Federal Reserve business day"),
        day("nyse_on_or_after", "This day, or the next New York session"),
        integer("fed_number", "Count of Federal Reserve business days up to this day"),
        integer("nyse_number", "Count of New York sessions up to this day"),
        integer("day_number", "Count of days up to this day"),
        day("week_start", "Monday of the week"),
        day("week_ending", "Wednesday that ends the H.4.1 week (Thursday to Wednesday)"),
        day("quarter_end", "Last day of the quarter"),
        flag("is_month_end", "Last or first bond-market day of a month"),
        flag("is_quarter_end", "Last or first bond-market day of a quarter"),
        moment(
            "known_by",
            "Moment at which all daily records of the day are public: 16:30 in New York on the "
            "next Federal Reserve business day, or 8:00 on the next bond-market day if that is "
            "later",
        ),
    ),
)

CLOCK = Table(
    "meta",
    "clock",
    "The moment of this run; nothing published later is used.",
    key=("now",),
    columns=(moment("now", "Moment of the run"), day("today", "Its day in New York")),
)

UNIVERSE = Table(
    "meta",
    "universe",
    "Followed assets, from the universe file.",
    key=("asset",),
    columns=(
        text("asset", "Symbol"),
        text("name", "Name"),
        text("asset_class", "Class"),
        flag("is_crypto", "Trades every UTC day instead of New York sessions"),
        text("providers", "Providers in order of preference"),
        day("since", "First day on which a price is due"),
    ),
)

SIGN_CONVENTIONS = Table(
    "meta",
    "sign_conventions",
    "Sign with which each component counts as a drain. reserves is reserve accounting, "
    "whose components add up to the fall of reserves; headline is market convention, whose "
    "components do not.",
    key=("component", "convention"),
    columns=(
        text("component", "Component of marts.drains"),
        text(
            "convention",
            "Sign convention: reserve accounting or market convention",
            allowed=("reserves", "headline"),
        ),
        integer("sign", "+1 drains, -1 adds, 0 is not counted"),
        text("note", "Reason for the sign", nullable=True),
    ),
)

COMPONENTS = Table(
    "meta",
    "components",
    "Components of the drain: their labels, and their sign in each convention.",
    key=("component",),
    columns=(
        text("component", "Component of marts.drains and marts.weekly_drains"),
        text("label", "Label to show"),
        Column("sign_reserves", "integer", "Reserve accounting: +1 drains, -1 adds, 0 not counted"),
        Column("sign_headline", "integer", "Market convention: +1 drains, -1 adds, 0 not counted"),
    ),
)

EXAMPLE_QUERIES = Table(
    "meta",
    "example_queries",
    "Queries to start with; each runs unchanged on this file.",
    key=("position",),
    columns=(
        integer("position", "Suggested order of reading", low=1),
        text("name", "Short name"),
        text("question", "Question that the query answers"),
        text("sql", "Text of the query"),
    ),
)

VIEWS = Table(
    "meta",
    "views",
    "The query behind each view of this file, as it was written: from it a view can be created "
    "elsewhere.",
    key=("schema_name", "view_name"),
    columns=(
        text("schema_name", "Schema of the view"),
        text("view_name", "Name of the view"),
        text("sql", "Query that the view was created with"),
    ),
)

RELATIONSHIPS = Table(
    "meta",
    "relationships",
    "Which column refers to which dimension table, for tools that create joins automatically.",
    key=("from_table", "from_column"),
    columns=(
        text("from_table", "Table with the reference"),
        text("from_column", "Column with the reference"),
        text("to_table", "Dimension table"),
        text("to_column", "Key column of the dimension table"),
    ),
)

PUBLISHED_TOTALS = Table(
    "meta",
    "published_totals",
    "Figures that Treasury or the press printed about past periods, which the marts must match.",
    key=("period", "figure"),
    columns=(
        text("period", "Quarter (2026Q1), or the Wednesday that ends a week (2025-10-22)"),
        day("period_end", "Last day of the period"),
        text(
            "figure",
            "privately_held_net_borrowing: net marketable borrowing of a quarter; "
            "quarter_end_cash: balance of the Treasury General Account; reserve_drain: fall of "
            "reserve balances in a week of H.4.1",
        ),
        usd("value_usd_mn", "Figure as printed, rounded to the billion or less", nullable=False),
        usd("tolerance_usd_mn", "Largest difference that rounding explains", nullable=False),
        text("source", "Where it is printed"),
    ),
)

PUBLICATION = Table(
    "meta",
    "publication",
    "Identity of this file, in one row.",
    key=("publication_id",),
    columns=(
        text("publication_id", "Identifier of this build"),
        moment("built_at", "When it was built"),
        day("as_of", "Last day whose publications were used"),
        text("endpoints", "live, sandbox (synthetic data), or the URL of a stand-in"),
        flag(
            "is_synthetic",
            "TRUE where the rows come from the sandbox and do not describe real markets",
        ),
        text("git_sha", "Commit of the code, where it was known", nullable=True),
        text("pipeline_version", "Version of the package"),
        text("duckdb_version", "DuckDB that wrote the file"),
        text("storage_version", "Format of the file"),
    ),
)

TABLES = Table(
    "meta",
    "tables",
    "One row per published table.",
    key=("schema_name", "table_name"),
    columns=(
        text("schema_name", "Schema"),
        text("table_name", "Table"),
        integer("row_count", "Rows in this publication", low=0, unit="rows"),
        text("meaning", "Contents of the table"),
        text("key", "Columns that identify a row"),
        text("origin", "Publisher of the records", nullable=True),
    ),
)

COLUMNS = Table(
    "meta",
    "columns",
    "One row per published column.",
    key=("schema_name", "table_name", "column_name"),
    columns=(
        text("schema_name", "Schema"),
        text("table_name", "Table"),
        text("column_name", "Column"),
        integer("position", "Order within the table", low=1),
        text("data_type", "DuckDB type"),
        text("unit", "Unit in words", nullable=True),
        flag("is_nullable", "May be undefined"),
        text("meaning", "Meaning of the column"),
    ),
)

FRESHNESS = Table(
    "meta",
    "freshness",
    "How current each source is, per rate, series or symbol, with what is stale and why.",
    key=("table_name", "entity"),
    columns=(
        text("table_name", "Source table"),
        text("entity", "Rate, series or symbol; empty for the whole table"),
        day("last_day", "Newest observation held", nullable=True),
        day("due_day", "Newest observation that should be public", nullable=True),
        integer("days_behind", "Observations due after the newest one held", low=0),
        integer("days_missing", "Observations due but missing in the months held", low=0),
        flag(
            "is_stale",
            "TRUE where an observation that is due is missing; for event sources, where the last "
            "fetch failed, left a part without an answer, or is older than the day's results",
        ),
        moment("fetched_at", "Last successful fetch", nullable=True),
        text("problem", "Last failure or reported gap", nullable=True),
    ),
)

RUNS = Table(
    "meta",
    "runs",
    "What fetching cost and how publishers behaved: one row per fetch of a source and publisher, "
    "of the last 60 days.",
    key=("fetch_id", "publisher"),
    columns=(
        text("fetch_id", "Fetch: the name of its record in the archive"),
        text("source", "Source that was fetched"),
        text("publisher", "Publisher that was asked"),
        moment("began_at", "When the first answer came"),
        moment("ended_at", "When everything was archived"),
        day("months_from", "First day asked for"),
        day("months_through", "Last day asked for"),
        integer("requests", "Requests, each with its retries", low=1),
        integer("bytes", "Size of the answers, decompressed", low=0, unit="bytes"),
        integer("failed", "Requests that no attempt answered usably", low=0),
        integer("refused", "Requests answered by a refusal (HTTP 4xx)", low=0),
        integer("not_understood", "Answers that could not be read, or not wholly", low=0),
        integer("gaps", "What the whole fetch named as not to be had", low=0),
        text("error", "Why the whole fetch was given up", nullable=True),
    ),
)

BRIEF_FIGURES = Table(
    "meta",
    "brief_figures",
    "Every figure of this publication's brief, with the query that returns it.",
    key=("id",),
    columns=(
        text("id", "Identifier of the figure, the same in every brief"),
        text("label", "Name of the figure, in English"),
        number("value", "Value of the figure, as the query returns it", unit="see the column unit"),
        text("unit", "Unit of the value: usd_mn, pct, bp, ratio, sd, percentile, count, days, …"),
        day("date", "Day that the figure describes", nullable=True),
        text("sources", "Tables that the query reads, separated by commas"),
        text("query", "SQL that returns the value on this file"),
        text("reason", "Reason why the value is not known", nullable=True),
        number(
            "previous_value",
            "Value of the figure in the previous brief, as published",
            unit="see the column unit",
        ),
        day("previous_date", "Day that the previous brief's figure described", nullable=True),
    ),
)

COVERAGE = Table(
    "meta",
    "coverage",
    "The last day through which each input is known. Values of the marts that would need "
    "later data are NULL or absent.",
    key=("table_name", "entity"),
    columns=(
        text("table_name", "Source table"),
        text(
            "entity",
            "Rate, series, symbol, kind of operation, or separately served part; empty for the "
            "whole table",
        ),
        day("known_from", "First day that is known; NULL where nothing is known", nullable=True),
        day(
            "known_through",
            "Last day through which everything is known without a gap since known_from: the "
            "day before the next observation is due, but not after the day of the run; for a "
            "snapshot the day on which it was taken; NULL where nothing is known",
            nullable=True,
        ),
        day(
            "expected_through",
            "Last day that should be known at the moment of the run, by the publisher's calendar",
            nullable=True,
        ),
        text(
            "basis",
            "rows: every day that is due has its row, or the publisher was asked later and has "
            "none. answered: the publisher was asked and answered in full, so that the absence "
            "of rows means that nothing happened",
            allowed=("rows", "answered"),
        ),
        text("reason", "Why known_through is not later"),
    ),
)

REVISIONS = Table(
    "meta",
    "revisions",
    "Values that a publisher changed after first publication: one row per changed value.",
    key=("table_name", "row_key", "column_name", "seen_at"),
    columns=(
        text("table_name", "Source table"),
        text("row_key", "Key of the row, as JSON"),
        text("column_name", "Changed column; * for a whole row"),
        text(
            "change",
            "A value changed, a row vanished, or a split put a row on another basis (rebased)",
            allowed=("changed", "vanished", "rebased"),
        ),
        text("old_value", "Value before", nullable=True),
        text("new_value", "Value after", nullable=True),
        day("month", "First day of the partition"),
        moment("seen_at", "When this pipeline saw it"),
    ),
)

# What marts may join to, and what is written at publication.
REFERENCE_TABLES = by_name(
    (CALENDAR_DAYS, CLOCK, UNIVERSE, SIGN_CONVENTIONS, COVERAGE, PUBLISHED_TOTALS)
)
PUBLICATION_TABLES = by_name(
    (
        PUBLICATION,
        TABLES,
        COLUMNS,
        COMPONENTS,
        FRESHNESS,
        REVISIONS,
        EXAMPLE_QUERIES,
        VIEWS,
        RELATIONSHIPS,
        RUNS,
        BRIEF_FIGURES,
    )
)
