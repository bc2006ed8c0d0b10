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

# A store that never answers is given up after four times ten seconds and the pauses between them.
_ATTEMPTS, _CONNECT_SECONDS, _READ_SECONDS = 4, 5, 10
# Precondition failed, and S3's answer to a condition that is being decided for another writer.
_OVERTAKEN = (412, 409)
# What stores call an object that is not there; another 404 tells of the bucket or of the address.
_NO_OBJECT = ("NoSuchKey", "NotFound", "404")
_DIGEST = "sha256"
_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in AWS_PROFILE, must be those of "
    "a user of this store (AWS_ENDPOINT_URL; Amazon's where that is not set)."
)
# What to do, by the code of the store's refusal or the name of boto3's exception.
_REMEDIES = {
    "NoSuchBucket": "Create the bucket, or name another one in LIQUIDITY_LAKE.",
    "InvalidBucketName": "LIQUIDITY_LAKE must name a bucket that the store accepts.",
    "ParamValidationError": "LIQUIDITY_LAKE must name a bucket that the store accepts.",
    "AccessDenied": "The user needs s3:ListBucket, s3:GetObject and s3:PutObject there.",
    "403": "The user needs s3:ListBucket, s3:GetObject and s3:PutObject there.",
    "InvalidAccessKeyId": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "NoCredentialsError": _CREDENTIALS,
    "PartialCredentialsError": _CREDENTIALS,
    "ExpiredToken": "Sign in again: AWS_SESSION_TOKEN, or the profile's token, has expired.",
    "PermanentRedirect": "AWS_REGION must be the bucket's region.",
    "AuthorizationHeaderMalformed": "AWS_REGION must be the bucket's region.",
    "NotImplemented": "The store must support conditional writes (If-Match, If-None-Match).",
}
_NO_STORE = "AWS_ENDPOINT_URL must be the address of a store that speaks S3's protocol."
_FAILING = "The store itself fails: try again later, or look at its log."
_UNREACHED = (
    "Is the store running, is AWS_ENDPOINT_URL its address, and does this machine reach it?"
)


class ConflictError(Exception):
    """Another writer has stored the object since it was read; nothing was changed."""


class StoreError(Exception):
    """The object store did not do what was asked, after all attempts."""


class ObjectStore:
    """The objects under one `s3://bucket/prefix`; keys are relative to it. Safe between threads.

    Credentials and endpoint come from the usual variables or files of AWS, see boto3.
    """

    def __init__(self, url: str, endpoints: str, timeout: float = 30.0) -> None:
        """Raise SettingsError where boto3 is not installed, or not configured so that it can work.

        Nothing is asked before it is needed.

        The first use binds the store to its `endpoints` for ever, or is refused with SettingsError
        where it is bound to others: rows of different origin must never meet.
        """
        try:
            from boto3.session import Session
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError
        except ImportError:
            raise SettingsError(
                "LIQUIDITY_LAKE needs boto3: `pip install 'liquidity-pipeline[s3]'`."
            ) from None
        self.url, self._endpoints, self._is_claimed = url, endpoints, False
        parts = urlsplit(url)
        self._bucket, self._prefix = parts.netloc, parts.path.strip("/")
        config = Config(
            connect_timeout=min(timeout, _CONNECT_SECONDS),
            read_timeout=min(timeout, _READ_SECONDS),
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            max_pool_connections=16,
        )
        try:
            # The default session would keep the credentials that it once found.
            self._client: Any = Session().client("s3", config=config)
        except (BotoCoreError, ValueError) as error:
            raise SettingsError(
                f"LIQUIDITY_LAKE: {url} cannot be used: {_one_line(error).rstrip('.')}. Where they "
                f"are set, AWS_PROFILE must name a profile of ~/.aws/config, AWS_REGION a region, "
                f"and AWS_ENDPOINT_URL a URL."
            ) from None

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
            if _code(error) in _NO_OBJECT:
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
            self.refuse_other(self.owner())
        self._is_claimed = True

    def owner(self) -> str | None:
        """Return the endpoints that the store is bound to, or None where it is bound to none."""
        try:
            body, _ = self.get("endpoints.json")
        except KeyError:
            return None
        try:
            return str(json.loads(body)["endpoints"])
        except (KeyError, TypeError, ValueError):
            expected = """{"endpoints": "live"}, as in the data directories of its machines"""
            raise self.damaged("endpoints.json", expected) from None

    def refuse_other(self, owner: str | None) -> None:
        """Raise SettingsError where the store's data are of other endpoints than this run's."""
        if owner != self._endpoints:
            raise SettingsError(
                f"{self.url} holds data from '{owner}', and this run asks '{self._endpoints}'. "
                f"Rows of different origin never share a lake: name another one in LIQUIDITY_LAKE."
            )

    def damaged(self, key: str, expected: str) -> StoreError:
        """Return the error that says of an object of JSON what it should be like."""
        return StoreError(f"{self.url}/{key} is damaged. It should say {expected}.")

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
            is_gone = replaces is not None and _code(error) in _NO_OBJECT
            if _status(error) not in _OVERTAKEN and not is_gone:
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
            if _code(error) in _NO_OBJECT:
                return None
            raise self._failed("read", key, error) from error
        return str(head["ETag"]) if head.get("Metadata", {}).get(_DIGEST) == digest else None

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    def _failed(self, what: str, key: str, error: Exception) -> StoreError:
        text = _one_line(error).rstrip(".")
        return StoreError(f"cannot {what} {self.url}/{key}: {text}. {_remedy(error)}")


def _remedy(error: Exception) -> str:
    for word in (_code(error), type(error).__name__):
        if word in _REMEDIES:
            return _REMEDIES[word]
    if not _status(error):
        return _UNREACHED
    return _FAILING if _status(error) >= 500 else _NO_STORE


def _errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    return BotoCoreError, ClientError, HTTPError


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _status(error: Exception) -> int:
    response = getattr(error, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _code(error: Exception) -> str:
    """Return the store's word for what is wrong; a HEAD request is answered with a number only."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
