"""An object store that speaks S3's protocol: whole objects, written only where nothing intervened.

A PUT is atomic, so no reader sees half an object, and nothing needs to be renamed. `If-None-Match`
and `If-Match` make it conditional on what was read before. boto3 is used because PyArrow's own
file system and fsspec offer neither condition on a write.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from liquidity_pipeline.settings import SettingsError

_ATTEMPTS, _CONNECT_SECONDS = 6, 10
# Precondition failed, and S3's answer to a condition that is being decided for another writer.
_OVERTAKEN = (412, 409)
_DIGEST = "sha256"


class ConflictError(Exception):
    """Another writer has stored the object since it was read; nothing was changed."""


class StoreError(Exception):
    """The object store did not do what was asked, after all attempts."""


class ObjectStore:
    """The objects under one `s3://bucket/prefix`; keys are relative to it. Safe between threads.

    Credentials and endpoint come from the usual variables or files of AWS, see boto3.
    """

    def __init__(self, url: str, endpoints: str, timeout: float = 30.0) -> None:
        """Raise SettingsError where boto3 is not installed. Nothing is asked before it is needed.

        The first use binds the store to its `endpoints` for ever, or is refused with SettingsError
        where it is bound to others: rows of different origin must never meet.
        """
        try:
            import boto3
            from botocore.config import Config
        except ImportError:
            raise SettingsError(
                "LIQUIDITY_LAKE needs boto3: `pip install 'liquidity-pipeline[s3]'`."
            ) from None
        self.url, self._endpoints, self._is_claimed = url, endpoints, False
        parts = urlsplit(url)
        self._bucket, self._prefix = parts.netloc, parts.path.strip("/")
        config = Config(
            connect_timeout=min(timeout, _CONNECT_SECONDS),
            read_timeout=timeout,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            max_pool_connections=16,
        )
        self._client: Any = boto3.client("s3", config=config)

    def list(self, folder: str) -> Mapping[str, str]:
        """Return the keys below a folder, each with what changes when its object does (ETag)."""
        self._claim()
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._key(folder) + "/"
            )
            return {
                found["Key"].removeprefix(self._prefix).lstrip("/"): found["ETag"]
                for page in pages
                for found in page.get("Contents", [])
            }
        except _errors() as error:
            raise self._failed("list", folder, error) from error

    def get(self, key: str) -> tuple[bytes, str]:
        """Return an object and its ETag; raise KeyError where there is none."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(key))
            return answer["Body"].read(), answer["ETag"]
        except _errors() as error:
            if _status(error) == 404:
                raise KeyError(key) from None
            raise self._failed("read", key, error) from error

    def put(self, key: str, body: bytes, *, replaces: str | None) -> str:
        """Store a whole object and return its ETag.

        `replaces` is the ETag of what it replaces, or None for an object that must not be there.
        Raises ConflictError where something else is there.
        """
        self._claim()
        return self._put(key, body, replaces)

    def _claim(self) -> None:
        if self._is_claimed:
            return
        mark = json.dumps({"endpoints": self._endpoints}).encode()
        try:
            self._put("endpoints.json", mark, None)
        except ConflictError:
            owner = json.loads(self.get("endpoints.json")[0])["endpoints"]
            if owner != self._endpoints:
                raise SettingsError(
                    f"{self.url} holds data from '{owner}', and this run asks "
                    f"'{self._endpoints}'. Rows of different origin never share a lake: name "
                    f"another one in LIQUIDITY_LAKE."
                ) from None
        self._is_claimed = True

    def _put(self, key: str, body: bytes, replaces: str | None) -> str:
        condition = {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}
        digest = hashlib.sha256(body).hexdigest()
        try:
            answer = self._client.put_object(
                Bucket=self._bucket,
                Key=self._key(key),
                Body=body,
                Metadata={_DIGEST: digest},
                **condition,
            )
        except _errors() as error:
            if _status(error) not in (*_OVERTAKEN, 404):
                raise self._failed("write", key, error) from error
            # An attempt whose answer was lost has stored it, and is then refused when repeated.
            if (mine := self._etag_of(key, digest)) is not None:
                return mine
            raise ConflictError(f"{self.url}/{key} was changed by another writer") from error
        return str(answer["ETag"])

    def _etag_of(self, key: str, digest: str) -> str | None:
        """Return the ETag of an object if its content has this digest."""
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=self._key(key))
        except _errors() as error:
            if _status(error) == 404:
                return None
            raise self._failed("read", key, error) from error
        return str(head["ETag"]) if head.get("Metadata", {}).get(_DIGEST) == digest else None

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    def _failed(self, what: str, key: str, error: Exception) -> StoreError:
        return StoreError(f"cannot {what} {self.url}/{key}: {' '.join(str(error).split())}")


def _errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    return BotoCoreError, ClientError, HTTPError


def _status(error: Exception) -> int:
    response = getattr(error, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
