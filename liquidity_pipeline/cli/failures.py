"""How a command ends when something failed: one line, an exit code, and the traceback in a log."""

from __future__ import annotations

import errno
import json
import logging
import sqlite3
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

_LOG = logging.getLogger("liquidity_pipeline")
_LOG_BYTES, _LOG_FILES = 1_000_000, 5


def log_file(data_dir: Path) -> Path:
    """Return where the commands on a data directory log."""
    return data_dir / "logs" / "liquidity.log"


def start_log(data_dir: Path, log_format: str = "text", *, debug: bool) -> None:
    """Log to the data directory, rotated, and with `debug` to the error stream as well.

    `log_format` is text, or json for one object per line. A log that cannot be written stops
    nothing.
    """
    lines = "%(asctime)s %(process)d %(levelname)s %(message)s"
    formatter = _JsonLines() if log_format == "json" else logging.Formatter(lines)
    for handler in _LOG.handlers[:]:
        _LOG.removeHandler(handler)
        handler.close()
    logging.raiseExceptions = False
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False
    handlers: list[logging.Handler] = [_LogFile(log_file(data_dir))]
    for handler in [*handlers, logging.StreamHandler()] if debug else handlers:
        handler.setFormatter(formatter)
        _LOG.addHandler(handler)


class _LogFile(RotatingFileHandler):
    """Creates its folder with the first line, and only inside a data directory that exists."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8", delay=True
        )

    def emit(self, record: logging.LogRecord) -> None:
        folder = Path(self.baseFilename).parent
        if not folder.parent.exists():
            return
        try:
            folder.mkdir(exist_ok=True)
            super().emit(record)
        except OSError:
            self.handleError(record)


class _JsonLines(logging.Formatter):
    """One JSON object per line: moment in UTC, level, process, logger, message, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "process": record.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def record(error: BaseException) -> None:
    """Write the traceback of an error into the log, where the command has one.

    A command that works on no data directory has none, and Python would print the traceback.
    """
    if _LOG.handlers:
        _LOG.error("%s", explain(error), exc_info=error)


def explain(error: BaseException, data_dir: Path | None = None) -> str:
    """Return one line that says what failed, and what to do where that is known."""
    root = _database_error(error)
    if root is not None:
        return _explain_records(root, data_dir)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" ({error.filename})" if error.filename else ""
        return f"the disk is full{where}: free some space and run again; nothing stored is lost"
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return f"{error.filename or 'the data directory'} is on a file system that is read-only"
    if isinstance(error, RecursionError | MemoryError):
        return f"{type(error).__name__}: {_one_line(error) or 'out of memory'}"
    own = type(error).__module__.startswith(("liquidity_pipeline", "duckdb", "_duckdb"))
    if own or type(error) in (OSError, ValueError):
        return _one_line(error)
    return f"{type(error).__name__}: {_one_line(error)}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _database_error(error: BaseException | None) -> sqlite3.Error | None:
    """Return the SQLite error from which an error was raised; SQLAlchemy wraps it."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, sqlite3.Error):
            return error
        original = getattr(error, "orig", None)
        error = original if isinstance(original, BaseException) else _raised_from(error)
        seen += 1
    return None


def _raised_from(error: BaseException) -> BaseException | None:
    return error.__cause__ or error.__context__


def _explain_records(error: sqlite3.Error, data_dir: Path | None) -> str:
    folder = data_dir / "dagster_home" if data_dir else "dagster_home"
    text = _one_line(error)
    if "full" in text or "disk I/O" in text:
        remedy = "the disk is full or failing: free some space and run again"
    elif "unable to open" in text or "readonly" in text:
        remedy = "the folder must be one that this user can write to"
    elif "locked" in text:
        remedy = "another program holds them: run again when it has ended"
    else:
        remedy = (
            "a file there is damaged: move the folder away and run again; "
            "only the history of runs is lost"
        )
    return f"Dagster's records in {folder} cannot be used ({text}): {remedy}"
