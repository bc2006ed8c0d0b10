"""Words, numbers and dates of one language, from one message catalogue.

English is the language of the messages themselves; `locales/<language>/LC_MESSAGES/brief.po` holds
the others. Numbers, dates and plurals follow the locale. Amounts are stated in the unit that the
language counts in: USD billions in English, 亿美元 (hundreds of millions) in Chinese.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from liquidity_pipeline.brief.model import N_, Style, Unit

LANGUAGES = ("en", "zh")
Language = Literal["en", "zh"]
LOCALES = Path(__file__).parent / "locales"

MINUS, PLUS = "\u2212", "+"
UNKNOWN, COMMA = N_("n/k"), N_(", ")

# USD millions in one unit of account, and the decimals in which it is stated.
_AMOUNT: Mapping[str, tuple[float, int]] = {"en": (1000, 1), "zh": (100, 0)}
_DECIMALS: Mapping[Unit, int] = {
    "pct": 2,
    "bp": 0,
    "ratio": 2,
    "sd": 2,
    "percentile": 0,
    "count": 0,
    "days": 0,
    "pct_per_100bn": 2,
    "index": 3,
}
# How a number is written with its unit, where the reader has no column heading to look at.
_WITH_UNIT: Mapping[Unit, str] = {
    "usd_mn": N_("USD {number} bn"),
    "pct": N_("{number}%"),
    "bp": N_("{number} bp"),
}


@dataclass(frozen=True)
class Words:
    """One language: its catalogue and the shapes of its numbers and dates."""

    language: str
    catalogue: gettext.NullTranslations

    @property
    def gap(self) -> str:
        """The space between two sentences; a full stop in Chinese has its own."""
        return "" if self.language == "zh" else " "

    def text(self, message: str, plural: str | None = None, n: int | None = None) -> str:
        """Return a message in this language, counted where a plural is given."""
        if not message:
            return ""
        if plural is None or n is None:
            return self.catalogue.gettext(message)
        return self.catalogue.ngettext(message, plural, n)

    def number(self, value: float | None, unit: Unit, style: Style = "plain") -> str:
        """Write a number; see `model.fig` for the styles."""
        if value is None:
            return self.text(UNKNOWN)
        scaled, decimals = self._scale(value, unit)
        if unit == "pct" and style.startswith("full"):
            decimals = 1
        digits = self._digits(abs(scaled), decimals)
        # What rounds to nothing has no sign.
        is_zero = not digits.strip("0.,")
        sign = "" if is_zero or style.endswith("size") else MINUS if scaled < 0 else ""
        if style.endswith("signed") and scaled > 0 and not is_zero:
            sign = PLUS
        if not style.startswith("full") or unit not in _WITH_UNIT:
            return sign + digits
        return self.text(_WITH_UNIT[unit]).format(number=sign + digits)

    def amount(self, millions: float) -> float:
        """Return USD millions in the unit that the language states amounts in."""
        return millions / _AMOUNT[self.language][0]

    def day(self, value: date, style: str = "") -> str:
        """Write a day; style `weekday` names the day of the week and leaves out the year."""
        from babel.dates import format_date

        return str(format_date(value, _DAYS[self.language][style], locale=self.language))

    def _scale(self, value: float, unit: Unit) -> tuple[float, int]:
        if unit != "usd_mn":
            return value, _DECIMALS[unit]
        millions, decimals = _AMOUNT[self.language]
        # A test operation of a few millions must not read as nothing.
        return value / millions, decimals + 2 if 0 < abs(value) < 50 else decimals

    def _digits(self, value: float, decimals: int) -> str:
        from babel.numbers import format_decimal

        shape = "#,##0" + ("." + "0" * decimals if decimals else "")
        return str(format_decimal(value, format=shape, locale=self.language))


# One order of day and month in a language: two in one page would make a reader look twice.
_DAYS = {
    "en": {"": "d MMM y", "long": "d MMMM y", "weekday": "EEE d MMM"},
    "zh": {"": "y年M月d日", "long": "y年M月d日", "weekday": "M月d日EEE"},
}


@cache
def words(language: str) -> Words:
    """Return a language; raise KeyError, which names the languages, for one there is not."""
    if language not in LANGUAGES:
        raise KeyError(f"no language '{language}'; there are {', '.join(LANGUAGES)}")
    return Words(language, _catalogue(language))


def catalogue_file(language: str) -> Path:
    """Return the file that holds a language's messages."""
    return LOCALES / language / "LC_MESSAGES" / "brief.po"


def _catalogue(language: str) -> gettext.NullTranslations:
    """Compile a catalogue in memory, so that no compiled file can be older than its source."""
    path = catalogue_file(language)
    if not path.exists():
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as source:
        catalogue = read_po(source, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
