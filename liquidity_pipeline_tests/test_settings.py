"""Settings: every variable has its effect, wrong values name theirs, origins stay apart."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from liquidity_pipeline import settings as module
from liquidity_pipeline.settings import AlertSettings, CatalogueSettings, Settings, SettingsError

STAND_IN = "http://127.0.0.1:8765"

# variable: (text, attribute of the settings, expected value)
EFFECTS = {
    "LIQUIDITY_DATA_DIR": ("/elsewhere", "data_dir", Path("/elsewhere")),
    "LIQUIDITY_ENDPOINTS": (STAND_IN, "endpoints", STAND_IN),
    "LIQUIDITY_REFERENCE_DIR": ("/facts", "reference_dir", Path("/facts")),
    "LIQUIDITY_AS_OF": ("2026-02-06", "as_of", date(2026, 2, 6)),
    "LIQUIDITY_HTTP_TIMEOUT": ("2.5", "http_timeout", 2.5),
    "LIQUIDITY_HTTP_RETRIES": ("7", "http_retries", 7),
    "LIQUIDITY_HTTP_BACKOFF": ("0.25", "http_backoff", 0.25),
    "LIQUIDITY_HTTP_INTERVAL": ("0", "http_interval", 0.0),
    "LIQUIDITY_SANDBOX_URL": (STAND_IN, "sandbox_url", STAND_IN),
    "LIQUIDITY_LOG_FORMAT": ("json", "log_format", "json"),
    "LIQUIDITY_LAKE": ("s3://bucket/prefix/", "lake_url", "s3://bucket/prefix"),
    "LIQUIDITY_ENGINE": ("spark", "engine", "spark"),
    "LIQUIDITY_SPARK_MASTER": ("spark://head:7077", "spark_master", "spark://head:7077"),
}


ALERT_EFFECTS: dict[str, tuple[str, str, object]] = {
    "LIQUIDITY_ALERT_URLS": ("json://a/x slack://b", "urls", ("json://a/x", "slack://b")),
    "LIQUIDITY_ALERT_LINK": ("https://example.org/brief", "link", "https://example.org/brief"),
    "LIQUIDITY_ALERT_SILENT_HOURS": ("6", "silent_hours", 6.0),
    "LIQUIDITY_ALERT_DRAIN_SD": ("2.5", "drain_sd", 2.5),
    "LIQUIDITY_ALERT_SETTLEMENT_BN": ("10", "settlement_usd_bn", 10.0),
}


CATALOGUE_EFFECTS = {
    "LIQUIDITY_CATALOGUE": ("/c.sqlite", "metadata", "sqlite:/c.sqlite"),
    "LIQUIDITY_CATALOGUE_DATA": ("s3://bucket/c", "data_path", "s3://bucket/c"),
    "LIQUIDITY_CATALOGUE_TIMEOUT": ("60", "timeout", 60.0),
}


@pytest.mark.parametrize("variable", EFFECTS)
def test_every_variable_has_an_effect(variable: str):
    text, attribute, expected = EFFECTS[variable]
    assert getattr(Settings.from_env({}), attribute) != expected
    assert getattr(Settings.from_env({variable: text}), attribute) == expected


def test_one_publisher_can_be_asked_elsewhere():
    settings = Settings.from_env({"LIQUIDITY_URL_YAHOO": "http://mirror.test/root/"})
    assert settings.stand_in_url("yahoo") == "http://mirror.test/root"
    assert settings.stand_in_url("fred") is None


def test_the_table_of_the_module_lists_exactly_the_variables_that_are_read():
    assert module.__doc__ is not None
    listed = set(re.findall(r"^\| (LIQUIDITY_\w+)", module.__doc__, re.MULTILINE))
    assert listed - {"LIQUIDITY_URL_"} == {
        *EFFECTS,
        *ALERT_EFFECTS,
        *CATALOGUE_EFFECTS,
    }


@pytest.mark.parametrize("variable", CATALOGUE_EFFECTS)
def test_every_variable_of_the_catalogue_has_an_effect(variable: str):
    text, attribute, expected = CATALOGUE_EFFECTS[variable]
    assert CatalogueSettings.from_env({}) is None
    base = {"LIQUIDITY_CATALOGUE": "/other.sqlite"}
    assert getattr(CatalogueSettings.from_env(base), attribute) != expected
    assert getattr(CatalogueSettings.from_env({**base, variable: text}), attribute) == expected


@pytest.mark.parametrize("text", ["/folder", "s3://", "s3://key:hunter2@bucket/p", "https://h/b"])
def test_a_lake_that_cannot_be_is_refused_without_its_secret(text: str):
    with pytest.raises(SettingsError, match="LIQUIDITY_LAKE") as refused:
        Settings.from_env({"LIQUIDITY_LAKE": text})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("variable", ALERT_EFFECTS)
def test_every_variable_of_alerts_has_an_effect(variable: str):
    text, attribute, expected = ALERT_EFFECTS[variable]
    assert getattr(AlertSettings.from_env({}), attribute) != expected
    assert getattr(AlertSettings.from_env({variable: text}), attribute) == expected


def test_a_variable_set_to_nothing_counts_as_not_set():
    names = [*EFFECTS, "LIQUIDITY_URL_YAHOO"]
    assert Settings.from_env(dict.fromkeys(names, "")) == Settings.from_env({})


def test_live_services_are_the_default():
    settings = Settings.from_env({})
    assert settings.endpoints == "live"
    assert settings.data_dir == Path("data").absolute()
    assert settings.stand_in_url("nyfed") is None


def test_the_sandbox_has_a_data_directory_of_its_own():
    settings = Settings.from_env({"LIQUIDITY_ENDPOINTS": "sandbox"})
    assert settings.data_dir == Path("data/sandbox").absolute()


@pytest.mark.parametrize("root", [STAND_IN, f"{STAND_IN}/"])
def test_one_root_moves_all_publishers(root: str):
    settings = Settings.from_env({"LIQUIDITY_ENDPOINTS": root})
    assert settings.stand_in_url("nyfed") == f"{STAND_IN}/nyfed"


def test_a_sandbox_that_does_not_run_says_how_to_start_it(tmp_path: Path):
    settings = Settings(tmp_path, endpoints="sandbox")
    with pytest.raises(SettingsError, match="liquidity sandbox"):
        settings.stand_in_url("fred")
    running = replace(settings, sandbox_url=STAND_IN)
    assert running.stand_in_url("fred") == f"{STAND_IN}/fred"


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        ("LIQUIDITY_ENDPOINTS", "replay", "neither 'live' nor 'sandbox' nor a URL"),
        ("LIQUIDITY_ENDPOINTS", "127.0.0.1:8765", "neither 'live' nor 'sandbox' nor a URL"),
        ("LIQUIDITY_ENDPOINTS", "http://", "neither 'live' nor 'sandbox' nor a URL"),
        ("LIQUIDITY_URL_YAHOO", "query2.finance.yahoo.com", "not a URL"),
        ("LIQUIDITY_SANDBOX_URL", "8765", "not a URL"),
        ("LIQUIDITY_LOG_FORMAT", "xml", "neither .text. nor .json."),
        ("LIQUIDITY_ENGINE", "Spark", "neither .duckdb. nor .spark."),
        ("LIQUIDITY_SPARK_MASTER", "head:7077", "is no address of Spark"),
        ("LIQUIDITY_SPARK_MASTER", "spark://", "is no address of Spark"),
        ("LIQUIDITY_AS_OF", "6 February 2026", "expected YYYY-MM-DD"),
        ("LIQUIDITY_AS_OF", "2026-02-30", "expected YYYY-MM-DD"),
        ("LIQUIDITY_DATA_DIR", "/data/ws%2Fmain", "contains '%2F', with which the databases"),
        ("LIQUIDITY_DATA_DIR", "/data/what?", r"contains '\?', with which"),
        ("LIQUIDITY_DATA_DIR", "/data/two\nlines", r"contains '\\n', with which"),
        ("LIQUIDITY_HTTP_TIMEOUT", "soon", "not a number"),
        ("LIQUIDITY_HTTP_TIMEOUT", "0", "from 0.1 upwards"),
        ("LIQUIDITY_HTTP_RETRIES", "-1", "whole number from 0 upwards"),
        ("LIQUIDITY_HTTP_RETRIES", "2.5", "whole number from 0 upwards"),
        ("LIQUIDITY_HTTP_BACKOFF", "nan", "number from 0 upwards"),
        ("LIQUIDITY_HTTP_INTERVAL", "often", "not a number"),
    ],
)
def test_a_wrong_value_names_its_variable_and_itself(variable: str, text: str, problem: str):
    with pytest.raises(SettingsError, match=problem) as error:
        Settings.from_env({variable: text})
    assert str(error.value).startswith(f"{variable}: '{text}'")


def test_as_of_stands_at_the_last_second_of_the_new_york_day(tmp_path: Path):
    # New York is five hours behind UTC in winter and four in summer.
    winter = Settings(tmp_path, as_of=date(2026, 2, 6))
    assert winter.now == datetime(2026, 2, 7, 4, 59, 59, tzinfo=UTC)
    assert winter.today == date(2026, 2, 6)
    summer = Settings(tmp_path, as_of=date(2025, 7, 1))
    assert summer.now == datetime(2025, 7, 2, 3, 59, 59, tzinfo=UTC)


def test_as_of_cannot_reach_into_the_future(tmp_path: Path):
    assert Settings(tmp_path, as_of=date(2999, 1, 1)).now <= datetime.now(UTC)


def test_a_data_directory_belongs_to_one_origin_for_ever(tmp_path: Path):
    live = Settings(tmp_path / "new" / "data")
    live.claim_data_dir()
    live.claim_data_dir()
    for other in ("sandbox", STAND_IN):
        with pytest.raises(SettingsError, match=f"from 'live'.*'{other}'.*--data-dir"):
            replace(live, endpoints=other).claim_data_dir()
    assert (live.data_dir / "endpoints.json").read_text() == '{"endpoints": "live"}\n'


def test_a_first_run_on_a_full_disk_leaves_no_mark(tmp_path: Path):
    """A mark without its content could not be told from a damaged one, and would need a person."""
    program = (
        "import resource, sys; from pathlib import Path\n"
        "from liquidity_pipeline.settings import Settings\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5, 5))\n"
        "Settings(Path(sys.argv[1])).claim_data_dir()"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "OSError" in ended.stderr
    assert list(tmp_path.iterdir()) == []
    Settings(tmp_path).claim_data_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["endpoints.json"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"endpoints": '])
def test_a_damaged_mark_is_named_and_not_overwritten(tmp_path: Path, content: str):
    mark = tmp_path / "endpoints.json"
    mark.write_text(content)
    with pytest.raises(SettingsError, match=re.escape(str(mark))):
        Settings(tmp_path).claim_data_dir()
    assert mark.read_text() == content
