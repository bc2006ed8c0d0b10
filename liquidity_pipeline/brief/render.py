"""Render a brief: HTML with charts, Markdown, JSON. Nothing is computed here, only written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from liquidity_pipeline.brief import charts, terms
from liquidity_pipeline.brief.language import COMMA, Words, words
from liquidity_pipeline.brief.model import N_, Brief, Message, Style, msg

TEMPLATES = Path(__file__).parent / "templates"
FORMATS = ("html", "md", "json")
SEMICOLON = N_("; ")
_PARTS = re.compile("[;；] ?")
# In a table, a message of so many words is a sentence; shorter ones are names and ranges.
_SENTENCE_WORDS = 5


class Text:
    """Writes cells and messages of one brief in one language, as plain text."""

    def __init__(self, brief: Brief, language: str) -> None:
        self.figures = brief["figures"]
        self.words: Words = words(language)
        self.used: dict[str, str] = {}

    def cell(self, cell: Mapping[str, Any]) -> str:
        """Write whatever a cell or a place of a message holds."""
        if "figure" in cell:
            return self.figure(cell["figure"], cell["style"])
        if "message" in cell:
            return self.message(cell)  # type: ignore[arg-type]
        if "date" in cell:
            return self.words.day(date.fromisoformat(cell["date"]), cell.get("style", ""))
        if "list" in cell:
            return self.joiner(cell).join(self.cell(part) for part in cell["list"])
        if "count" in cell:
            return self.words.number(cell["count"], "count")
        return str(cell.get("text", cell.get("code", cell.get("quote", ""))))

    def head(self, cell: Mapping[str, Any]) -> str:
        """Write the first cell of a row; names that are used inside sentences too get a capital."""
        written = self.cell(cell)
        return written[:1].upper() + written[1:]

    def joiner(self, cell: Mapping[str, Any]) -> str:
        """Return what separates the parts of a list."""
        return self.words.text(cell.get("by", COMMA))

    def message(self, message: Message) -> str:
        """Write a message with its places filled."""
        pattern = self.words.text(message["message"], message.get("plural"), message.get("n"))
        places = {name: self.cell(cell) for name, cell in message.get("args", {}).items()}
        return pattern.format(**places)

    def figure(self, name: str, style: Style = "plain") -> str:
        """Write a figure, and remember that it was shown."""
        figure = self.figures[name]
        written = self.words.number(figure["value"], figure["unit"], style)
        self.used[name] = written
        return written

    def day(self, value: str | None) -> str:
        """Write an ISO day; empty for none."""
        return self.words.day(date.fromisoformat(value)) if value else ""

    def publishers(self, sources: list[str]) -> str:
        """Name whose records are behind tables."""
        named = [terms.PUBLISHERS[name] for name in sources if name in terms.PUBLISHERS]
        # A table of several publishers' records names them all, and each is named once.
        parts = [part for name in named for part in _PARTS.split(self.words.text(name))]
        return self.words.text(SEMICOLON).join(dict.fromkeys(parts))

    def codes(self, names: list[str]) -> str:
        """Name tables as Markdown writes code."""
        return self.words.text(COMMA).join(f"`{name}`" for name in names)

    def label(self, message: Message) -> str:
        """Write a message without counting its figures as shown."""
        kept = dict(self.used)
        written = str(self.message(message))
        self.used = kept
        return written


class MarkedUp(Text):
    """Writes for HTML: figures carry where they come from, and all text is escaped."""

    def cell(self, cell: Mapping[str, Any]) -> Markup:
        """Write a cell as HTML."""
        if "code" in cell:
            return Markup("<code>{}</code>").format(cell["code"]) if cell["code"] else Markup("")
        if "list" in cell:
            return Markup("{}").format(self.joiner(cell)).join(map(self.cell, cell["list"]))
        if "quote" in cell:
            return Markup('<span lang="en">{}</span>').format(cell["quote"])
        if "date" in cell:
            return Markup("<time datetime={}>{}</time>").format(cell["date"], super().cell(cell))
        return escape(super().cell(cell))

    @staticmethod
    def is_prose(cell: Mapping[str, Any]) -> bool:
        """Return whether a table cell holds a sentence, which may wrap; figures may not."""
        return "quote" in cell or len(cell.get("message", "").split()) >= _SENTENCE_WORDS

    def message(self, message: Message) -> Markup:
        """Write a message as HTML."""
        pattern = self.words.text(message["message"], message.get("plural"), message.get("n"))
        places = {name: self.cell(cell) for name, cell in message.get("args", {}).items()}
        return escape(pattern).format(**places)

    def figure(self, name: str, style: Style = "plain") -> Markup:
        """Write a figure that leads to its footnote; its title names source, date and query."""
        written = super().figure(name, style)
        figure = self.figures[name]
        if figure["value"] is None:
            why = Text(_only(figure), self.words.language).message(figure["reason"])
            return Markup('<span class="nk" title="{}">{}</span>').format(why, written)
        label = Text(_only(figure), self.words.language).message(figure["label"])
        title = " · ".join(filter(None, [label, self.day(figure["date"]), *figure["sources"]]))
        return Markup('<a class="fig" href="#{}" data-value="{}" title="{}">{}</a>').format(
            footnote(name), figure["value"], f"{title}\n{figure['query']}", written
        )


def footnote(name: str) -> str:
    """Return the anchor of a figure's footnote."""
    return f"f.{name}"


