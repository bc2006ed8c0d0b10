"""Renderings: the same figures in every language and format, and a page that needs nothing else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import altair as alt
import jsonschema
import pytest
from markupsafe import Markup

from liquidity_pipeline.brief import charts
from liquidity_pipeline.brief.edition import PAGES
from liquidity_pipeline.brief.language import LANGUAGES, words
from liquidity_pipeline.brief.render import MarkedUp, Text, render, to_html, to_json, to_markdown
from liquidity_pipeline.brief.schema import json_schema
from liquidity_pipeline_tests.brief.parts import messages


class Figures(HTMLParser):
    """Collects the figures that a page shows: id, value and text; and all addresses in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.shown: list[tuple[str, float, str]] = []
        self.addresses: list[str] = []
        self._open: tuple[str, float] | None = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.addresses += [given[name] for name in ("src", "href") if given.get(name)]
        if given.get("class") == "fig":
            self._open = (given["href"].removeprefix("#f."), float(given["data-value"]))

    def handle_data(self, data):
        if self._open:
            self.shown.append((*self._open, data))
            self._open = None


@pytest.fixture(scope="session")
def pages(brief):
    return {language: to_html(brief, language) for language in LANGUAGES}


@pytest.mark.parametrize("kind", [Text, MarkedUp])
def test_a_row_begins_with_a_capital(brief, kind):
    """The names of inputs are used inside sentences too."""
    text = kind(brief, "en")
    name = {"message": "rates, yields and spreads from FRED"}
    assert text.head(name) == "Rates, yields and spreads from FRED"


def test_all_languages_and_formats_state_the_same_figures(brief, pages):
    shown = {language: Figures(page).shown for language, page in pages.items()}
    # A language may state the figures of a sentence in another order.
    english = sorted((name, value) for name, value, _ in shown["en"])
    assert len(english) > 200
    for language in LANGUAGES:
        assert sorted((name, value) for name, value, _ in shown[language]) == english
        text, marked = Text(brief, language), MarkedUp(brief, language)
        for section in brief["sections"]:
            for block in section["blocks"]:
                for row in block.get("rows", []):
                    for cell in row["cells"]:
                        assert text.cell(cell) == marked.cell(cell).striptags()
        markdown = to_markdown(brief, language, footnotes=False)
        for name, _, written in shown[language]:
            assert written in markdown, name
        listed = json.loads(to_json(brief, language))["figures"]
        assert {name: figure["value"] for name, figure in listed.items()} == {
            name: figure["value"] for name, figure in brief["figures"].items()
        }
    for name, value in english:
        assert brief["figures"][name]["value"] == value


def sentences(brief) -> list[dict]:
    """Return what is said outside the cells of tables, but for the titles of charts."""
    said = [brief["verdict"]["statement"], brief["verdict"]["confidence_reason"]]
    for section in brief["sections"]:
        said.append(section["title"])
        for block in section["blocks"]:
            if block["kind"] == "statement":
                said.append(block["message"])
            elif block["kind"] == "table":
                said += [block["title"], *block["columns"]]
                said += [block["note"]] if "note" in block else []
    return said


def test_sentences_and_headings_state_the_same_figures_in_every_format(brief, pages):
    said = sentences(brief)
    assert len(said) > 60
    for language in LANGUAGES:
        text, marked = Text(brief, language), MarkedUp(brief, language)
        page = Markup(pages[language]).striptags()  # noqa: S704 - our own page
        markdown = to_markdown(brief, language)
        in_json = {
            (spoken["message"], spoken["text"])
            for spoken in messages(json.loads(to_json(brief, language)))
        }
        for message in said:
            written = text.message(message)
            assert marked.message(message).striptags() == written
            assert written in page
            assert written in markdown
            assert (message["message"], written) in in_json


def test_no_sentence_holds_a_number_that_is_no_figure(brief):
    """A place of a message holds a figure, a day, a count of what is listed there, or a name."""
    for message in messages(brief["sections"]):
        for cell in message.get("args", {}).values():
            assert not re.search(r"\d", str(cell.get("text", ""))), message


