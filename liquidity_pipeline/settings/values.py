"""Read single values of settings; SettingsError names the variable and what is wrong with it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

LIVE, SANDBOX = "live", "sandbox"
DUCKDB, SPARK = "duckdb", "spark"


class SettingsError(ValueError):
    """A setting cannot be used; the message names it and says what would be accepted."""


def data_dir(text: str, name: str = "LIQUIDITY_DATA_DIR") -> Path:
    """Return the absolute path, or refuse one that the databases in it cannot open.

    DuckDB cuts a path at a question mark, and Dagster's SQLite reads `%2F` as a slash. Any other
    printable character works, a per cent sign and brackets included.
    """
    path = Path(text).absolute()
    found = re.findall(r"%[0-9A-Fa-f]{2}|\?", str(path))
    found += [letter for letter in str(path) if not letter.isprintable()]
    if odd := sorted(set(found)):
        raise SettingsError(
            f"{name}: '{path}' contains {' and '.join(map(repr, odd))}, with which "
            f"the databases in it cannot be opened; choose another directory."
        )
    return path


def parse_day(text: str, name: str) -> date:
    """Read YYYY-MM-DD, naming the setting or option that was wrong."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{name}: '{text}' is not a day; expected YYYY-MM-DD.") from None


def endpoints(text: str) -> str:
    """Return `live`, `sandbox`, or the URL of a stand-in without its last slash."""
    return text if text in (LIVE, SANDBOX) else url(text, "LIQUIDITY_ENDPOINTS")


def lake_url(text: str) -> str:
    """Return the URL of a prefix in an object store without its last slash."""
    parts = urlsplit(text)
    if parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc or parts.query:
        raise SettingsError(
            "LIQUIDITY_LAKE is not a URL such as s3://bucket/prefix; credentials belong into "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    return text.rstrip("/")


def log_format(text: str) -> str:
    """Return `text` or `json`."""
    if text not in ("text", "json"):
        raise SettingsError(f"LIQUIDITY_LOG_FORMAT: '{text}' is neither 'text' nor 'json'.")
    return text


def engine(text: str) -> str:
    """Return `duckdb` or `spark`."""
    if text not in (DUCKDB, SPARK):
        raise SettingsError(f"LIQUIDITY_ENGINE: '{text}' is neither 'duckdb' nor 'spark'.")
    return text


def spark_master(text: str) -> str:
    """Return the URL if it has one of the forms that Spark accepts."""
    if not re.fullmatch(r"(spark|k8s|sc)://\S+|yarn|local(-cluster)?(\[[\d*, ]+\])?", text):
        raise SettingsError(
            f"LIQUIDITY_SPARK_MASTER: '{text}' is no address of Spark, such as "
            f"spark://host:7077, k8s://https://host:6443, yarn, local[*], "
            f"or sc://host:15002 for Spark Connect."
        )
    return text


def url(text: str, name: str) -> str:
    """Return an http or https URL without its last slash."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        words = "neither 'live' nor 'sandbox' nor" if name == "LIQUIDITY_ENDPOINTS" else "not"
        raise SettingsError(f"{name}: '{text}' is {words} a URL such as http://127.0.0.1:8765.")
    return text.rstrip("/")


def number(
    env: Mapping[str, str], name: str, default: float, *, least: float = 0, whole: bool = False
) -> float:
    """Return a number from `least` upwards, the default where the variable is not set."""
    text = env.get(name)
    try:
        value = float(text) if text else default
    except ValueError:
        raise SettingsError(f"{name}: '{text}' is not a number.") from None
    if not (math.isfinite(value) and value >= least) or (whole and value % 1):
        kind = "whole number" if whole else "number"
        raise SettingsError(f"{name}: '{text}' is not a {kind} from {least:g} upwards.")
    return value
