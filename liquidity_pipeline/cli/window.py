"""Which months a command is to fetch."""

from __future__ import annotations

from datetime import date

from liquidity_pipeline.settings import FIRST_MONTH, SANDBOX, Settings, SettingsError

# A first run on the sandbox fetches this many years; one on real data fetches the whole history.
SANDBOX_YEARS = 3


def months(since: str | None, until: str | None, settings: Settings) -> tuple[date, date]:
    """Return the first and a day of the last month asked for; months are given as YYYY-MM.

    Raises SettingsError for a month that is none, lies in the future, or ends before it begins.
    """
    first, last = _month(since, "--since", settings), _month(until, "--until", settings)
    first = max(first, FIRST_MONTH) if first else _first_month(settings)
    if last and last < first:
        raise SettingsError(f"--until {until} lies before the first month {first:%Y-%m}.")
    return first, last or settings.today


def default_first_month(settings: Settings) -> date:
    """Return the first month of a new directory."""
    if settings.endpoints != SANDBOX:
        return FIRST_MONTH
    today = settings.today
    return today.replace(year=today.year - SANDBOX_YEARS, day=1)


def _first_month(settings: Settings) -> date:
    """Return the lake's oldest month, or that of a new directory."""
    from liquidity_pipeline.contracts.sources.treasury import TGA_BALANCE
    from liquidity_pipeline.storage.lake import Lake

    held = Lake(settings.lake_dir).months(TGA_BALANCE)
    return held[0] if held else default_first_month(settings)


def _month(text: str | None, option: str, settings: Settings) -> date | None:
    if text is None:
        return None
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise SettingsError(f"{option}: '{text}' is not a month; expected YYYY-MM.") from None
    if month > settings.today:
        raise SettingsError(f"{option}: {text} is in the future: this run is of {settings.today}.")
    return month
