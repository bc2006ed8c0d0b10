"""Every byte that was ever read: bodies once by SHA-256, and a record of each fetch.

    archive/blobs/ab/abcd….gz            the body, compressed
    archive/fetches/<source>/<time>-<id>.json   what was asked, when, and what came (UTC)
    archive/.notes/<source>.json         what these say in sum, derived: see `fetch_notes`

A record and its bodies are enough to run a source again without a network, and give the same rows.
"""

from __future__ import annotations

import gzip
import hashlib
import uuid
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from liquidity_pipeline.sources.answers import Answer, KeptBody
from liquidity_pipeline.sources.errors import NotRecordedError, ReplayError, TransientError
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.publishers import Form, Params
from liquidity_pipeline.storage import fetch_notes
from liquidity_pipeline.storage.fetch_notes import Asked, FetchNote, Noted
from liquidity_pipeline.storage.fetch_record import FetchRecord, request_key
from liquidity_pipeline.storage.files import Mark, mark_of, names_in, replacing
from liquidity_pipeline.universe import Universe

# How the moment of a fetch is written in the name of its record.
_KEPT_AT = "%Y%m%dT%H%M%S%f"
# From as many records on that are not noted it pays to note them.
_MANY = 8
_NOTHING: Mapping[str, Any] = {}


