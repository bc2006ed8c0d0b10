"""Every setting, its environment variable and its default. Nothing else reads the environment.

| variable                  | meaning (default)                                               |
| ------------------------- | --------------------------------------------------------------- |
| LIQUIDITY_DATA_DIR        | archive, lake, marts and the DuckDB file (data)                 |
| LIQUIDITY_ENDPOINTS       | `live`, `sandbox`, or the root URL of a stand-in (live)         |
| LIQUIDITY_REFERENCE_DIR   | policy facts and universe of symbols (data/reference)           |
| LIQUIDITY_AS_OF           | use only what was public at the end of this day (now)           |
| LIQUIDITY_HTTP_TIMEOUT    | seconds to wait for an answer (30)                              |
| LIQUIDITY_HTTP_RETRIES    | further attempts after a transient failure (4)                  |
| LIQUIDITY_HTTP_BACKOFF    | seconds; retries wait 0, then 2, 4, 8 … times as long (1)       |
| LIQUIDITY_HTTP_INTERVAL   | least seconds between requests to one publisher (per publisher) |
| LIQUIDITY_URL_<PUBLISHER> | base URL of one publisher, e.g. LIQUIDITY_URL_YAHOO (live URL)  |
| LIQUIDITY_SANDBOX_URL     | root URL of a sandbox that is already running (none)            |
| LIQUIDITY_LAKE            | s3://bucket/prefix of a shared lake and archive (data directory) |
| LIQUIDITY_LOG_FORMAT      | lines of logs/liquidity.log: `text`, or `json` objects (text)   |
| LIQUIDITY_ENGINE          | what computes large marts: `duckdb` or `spark` (duckdb)         |
| LIQUIDITY_SPARK_MASTER    | Spark's master URL, or `sc://…` of Spark Connect (local[*])     |

Alerts (`liquidity alerts`):

| variable                       | meaning (default)                                              |
| ------------------------------ | -------------------------------------------------------------- |
| LIQUIDITY_ALERT_URLS           | channels as Apprise URLs, separated by spaces; secret (none)   |
| LIQUIDITY_ALERT_LINK           | address of the brief, added to each message (none)             |
| LIQUIDITY_ALERT_SILENT_HOURS   | hours without a publication (30)                               |
| LIQUIDITY_ALERT_DRAIN_SD       | standard deviations of a drain's surprise (3)                  |
| LIQUIDITY_ALERT_SETTLEMENT_BN  | USD bn by which a coming settlement day changes (25)           |

A shared catalogue (`liquidity catalogue`, docs/shared-lake.md):

| variable                | meaning (default)                                                    |
| ----------------------- | -------------------------------------------------------------------- |
| LIQUIDITY_CATALOGUE     | SQLite file, or postgresql://user:password@host/database; secret     |
|                         | (none)                                                               |
| LIQUIDITY_CATALOGUE_DATA| folder or s3://bucket/prefix of its Parquet files, for a new         |
|                         | catalogue (<catalogue>.data)                                         |
| LIQUIDITY_CATALOGUE_TIMEOUT | seconds that a registration may take (600)                       |

A variable that is set to nothing counts as not set. Object stores take their credentials from
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and AWS_ENDPOINT_URL.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from liquidity_pipeline.settings import values
from liquidity_pipeline.settings.values import (
    DUCKDB,
    LIVE,
    SANDBOX,
    SPARK,
    SettingsError,
    parse_day,
)

__all__ = [
    "COPY_NOTES",
    "DUCKDB",
    "FIRST_MONTH",
    "LIVE",
    "LOCAL_SPARK",
    "NEW_YORK",
    "SANDBOX",
    "SPARK",
    "AlertSettings",
    "CatalogueSettings",
    "Settings",
    "SettingsError",
    "default_data_dir",
    "default_reference_dir",
    "parse_day",
]

# Our matrices are thin: threads of linear algebra would mostly wait for each other, in loops that
# take twice the CPU. The variable counts only if it is set before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

NEW_YORK = ZoneInfo("America/New_York")
LOCAL_SPARK = "local[*]"

# The first month in which the Daily Treasury Statement exists in its electronic form.
FIRST_MONTH = date(2005, 10, 1)

# The folder in a lake that says which files are copies of which objects of a store.
COPY_NOTES = ".copied"
_PUBLISHER_URL = "LIQUIDITY_URL_"
_POSTGRES = ("postgresql://", "postgres://")


@dataclass(frozen=True)
class Settings:
    """What a run needs to know about its surroundings."""

    data_dir: Path
    endpoints: str = LIVE
    reference_dir: Path = field(default_factory=lambda: default_reference_dir())  # noqa: PLW0108 - defined below
    as_of: date | None = None
    http_timeout: float = 30.0
    http_retries: int = 4
    http_backoff: float = 1.0
    http_interval: float | None = None
    publisher_urls: Mapping[str, str] = field(default_factory=dict)
    sandbox_url: str | None = None
    log_format: str = "text"
    lake_url: str | None = None
    engine: str = DUCKDB
    spark_master: str = LOCAL_SPARK

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read every variable of the table above; raise SettingsError for one that is malformed."""
        env = {name: text for name, text in (os.environ if env is None else env).items() if text}
        endpoints = values.endpoints(env.get("LIQUIDITY_ENDPOINTS", LIVE))
        default_dir = default_data_dir(endpoints)
        as_of, sandbox_url = env.get("LIQUIDITY_AS_OF"), env.get("LIQUIDITY_SANDBOX_URL")
        return cls(
            data_dir=values.data_dir(env.get("LIQUIDITY_DATA_DIR", default_dir)),
            endpoints=endpoints,
            reference_dir=Path(
                env.get("LIQUIDITY_REFERENCE_DIR", default_reference_dir())
            ).absolute(),
            as_of=parse_day(as_of, "LIQUIDITY_AS_OF") if as_of else None,
            http_timeout=values.number(env, "LIQUIDITY_HTTP_TIMEOUT", 30.0, least=0.1),
            http_retries=int(values.number(env, "LIQUIDITY_HTTP_RETRIES", 4, whole=True)),
            http_backoff=values.number(env, "LIQUIDITY_HTTP_BACKOFF", 1.0),
            http_interval=values.number(env, "LIQUIDITY_HTTP_INTERVAL", 0.0)
            if "LIQUIDITY_HTTP_INTERVAL" in env
            else None,
            publisher_urls={
                variable.removeprefix(_PUBLISHER_URL).lower(): values.url(text, variable)
                for variable, text in env.items()
                if variable.startswith(_PUBLISHER_URL)
            },
            sandbox_url=values.url(sandbox_url, "LIQUIDITY_SANDBOX_URL") if sandbox_url else None,
            log_format=values.log_format(env.get("LIQUIDITY_LOG_FORMAT", "text")),
            lake_url=values.lake_url(env["LIQUIDITY_LAKE"]) if "LIQUIDITY_LAKE" in env else None,
            engine=values.engine(env.get("LIQUIDITY_ENGINE", DUCKDB)),
            spark_master=values.spark_master(env.get("LIQUIDITY_SPARK_MASTER", LOCAL_SPARK)),
        )

    def stand_in_url(self, publisher: str) -> str | None:
        """Return where something else answers for the publisher, or None to ask itself."""
        if publisher in self.publisher_urls:
            return self.publisher_urls[publisher]
        root = self.sandbox_url if self.endpoints == SANDBOX else self.endpoints
        if root is None:
            raise SettingsError(
                "The sandbox is not running: start it with `liquidity sandbox`, "
                "or use `liquidity run --sandbox`, which starts its own."
            )
        return None if root == LIVE else f"{root}/{publisher}"

    @property
    def now(self) -> datetime:
        """The moment after which nothing is known: this second, or the end of the as-of day."""
        current = datetime.now(UTC)
        if self.as_of is None:
            return current
        midnight = datetime.combine(self.as_of + timedelta(days=1), time(), NEW_YORK)
        return min(current, midnight.astimezone(UTC) - timedelta(seconds=1))

    @property
    def today(self) -> date:
        """The New York day of `now`."""
        return self.now.astimezone(NEW_YORK).date()

    @property
    def archive_dir(self) -> Path:
        """Raw bytes of everything that was ever read."""
        return self.data_dir / "archive"

    @property
    def lake_dir(self) -> Path:
        """Partitioned Parquet, one folder per source table."""
        return self.data_dir / "lake"

    @property
    def marts_dir(self) -> Path:
        """One Parquet file per mart."""
        return self.data_dir / "marts"

    @property
    def published_file(self) -> Path:
        """The DuckDB file that readers open."""
        return self.data_dir / "liquidity.duckdb"

    @property
    def briefs_dir(self) -> Path:
        """Where the briefs of all days are kept."""
        return self.data_dir / "briefs"

    @property
    def scratch_dir(self) -> Path:
        """What is being made, and nothing else: see `storage.files.unfinished`."""
        return self.data_dir / ".build"

    def claim_data_dir(self) -> None:
        """Bind the data directory to these endpoints permanently, or refuse one bound to others.

        A copy of a lake in an object store is refused without that store.

        Synthetic and real rows must never meet, so the first run leaves a mark.
        """
        mark = self.data_dir / "endpoints.json"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if not mark.exists():
            _mark(mark, self.endpoints)
        notes = self.lake_dir / COPY_NOTES
        if self.lake_url is None and notes.exists():
            raise SettingsError(
                f"{self.lake_dir} is the copy of a lake in an object store, and LIQUIDITY_LAKE "
                f"does not name that: what this run wrote would never reach it. Set "
                f"LIQUIDITY_LAKE, or delete {notes} to part with the store for good."
            )
        owner = _owner(mark)
        if owner != self.endpoints:
            raise SettingsError(
                f"{self.data_dir} holds data from '{owner}', and this run asks "
                f"'{self.endpoints}'. Rows of different origin never share a directory: "
                f"name another one with --data-dir."
            )