def test_a_figure_leads_to_its_footnote_and_names_its_query(brief, pages):
    page = pages["en"]
    for name, _, _ in Figures(page).shown:
        assert f'<tr id="f.{name}">' in page
    query = brief["figures"]["reserve_drain"]["query"]
    assert f"marts.reserve_drains\n{query}" in page.replace("&#39;", "'")


def test_the_page_needs_no_network_and_runs_no_script(pages):
    for page in pages.values():
        found = Figures(page)
        assert all(address.startswith(("#", "data:,")) for address in found.addresses)
        outside = set(re.findall(r"https?://[^\"' <)]+", page))
        assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
        assert "<script" not in page
        assert "@import" not in page
        assert "Noto Sans CJK SC" in page


def test_pages_beside_the_file_lead_to_each_other(briefed):
    for page in briefed.write_brief():
        others = [name for name in PAGES.values() if name != page.name]
        assert [a for a in Figures(page.read_text()).addresses if a.endswith(".html")] == others


def test_no_english_sentence_is_left_in_the_chinese_page(pages):
    text = re.sub(
        r"<(style|svg|code|details).*?</\1>|<span lang=.en.>.*?</span>|<[^>]*>",
        " ",
        pages["zh"],
        flags=re.DOTALL,
    )
    assert re.findall(r"[A-Za-z]+ [a-z]+ [a-z]+ [a-z]+", text) == []


def test_a_synthetic_brief_says_so_in_both_languages(pages):
    assert "SYNTHETIC DATA" in pages["en"]
    assert "合成数据" in pages["zh"]


def test_the_json_is_what_its_schema_says(brief):
    for language in LANGUAGES:
        jsonschema.validate(json.loads(to_json(brief, language)), json_schema())


def test_text_from_outside_is_escaped(brief):
    marked = MarkedUp(brief, "en")
    assert marked.cell({"quote": "<b>x</b>"}) == '<span lang="en">&lt;b&gt;x&lt;/b&gt;</span>'
    assert marked.cell({"text": "a & b"}) == "a &amp; b"
    named = {"message": "{what}", "args": {"what": {"text": "<i>"}}}
    assert marked.message(named) == "&lt;i&gt;"


def test_every_chart_is_valid_and_drawn_in_each_language(brief, pages):
    drawn = [b for s in brief["sections"] for b in s["blocks"] if b["kind"] == "chart"]
    assert [block["id"] for block in drawn] == [
        "sofr",
        "tga",
        "drain",
        "season",
        "settlements",
        "correlations",
        "stress",
    ]
    for block in drawn:
        for language in LANGUAGES:
            spec = charts.specification(block, words(language))
            assert spec is not None
            alt.Chart.from_dict(spec, validate=True)
    for page in pages.values():
        assert page.count("<svg") == 7


def test_charts_use_only_colours_that_the_style_sheet_knows(pages):
    for page in pages.values():
        used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{3,6})"', page))
        assert used <= set(charts.COLOURS.values())


def numbers(rows: list[dict]) -> set[float]:
    return {value for row in rows for value in row.values() if isinstance(value, float)}


def test_charts_draw_the_amounts_of_the_model_in_the_unit_of_the_language(brief):
    charted = [b for s in brief["sections"] for b in s["blocks"] if b["kind"] == "chart"]
    amounts = [block for block in charted if block["unit"] == "usd_mn"]
    assert {block["id"] for block in amounts} == {"tga", "drain", "season", "settlements"}
    for block in charted:
        for language, divisor in (("en", 1000), ("zh", 100)):
            spec = charts.specification(block, words(language))
            assert spec is not None
            drawn = numbers([row for rows in spec["datasets"].values() for row in rows])
            scale = divisor if block in amounts else 1
            # Nothing of the model's data is left out, and nothing is added.
            assert drawn == {value / scale for value in numbers(block["data"])}, block["id"]


def test_an_unknown_format_is_refused(brief):
    with pytest.raises(KeyError):
        render(brief, "pdf", "en")