class Archive:
    """The archive under one data directory.

    What a fetch was answered is kept, and the fetch can be run again without a network:

    >>> fetch = Fetch(window, now, universe, client)
    >>> rows = SOURCES["tga_balance"].collect(fetch)
    >>> archive = Archive(folder)
    >>> record = archive.keep("tga_balance", fetch, error=None)
    >>> again = SOURCES["tga_balance"].collect(archive.replay(record))
    >>> again == rows
    True
    """

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._fetches = root / "fetches"
        self._notes = root / ".notes"
        self._scratch = root / ".unfinished"
        self._asked: dict[str, Noted] = {}
        self._read: dict[Path, tuple[Mark, FetchRecord]] = {}

    def keep(
        self,
        source: str,
        fetch: Fetch,
        error: str | None,
        *,
        present: Mapping[str, Mapping[str, str]] = _NOTHING,
        doubtful: Mapping[str, Sequence[str]] = _NOTHING,
    ) -> FetchRecord:
        """Store what a fetch was given, whether or not it could be understood.

        `present` and `doubtful` say what came; see FetchRecord.
        """
        answers = self._keep_answers(fetch)
        record = FetchRecord(
            source=source,
            window=fetch.window,
            now=fetch.now,
            kept_at=datetime.now(UTC).replace(tzinfo=None),
            universe=fetch.universe.to_dict(),
            answers=answers,
            gaps=sorted(fetch.gaps),
            error=error,
            splits=frozenset(fetch.splits),
            present=present,
            doubtful=doubtful,
        )
        name = f"{record.kept_at:{_KEPT_AT}}-{uuid.uuid4().hex[:8]}.json"
        with replacing(self._fetches / source / name, self._scratch) as path:
            path.write_text(record.to_json())
            self._share(self._fetches / source / name, path)
        return record

    def refresh(self, source: str | None = None) -> None:
        """Take over what other machines have archived; for an archive of this one, do nothing."""

    def _share(self, path: Path, unfinished: Path) -> None:
        """Store a finished file elsewhere before it gets its name."""

    def _keep_answers(self, fetch: Fetch) -> list[dict[str, Any]]:
        """Store the bodies of a fetch's answers; return what its record says of each answer."""
        kept = [answer.kept or self.keep_body(answer.body) for _, _, answer in fetch.answers]
        return [
            {
                "publisher": answer.publisher,
                "path": answer.path,
                "params": params,
                "form": form,
                "url": answer.url,
                "status": answer.status,
                "headers": dict(answer.headers),
                "failure": answer.failure,
                "unread": any(answer is unread for unread in fetch.unread),
                "useless": any(answer is useless for useless in fetch.useless),
                "fetched_at": answer.fetched_at.isoformat(),
                "sha256": body.sha256,
                "bytes": body.size,
            }
            for (form, params, answer), body in zip(fetch.answers, kept, strict=True)
        ]

    def records(self) -> Iterator[FetchRecord]:
        """Yield every record, oldest first."""
        return map(FetchRecord.load, self.record_files())

    def record_files(self, since: datetime | None = None) -> list[Path]:
        """Return the files of all records, or of those kept since a moment (naive UTC).

        The oldest comes first. Any of them may be damaged.
        """
        first = "" if since is None else f"{since:{_KEPT_AT}}"
        named = [
            (name, source)
            for source in names_in(self._fetches)
            for name in self._names(source)
            if name >= first
        ]
        return [self._fetches / source / name for name, source in sorted(named)]

    def of(self, source: str) -> list[FetchRecord]:
        """Return the records of a source, oldest first."""
        return [self._record(path) for path in self._files(source)]

    def good(self, source: str) -> list[FetchRecord]:
        """Return the records of a source without an error, oldest first."""
        return [record for record in self.of(source) if record.error is None]

    def last(self, source: str, *, successful: bool = False) -> FetchRecord | None:
        """Return the newest record of a source, or its newest without an error."""
        for name in reversed(self._names(source)):
            record = self._record(self._fetches / source / name)
            if not (successful and record.error):
                return record
        return None

    def asked(self, source: str, by: datetime | None = None) -> Asked:
        """Return what a source was asked, without the answers: see `fetch_notes`.

        For a moment (`by`, naive UTC) before the newest fetch every record counts, and is read.
        """
        asked = self._noted(source).asked
        return asked if by is None or asked.is_known_by(by) else Asked.of(self.of(source))

    def _noted(self, source: str) -> Noted:
        """Return the notes of all records of a source; only those that are not noted are read.

        They are written once some have come together, because each write waits for the disk.
        """
        names, path = self._names(source), self._notes / f"{source}.json"
        known = self._asked.get(source)
        if known is None or known.names != names[: len(known.names)]:
            known = fetch_notes.read(path, names)
        new = names[len(known.names) :]
        if new:
            records = (FetchRecord.load(self._fetches / source / name) for name in new)
            known = known.with_new(names, [FetchNote.of(record) for record in records])
        if len(new) >= _MANY:
            known = known.compacted()
            with suppress(OSError):  # it only spares the next run its reading
                fetch_notes.write(path, known, self._scratch)
        self._asked[source] = known
        return known

    def state(self) -> list[tuple[str, int, str]]:
        """Return what changes with every record: for each source their number and the newest."""
        names = {source: self._names(source) for source in names_in(self._fetches)}
        return [(source, len(found), found[-1]) for source, found in names.items() if found]

    def _names(self, source: str) -> list[str]:
        return [name for name in names_in(self._fetches / source) if name.endswith(".json")]

    def _files(self, source: str) -> list[Path]:
        return [self._fetches / source / name for name in self._names(source)]

    def _record(self, path: Path) -> FetchRecord:
        """Return a record, read once: in every run all of them are asked for several times."""
        mark, known = mark_of(path), self._read.get(path)
        if known is None or known[0] != mark:
            known = self._read[path] = mark, FetchRecord.load(path)
        return known[1]

    def body(self, sha256: str) -> bytes:
        """Return a body; raise ReplayError when it is gone or no longer what it was."""
        path = self._blob_path(sha256)
        try:
            body = gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            raise ReplayError(f"archive body {sha256} cannot be read at {path}: {error}") from error
        if hashlib.sha256(body).hexdigest() != sha256:
            raise ReplayError(f"archive body {path} has been altered: its SHA-256 differs.")
        return body

    def replay(self, record: FetchRecord) -> Fetch:
        """Return a fetch that is answered from the archive instead of the network."""
        return Fetch(
            window=record.window,
            now=record.now,
            universe=Universe.from_dict(record.universe, str(record.path)),
            transport=_Recorded(self, record),
        )

    def keep_body(self, body: bytes) -> KeptBody:
        """Store a body that is not stored yet."""
        sha256 = hashlib.sha256(body).hexdigest()
        path = self._blob_path(sha256)
        if not path.exists():
            with replacing(path, self._scratch) as unfinished:
                unfinished.write_bytes(gzip.compress(body, compresslevel=6, mtime=0))
                self._share(path, unfinished)
        return KeptBody(sha256, len(body))

    def _blob_path(self, sha256: str) -> Path:
        return self._blobs / sha256[:2] / f"{sha256}.gz"


class _Recorded:
    """A transport that gives recorded answers and failures, equal requests theirs in order."""

    def __init__(self, archive: Archive, record: FetchRecord) -> None:
        self._archive = archive
        self._waiting: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for answer in record.answers:
            self._waiting[
                request_key(answer["publisher"], answer["path"], answer["params"])
            ].append(answer)

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        waiting = self._waiting[request_key(publisher, path, dict(params or {}))]
        if not waiting:
            raise NotRecordedError(
                f"the archive has no {form} answer to {publisher} {path} {dict(params or {})}: "
                f"the source asks differently from when it was recorded; fetch it again."
            )
        kept = waiting.pop(0)
        if kept["failure"] is not None:
            raise TransientError(kept["failure"], publisher=publisher, url=kept["url"])
        return Answer(
            publisher=publisher,
            path=path,
            url=kept["url"],
            status=kept["status"],
            headers=kept["headers"],
            body=self._archive.body(kept["sha256"]),
            fetched_at=datetime.fromisoformat(kept["fetched_at"]),
        )
