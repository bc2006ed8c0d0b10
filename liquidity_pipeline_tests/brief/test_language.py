"""Words, numbers and dates. The amounts expected are worked out on paper."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from liquidity_pipeline.brief.language import LANGUAGES, catalogue_file, words

PACKAGE = Path(__file__).resolve().parents[2] / "liquidity_pipeline" / "brief"


@pytest.mark.parametrize(
    ("millions", "style", "english", "chinese"),
    [
        (64_314.0238, "plain", "64.3", "643"),
        (64_314.0238, "full", "USD 64.3 bn", "643 亿美元"),
        (-44_968.0, "plain", "−45.0", "−450"),
        (-44_968.0, "size", "45.0", "450"),
        (-44_968.0, "full_size", "USD 45.0 bn", "450 亿美元"),
        (44_968.0, "signed", "+45.0", "+450"),
        (2_937_493.0, "plain", "2,937.5", "29,375"),
        (3.0, "plain", "0.003", "0.03"),
        (0.0, "signed", "0.0", "0"),
        (0.2, "signed", "0.000", "0.00"),
        (None, "plain", "n/k", "未知"),
    ],
)
def test_an_amount_is_stated_in_the_unit_of_its_language(millions, style, english, chinese):
    assert words("en").number(millions, "usd_mn", style) == english
    assert words("zh").number(millions, "usd_mn", style) == chinese


def test_what_rounds_to_nothing_has_no_sign():
    assert words("en").number(-0.004, "pct", "signed") == "0.00"
    assert words("en").number(-0.4, "bp", "plain") == "0"


def test_a_day_is_written_as_the_language_writes_it():
    day = date(2026, 2, 6)
    assert words("en").day(day) == "6 Feb 2026"
    assert words("zh").day(day) == "2026年2月6日"
    assert words("en").day(day, "weekday") == "Fri 6 Feb"
    assert words("en").day(day, "long") == "6 February 2026"
    assert words("zh").day(day, "weekday") == "2月6日周五"


def test_a_count_takes_the_form_of_its_number():
    one, other = "{n} date ahead, {date} to {end}", "{n} dates ahead, {date} to {end}"
    assert words("en").text(one, other, 1) == one
    assert words("en").text(one, other, 2) == other
    assert words("en").text(one, other, 0) == other
    assert words("zh").text(one, other, 1) == words("zh").text(one, other, 2) != one


def test_an_unknown_language_is_refused_by_name():
    with pytest.raises(KeyError, match="no language 'fr'; there are en, zh"):
        words("fr")


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_every_message_is_translated_with_the_same_places(language):
    with catalogue_file(language).open("rb") as source:
        catalogue = read_po(source, locale=language)
    found = 0
    for _, line, message, _, _ in extract_from_dir(
        PACKAGE,
        method_map=[("**.py", "python"), ("templates/**.j2", "jinja2.ext:babel_extract")],
        keywords={"_": None, "N_": None, "counted": (1, 2), "fill": None},
    ):
        found += 1
        entry = catalogue.get(message if isinstance(message, str) else message[0])
        assert entry is not None, f"line {line}: '{message}' is not in {catalogue_file(language)}"
        originals = [message] if isinstance(message, str) else list(message)
        translated = [entry.string] if isinstance(entry.string, str) else list(entry.string)
        assert all(translated), message
        places = [set(re.findall(r"\{(\w+)\}", text)) for text in (*originals, *translated)]
        assert all(each == places[0] for each in places), message
    assert found > 200, "the extraction found no messages, so this test proved nothing"