@dataclass(frozen=True)
class AlertSettings:
    """Where alerts go and from which thresholds on. `urls` are secrets and are never shown."""

    urls: tuple[str, ...] = field(default=(), repr=False)
    link: str | None = None
    silent_hours: float = 30.0
    drain_sd: float = 3.0
    settlement_usd_bn: float = 25.0

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> AlertSettings:
        """Read every variable of the table above; raise SettingsError for one that is malformed."""
        env = {name: text for name, text in (os.environ if env is None else env).items() if text}
        return cls(
            urls=tuple(env.get("LIQUIDITY_ALERT_URLS", "").split()),
            link=env.get("LIQUIDITY_ALERT_LINK"),
            silent_hours=values.number(env, "LIQUIDITY_ALERT_SILENT_HOURS", 30.0),
            drain_sd=values.number(env, "LIQUIDITY_ALERT_DRAIN_SD", 3.0),
            settlement_usd_bn=values.number(env, "LIQUIDITY_ALERT_SETTLEMENT_BN", 25.0),
        )


@dataclass(frozen=True)
class CatalogueSettings:
    """Where the shared catalogue is; with a password in it, `location` is secret."""

    location: str = field(repr=False)
    data: str | None = None
    s3_secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 600.0

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> CatalogueSettings | None:
        """Return the catalogue's settings, or None where no catalogue is named."""
        env = {name: text for name, text in (os.environ if env is None else env).items() if text}
        location = env.get("LIQUIDITY_CATALOGUE")
        if location is None:
            return None
        if "://" in location and not location.startswith(_POSTGRES):
            raise SettingsError(
                "LIQUIDITY_CATALOGUE is neither the path of a SQLite file nor a URL such as "
                "postgresql://user:password@host/database."
            )
        data = env.get("LIQUIDITY_CATALOGUE_DATA")
        if location.startswith(_POSTGRES):
            if data is None:
                raise SettingsError(
                    "LIQUIDITY_CATALOGUE_DATA must name the folder or s3://bucket/prefix of the "
                    "Parquet files of a catalogue in PostgreSQL."
                )
        else:
            location = str(values.data_dir(location, "LIQUIDITY_CATALOGUE"))
        timeout = values.number(env, "LIQUIDITY_CATALOGUE_TIMEOUT", 600.0, least=1)
        return cls(location, data, _s3_secret(env), timeout)

    @property
    def is_postgres(self) -> bool:
        """Tell whether the catalogue is in PostgreSQL, or else in SQLite."""
        return self.location.startswith(_POSTGRES)

    @property
    def on_object_store(self) -> bool:
        """Tell whether the Parquet files are in an object store."""
        return self.data_path.startswith("s3://")

    @property
    def metadata(self) -> str:
        """The catalogue's database as DuckLake names it; secret."""
        return f"{'postgres' if self.is_postgres else 'sqlite'}:{self.location}"

    @property
    def data_path(self) -> str:
        """The folder of the Parquet files of a new catalogue."""
        if self.data is None:
            return f"{self.location}.data"
        return self.data if "://" in self.data else str(Path(self.data).absolute())

    @property
    def shown(self) -> str:
        """The catalogue's address without its user and password."""
        if not self.is_postgres:
            return self.location
        parts = urlsplit(self.location)
        port = f":{parts.port}" if parts.port else ""
        return f"postgresql://{parts.hostname or ''}{port}{parts.path}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may contain, longest first."""
        keys = ("secret_access_key", "session_token", "access_key_id")
        found = [self.s3_secret.get(key, "") for key in keys]
        if self.is_postgres:
            found += [self.location, urlsplit(self.location).password or ""]
        return tuple(sorted(filter(None, found), key=len, reverse=True))


