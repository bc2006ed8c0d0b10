"""One publication's brief on disk: computed with the file, kept by day, rendered beside the file.

<data-dir>/brief.json            the model, written with each publication
<data-dir>/brief.html            the page in English, brief.zh.html the one in Chinese
<data-dir>/briefs/<day>.json.gz  what was published on each day: the last one of the day
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from liquidity_pipeline.brief.model import Brief
from liquidity_pipeline.contracts.meta import BRIEF_FIGURES
from liquidity_pipeline.storage.files import replacing
from liquidity_pipeline.storage.warehouse import reading

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MODEL = "brief.json"
PAGES = {"en": "brief.html", "zh": "brief.zh.html"}
_NAMES = {"en": "English", "zh": "中文"}


@dataclass
class Edition:
    """The brief of a publication in the making; `previous` is the one it is compared with."""

    previous: Brief | None
    brief: Brief | None = field(default=None, init=False)

    def figures(self, connection: duckdb.DuckDBPyConnection) -> pa.Table:
        """Compute the brief from the unfinished file; return the rows of `meta.brief_figures`.

        A brief that cannot be computed keeps no data from their readers: the table is then empty,
        and the step that renders the brief meets the same error and reports it.
        """
        from liquidity_pipeline.brief.compute import compute, figures_table

        try:
            self.brief = compute(connection, self.previous)
        except Exception:  # noqa: BLE001 - see above
            return BRIEF_FIGURES.arrow_schema.empty_table()
        return figures_table(self.brief, BRIEF_FIGURES.arrow_schema)

    def write(self, beside: Path, keep_in: Path | None) -> None:
        """Write the model beside the published file, and keep it as the brief of its day."""
        from liquidity_pipeline.brief.render import to_json

        if self.brief is None:
            return
        text = to_json(self.brief, "en")
        write_text(beside.with_name(MODEL), text)
        if keep_in:
            write_text(keep_in / f"{self.brief['publication']['as_of']}.json.gz", text)


def is_complete(published: Path) -> bool:
    """Tell whether the brief and its pages are beside a published file."""
    return all(published.with_name(name).exists() for name in (MODEL, *PAGES.values()))


def current(published: Path, briefs: Path) -> Brief:
    """Return the brief of a published file: the one written with it, else computed from it.

    Raises FileNotFoundError where there is no such file.
    """
    if not published.exists():
        raise FileNotFoundError(published)
    from liquidity_pipeline.brief.compute import compute

    with reading(published) as connection:
        ((publication, as_of),) = connection.execute(
            "select publication_id, as_of from meta.publication"
        ).fetchall()
        written = read(published.with_name(MODEL))
        if written and written["publication"]["publication_id"] == publication:
            return written
        return compute(connection, previous(briefs, as_of))


def previous(briefs: Path, before: date) -> Brief | None:
    """Return the newest kept brief of an earlier day; None where there is none that can be read."""
    # Those that were kept before they were compressed end in .json.
    for path in sorted(briefs.glob("????-??-??.json*"), reverse=True):
        if path.name[:10] < before.isoformat() and (found := read(path)):
            return found
    return None


def read(path: Path) -> Brief | None:
    """Return a brief from its file; None where it is absent, damaged, or of another schema."""
    from liquidity_pipeline.brief.model import SCHEMA

    try:
        kept = path.read_bytes()
        content = json.loads(gzip.decompress(kept) if path.suffix == ".gz" else kept)
    except (FileNotFoundError, ValueError, EOFError, gzip.BadGzipFile, zlib.error):
        return None
    known = isinstance(content, dict) and str(content.get("schema")).split(".")[0]
    return content if known == SCHEMA.split(".")[0] else None


def write_pages(brief: Brief, beside: Path) -> list[Path]:
    """Render the page of every language beside the published file; return their paths."""
    from liquidity_pipeline.brief.render import to_html

    written = []
    for language, name in PAGES.items():
        others = {_NAMES[other]: page for other, page in PAGES.items() if other != language}
        path = beside.with_name(name)
        write_text(path, to_html(brief, language, others))
        written.append(path)
    return written


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, so that no reader meets half of one; compress it if it ends in .gz.

    Equal texts give equal bytes: the compressed ones hold no time.
    """
    content = text.encode()
    with replacing(path, path.parent / ".build") as unfinished:
        unfinished.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
