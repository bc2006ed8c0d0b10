"""Every byte that was ever read: bodies once by SHA-256, and a record of each fetch.

    archive/blobs/ab/abcd….gz            the body, compressed
    archive/fetches/<source>/<time>-<id>.json   what was asked, when, and what came (UTC)

A record and its bodies are enough to run a source again without a network, and give the same rows.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import uuid
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from liquidity_pipeline.calendars import new_york_day
from liquidity_pipeline.sources.answers import Answer, KeptBody
from liquidity_pipeline.sources.errors import NotRecordedError, ReplayError, TransientError
from liquidity_pipeline.sources.fetch import Fetch, Split, Window
from liquidity_pipeline.sources.publishers import PUBLISHERS, Form, Params
from liquidity_pipeline.storage.files import Mark, mark_of, names_in, replacing
from liquidity_pipeline.universe import Universe

# A parameter that is a number or holds a day says which rows, or which page, are asked for.
_WHICH_ROWS = re.compile(r"^\d+$|\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class FetchRecord:
    """One fetch as the archive remembers it. Times are naive UTC.

    `now` is the moment of the fetch, which `--as-of` sets back; `kept_at` is when it
    really happened, and gives the order. `present` holds by table and month (YYYY-MM) a digest of
    the keys and the empty cells that came: two answers with the same digest agree on what there
    is. `doubtful` are by table the months with single empty cells among filled ones.
    """

    source: str
    window: Window
    now: datetime
    kept_at: datetime
    universe: dict[str, Any]
    answers: list[dict[str, Any]]
    gaps: list[str]
    error: str | None
    path: Path | None = field(default=None, compare=False)
    splits: frozenset[Split] = frozenset()
    present: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    doubtful: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The New York day of the fetch: the real one, or an earlier one as of it."""
        return new_york_day(min(self.now, self.kept_at))

    @property
    def is_as_of(self) -> bool:
        """Tell whether the fetch was made as of an earlier day."""
        return self.day < new_york_day(self.kept_at)

    @property
    def stands_for(self) -> datetime:
        """The moment whose state of the publishers the answers show.

        A stand-in answers as of `now`. A live service answers with what it has today, also to a
        fetch that is made as of an earlier day.
        """
        is_live = any(
            answer["url"].startswith(PUBLISHERS[answer["publisher"]].live_url)
            for answer in self.answers
            if answer["publisher"] in PUBLISHERS
        )
        return self.kept_at if is_live else min(self.now, self.kept_at)

    @property
    def missed(self) -> frozenset[str]:
        """What was asked for and did not come, whatever days it was asked for."""
        return frozenset(_part(answer) for answer in self.answers if not _came(answer))

    @property
    def failed(self) -> bool:
        """Tell whether a request got no answer, or one that says nothing: the next one may."""
        return any(
            answer["failure"] is not None or answer.get("useless", False) for answer in self.answers
        )

    @property
    def refused(self) -> bool:
        """Tell whether a publisher refused a request, which does not say that it lacks the answer.

        A client that asks too often, or from the wrong place, is refused.
        """
        return any(
            answer["failure"] is None
            and answer["publisher"] in PUBLISHERS
            and answer["status"] not in (HTTPStatus.OK, *PUBLISHERS[answer["publisher"]].not_there)
            for answer in self.answers
        )

    @property
    def unread(self) -> bool:
        """Tell whether an answer came that could not be understood, or not wholly."""
        return any(answer.get("unread") for answer in self.answers)

    @property
    def served(self) -> frozenset[str]:
        """What was asked for and came completely."""
        return frozenset(_part(answer) for answer in self.answers if _came(answer)) - self.missed

    def to_json(self) -> str:
        """Return the record as JSON text."""
        return json.dumps(
            {
                "source": self.source,
                "window": [self.window.start.isoformat(), self.window.end.isoformat()],
                "now": self.now.isoformat(),
                "kept_at": self.kept_at.isoformat(),
                "universe": self.universe,
                "answers": self.answers,
                "gaps": self.gaps,
                "error": self.error,
                "splits": [[*split[:2], f"{split[2]}", split[3]] for split in sorted(self.splits)],
                "present": self.present,
                "doubtful": self.doubtful,
            },
            indent=1,
        )

    @classmethod
    def load(cls, path: Path) -> FetchRecord:
        """Read a record; raise ValueError that names the file when it is damaged."""
        try:
            content = json.loads(path.read_text())
            start, end = (date.fromisoformat(day) for day in content["window"])
            return cls(
                source=content["source"],
                window=Window(start, end),
                now=datetime.fromisoformat(content["now"]),
                kept_at=datetime.fromisoformat(content["kept_at"]),
                universe=content["universe"],
                answers=content["answers"],
                gaps=content["gaps"],
                error=content["error"],
                path=path,
                splits=frozenset(
                    (publisher, symbol, date.fromisoformat(day), ratio)
                    for publisher, symbol, day, ratio in content.get("splits", [])
                ),
                present=content.get("present", {}),
                doubtful=content.get("doubtful", {}),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a fetch record ({error}).") from error


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
        self._scratch = root / ".unfinished"
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
        name = f"{record.kept_at:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}.json"
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

    def record_files(self) -> list[Path]:
        """Return the files of all records, oldest first; any of them may be damaged."""
        files = (path for source in names_in(self._fetches) for path in self._files(source))
        return sorted(files, key=lambda path: path.name)

    def of(self, source: str) -> list[FetchRecord]:
        """Return the records of a source, oldest first."""
        return [self._record(path) for path in self._files(source)]

    def good(self, source: str) -> list[FetchRecord]:
        """Return the records of a source without an error, oldest first."""
        return [record for record in self.of(source) if record.error is None]

    def last(self, source: str, *, successful: bool = False) -> FetchRecord | None:
        """Return the newest record of a source, or its newest without an error."""
        for path in reversed(self._files(source)):
            record = self._record(path)
            if not (successful and record.error):
                return record
        return None

    def _files(self, source: str) -> list[Path]:
        folder = self._fetches / source
        return [folder / name for name in names_in(folder) if name.endswith(".json")]

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
                _request_key(answer["publisher"], answer["path"], answer["params"])
            ].append(answer)

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        waiting = self._waiting[_request_key(publisher, path, dict(params or {}))]
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


def _came(answer: dict[str, Any]) -> bool:
    read = answer["failure"] is None and not answer.get("unread")
    return read and answer["status"] == HTTPStatus.OK


def _part(answer: dict[str, Any]) -> str:
    """Return the same name for requests that differ only in days, pages and other numbers."""
    params = {k: v for k, v in answer["params"].items() if not _WHICH_ROWS.search(str(v))}
    return _request_key(answer["publisher"], answer["path"], params)


def _request_key(publisher: str, path: str, params: dict[str, Any]) -> str:
    return json.dumps([publisher, path, params], sort_keys=True)