def _s3_secret(env: Mapping[str, str]) -> dict[str, str]:
    """Return DuckDB's settings of an object store from the usual variables."""
    named = {
        "access_key_id": env.get("AWS_ACCESS_KEY_ID"),
        "secret_access_key": env.get("AWS_SECRET_ACCESS_KEY"),
        "session_token": env.get("AWS_SESSION_TOKEN"),
        "region": env.get("AWS_REGION", env.get("AWS_DEFAULT_REGION")),
    }
    if endpoint := env.get("AWS_ENDPOINT_URL"):
        parts = urlsplit(endpoint)
        named |= {"endpoint": parts.netloc, "url_style": "path"}
        named["use_ssl"] = "true" if parts.scheme == "https" else "false"
    return {name: text for name, text in named.items() if text}


def default_reference_dir() -> Path:
    """Return the reference facts inside an installed wheel, or the checkout's own."""
    package = Path(__file__).parents[1]
    installed = package / "reference"
    return installed if installed.is_dir() else package.parent / "data" / "reference"


def default_data_dir(endpoints: str) -> str:
    """Return a directory of its own for each origin."""
    if endpoints == LIVE:
        return "data"
    stand_in = "sandbox" if endpoints == SANDBOX else urlsplit(endpoints).netloc.replace(":", "-")
    return f"data/{stand_in}"


def _mark(path: Path, endpoints: str) -> None:
    """Write whose data these are, whole or not at all; an earlier mark stays.

    Of two first runs at the same moment, one finds the other's mark; on a file system without hard
    links, the later mark stays.
    """
    whole = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        whole.write_text(json.dumps({"endpoints": endpoints}) + "\n", encoding="utf-8")
        try:
            os.link(whole, path)
        except FileExistsError:
            pass
        except OSError:
            whole.replace(path)
    finally:
        whole.unlink(missing_ok=True)


def _owner(mark: Path) -> str:
    try:
        return str(json.loads(mark.read_text(encoding="utf-8"))["endpoints"])
    except (KeyError, TypeError, ValueError):
        raise SettingsError(
            f"{mark} is damaged, so it is not known whose data these are. It should say "
            f'{{"endpoints": "live"}}, or another value of LIQUIDITY_ENDPOINTS.'
        ) from None
