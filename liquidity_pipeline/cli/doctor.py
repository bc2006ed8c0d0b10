"""Check the installation and the publishers; each finding says what to do about it."""

from __future__ import annotations

import importlib.metadata
import os
import queue
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from liquidity_pipeline.settings import LIVE, CatalogueSettings, Settings
from liquidity_pipeline.sources.answers import refusal
from liquidity_pipeline.sources.http import HttpClient
from liquidity_pipeline.sources.publishers import PUBLISHERS, Publisher

_PACKAGES = ("dagster", "duckdb", "pandas", "pyarrow", "pandera", "requests", "sqlglot")
# A publication is built beside the old one; the lake grows by less than this in a month.
_LEAST_FREE = 200_000_000
# How long a publisher may take.
_SECONDS = 6
# How long the shared catalogue may take, with the start of the process that asks it.
_CATALOGUE_SECONDS = 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    good: bool
    detail: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield each finding when it is made; nothing is changed.

    Publishers are asked first and all at once, because they may let us wait.
    """
    asked = _ask_publishers(settings)
    yield from _surroundings()
    yield from _files(settings)
    yield from _reference(settings)
    yield from _answers(asked, settings)


def _surroundings() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), f"{version} (3.11 or later is needed)")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    yield Finding("packages", True, versions)


def _files(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    writable = os.access(parent, os.W_OK)
    yield Finding("data directory", writable, f"{folder}{'' if writable else ' is not writable'}")
    free = shutil.disk_usage(parent).free
    yield Finding("free space", free >= _LEAST_FREE, f"{free / 1e6:,.0f} MB (200 are needed)")
    yield _try("origin of the data", lambda: _origin(settings))
    if settings.lake_url is not None:
        yield _try("lake in the object store", lambda: _store(settings))
    catalogue = CatalogueSettings.from_env()
    if catalogue is not None:
        yield _try("shared catalogue", lambda: _catalogue(catalogue))
    published = settings.published_file
    log = published.with_name(published.name + ".wal")
    if log.exists():
        yield Finding("published file", False, f"{log} must go: some program opened it for writing")
    elif published.exists():
        yield _try("published file", lambda: _publication(settings))
    else:
        yield Finding("published file", True, "none yet: `liquidity run` makes it")


def _origin(settings: Settings) -> str:
    mark = settings.data_dir / "endpoints.json"
    if not mark.exists():
        return f"new directory, for '{settings.endpoints}'"
    settings.claim_data_dir()
    return f"'{settings.endpoints}', as this command asks"


def _store(settings: Settings) -> str:
    """Ask the store of the lake whose data it holds; whether it may be written is not tried."""
    from liquidity_pipeline.storage.object_store import ObjectStore

    url = str(settings.lake_url)
    store = ObjectStore(url, settings.endpoints, min(settings.http_timeout, _SECONDS))
    owner = store.owner()
    if owner is None:
        return f"{url} answers and is empty: the first run binds it to '{settings.endpoints}'"
    store.refuse_other(owner)
    return f"{url} answers and holds data from '{owner}', as this command asks"


def _catalogue(settings: CatalogueSettings) -> str:
    from liquidity_pipeline.storage.shared_catalogue import snapshots

    if not settings.is_postgres and not Path(settings.location).exists():
        return f"none in {settings.shown} yet: the next publication creates it"
    found = snapshots(replace(settings, timeout=min(settings.timeout, _CATALOGUE_SECONDS)))
    return f"{settings.shown} answers and has {len(found)} publications"


def _publication(settings: Settings) -> str:
    from liquidity_pipeline.storage.warehouse import reading

    with reading(settings.published_file) as published:
        ((as_of, built_at, version),) = published.execute(
            "select as_of, built_at, duckdb_version from meta.publication"
        ).fetchall()
    return f"as of {as_of}, built {built_at:%Y-%m-%d %H:%M} UTC with DuckDB {version}"


def _reference(settings: Settings) -> Iterator[Finding]:
    from liquidity_pipeline.sources.reference import read_policy_events
    from liquidity_pipeline.universe import Universe

    def events() -> str:
        return f"{read_policy_events(settings.reference_dir).num_rows} facts"

    def symbols() -> str:
        universe = Universe.load(settings.reference_dir)
        return f"{len(universe.index)} indices and funds, {len(universe.crypto)} coins"

    yield _try("reference facts", events)
    yield _try("universe", symbols)


def _ask_publishers(settings: Settings) -> queue.Queue[Finding]:
    """Ask every publisher once, each in a thread of its own, which ends with this process."""
    once = replace(settings, http_retries=0, http_timeout=min(settings.http_timeout, _SECONDS))
    answers: queue.Queue[Finding] = queue.Queue()

    def ask(publisher: Publisher) -> str:
        probe = publisher.probe
        client = HttpClient(once)
        answer = client.get(publisher.name, probe.path, probe.params, form=probe.form)
        if (error := refusal(answer)) is not None:
            raise error
        return f"answers ({len(answer.body):,} bytes)"

    def find(publisher: Publisher) -> None:
        answers.put(_try(publisher.title, partial(ask, publisher)))

    for publisher in PUBLISHERS.values():
        threading.Thread(target=find, args=(publisher,), daemon=True).start()
    return answers


def _answers(answers: queue.Queue[Finding], settings: Settings) -> Iterator[Finding]:
    """Yield the publishers' good answers as they come, then what failed, each cause once."""
    silent = {publisher.title for publisher in PUBLISHERS.values()}
    end = time.monotonic() + _SECONDS + 1
    failed: dict[str, list[Finding]] = {}
    while silent:
        try:
            found = answers.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        silent.discard(found.what)
        if found.good:
            yield found
        else:
            failed.setdefault(_cause(found), []).append(found)
    for title in sorted(silent):
        failed.setdefault(_SILENT, []).append(Finding(title, False, _SILENT))
    for cause, findings in failed.items():
        yield from _alike(cause, findings, settings)


_SILENT = f"no answer within {_SECONDS} seconds"
_UNREACHED = "no connection"
# What a request says of itself, and the cause that it tells of.
_ALIKE = {"no connection": _UNREACHED, "no answer in time": _SILENT}


def _cause(found: Finding) -> str:
    """Return what several publishers may fail for alike; else the whole finding."""
    alike = (cause for text, cause in _ALIKE.items() if text in found.detail)
    return next(alike, found.detail)


def _alike(cause: str, findings: list[Finding], settings: Settings) -> Iterator[Finding]:
    """Say once what several publishers failed for, and what to do about it."""
    if len(findings) == 1:
        yield from findings
        return
    titles = ", ".join(sorted(found.what for found in findings))
    everybody = len(findings) == len(PUBLISHERS)
    what = f"all {len(findings)} publishers" if everybody else titles
    if cause not in (_UNREACHED, _SILENT):
        detail = cause
    elif everybody and settings.endpoints != LIVE:
        detail = f"{cause}: {settings.endpoints} stands in for them; start it first"
    elif everybody:
        detail = f"{cause}: does this machine reach the network, and is HTTPS_PROXY right?"
    else:
        detail = f"{cause}: ask again later; a firewall may also be in the way"
    yield Finding(what, False, detail)


def _try(what: str, look: Callable[[], str]) -> Finding:
    import duckdb

    from liquidity_pipeline.sources.errors import PublisherError
    from liquidity_pipeline.storage.ducklake_copy import CatalogueError
    from liquidity_pipeline.storage.object_store import StoreError

    expected = (PublisherError, StoreError, CatalogueError, duckdb.Error, OSError, ValueError)
    try:
        return Finding(what, True, look())
    except expected as error:
        return Finding(what, False, str(error))