def render(brief: Brief, form: str, language: str) -> str:
    """Return the brief as `html`, `md` or `json`; raise KeyError for another form or language."""
    return _RENDERERS[form](brief, language)


def to_html(brief: Brief, language: str, siblings: Mapping[str, str] | None = None) -> str:
    """Return one self-contained page; `siblings` are links to other languages, by name."""
    style = _environment().get_template("brief.css").render(colours=charts.COLOURS)
    return _template(
        "brief.html.j2",
        brief,
        MarkedUp(brief, language),
        drawings=_drawings(brief, language),
        # Our own style sheet: there is nothing of anybody's in it.
        style=Markup(style),  # noqa: S704
        siblings=siblings or {},
        as_of=date.fromisoformat(brief["publication"]["as_of"]),
    )


def to_markdown(brief: Brief, language: str, *, footnotes: bool = True) -> str:
    """Return the brief as Markdown; charts are left to the page."""
    return _template("brief.md.j2", brief, Text(brief, language), footnotes=footnotes)


def to_json(brief: Brief, language: str) -> str:
    """Return the model; every message carries its text in the language."""
    text = Text(brief, language)

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            filled = {name: told(part) for name, part in value.items()}
            return {**filled, "text": text.label(value)} if _is_message(value) else filled  # type: ignore[arg-type]
        return [told(part) for part in value] if isinstance(value, list) else value

    spoken = {name: told(part) for name, part in brief.items()}
    return json.dumps({**spoken, "language": language}, ensure_ascii=False) + "\n"


_RENDERERS: Mapping[str, Callable[[Brief, str], str]] = {
    "html": to_html,
    "md": to_markdown,
    "json": to_json,
}


def _is_message(value: dict[str, Any]) -> bool:
    return isinstance(value.get("message"), str)


def _only(figure: Any) -> Any:
    return {"figures": {figure["id"]: figure}}


def _drawings(brief: Brief, language: str) -> dict[str, Markup]:
    """Draw every chart that has data, by id; vl-convert draws two at a time."""
    from concurrent.futures import ThreadPoolExecutor

    specs = {
        block["id"]: spec
        for section in brief["sections"]
        for block in section["blocks"]
        if block["kind"] == "chart" and (spec := charts.specification(block, words(language)))
    }
    with ThreadPoolExecutor(2) as pool:
        drawn = pool.map(lambda spec: charts.svg(spec, language), specs.values())
        # Drawn from our own data by vl-convert, which escapes the texts in it.
        return {name: Markup(svg) for name, svg in zip(specs, drawn, strict=True)}  # noqa: S704


def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str, brief: Brief, text: Text, **extra: Any) -> str:
    body: str = (
        _environment()
        .get_template(name)
        .render(
            brief=brief,
            text=text,
            _=text.words.text,
            fill=lambda message, **places: text.message(msg(message, **places)),
            confidence=terms.CONFIDENCE,
            captions=charts.CAPTIONS,
            footnote=footnote,
            language=text.words.language,
            **extra,
        )
    )
    return body.rstrip("\n") + "\n"
