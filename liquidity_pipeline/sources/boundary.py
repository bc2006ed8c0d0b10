"""Between a publisher's bytes and us: whatever they are, they give rows or a declared error.

`declared` turns any exception of a parser into the error that names what was expected. `sift` and
`parse_good` keep one bad row from being the loss of all others: a few are left out and named, and
where most are bad the format has changed and the whole answer is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from liquidity_pipeline.sources.errors import PublisherError, ReplayError, UnexpectedPayloadError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
Name = Callable[[str], None]

# What is not about a payload, and must not be mistaken for it.
_NOT_ABOUT_PAYLOADS = (PublisherError, ReplayError, OSError, MemoryError)
# How many rows that were left out are named one by one.
_NAMED = 3


def nobody(_: str) -> None:
    """Name nothing: for callers who only want the rows."""


@contextmanager
def declared(expected: str, *, publisher: str = "", url: str = "") -> Iterator[None]:
    """Make UnexpectedPayloadError of every exception of the block that is no PublisherError.

    Also a decorator. The original is its cause, so a mistake of our own still has its traceback.
    """
    try:
        yield
    except _NOT_ABOUT_PAYLOADS:
        raise
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise UnexpectedPayloadError(
            f"expected {expected}; the answer cannot be read as that ({what})",
            publisher=publisher,
            url=url,
        ) from error


def sift(
    items: Sequence[_Item], read: Callable[[_Item], _Result], name: Name | None = None
) -> list[_Result]:
    """Return `read(item)` of every item that can be read; name those that cannot.

    Without `name`, or where more than half cannot be read, the first error is raised.
    """
    results, errors = [], []
    for item in items:
        try:
            results.append(read(item))
        except UnexpectedPayloadError as error:
            if name is None:
                raise
            errors.append(error)
    report(errors, len(items), name or nobody)
    return results


def report(errors: Sequence[UnexpectedPayloadError], asked: int, name: Name) -> None:
    """Name the rows that were left out, or raise the first error where they are more than half."""
    if not errors:
        return
    if len(errors) * 2 > asked:
        raise errors[0]
    for error in errors[:_NAMED]:
        name(f"left out, {error.problem}")
    if len(errors) > _NAMED:
        name(f"left out, {len(errors) - _NAMED} more rows of the same answer")


def parse_good(
    groups: Sequence[Sequence[_Item]],
    parse: Callable[[Sequence[_Item]], _Result],
    name: Name,
) -> list[_Result]:
    """Return what `parse` makes of the groups of rows that it can read; name the others.

    A parser of whole columns cannot say which row it stumbled over: the rows are halved until the
    groups that fail by themselves are found.
    """
    errors: list[UnexpectedPayloadError] = []

    def attempt(part: Sequence[Sequence[_Item]]) -> list[_Result]:
        try:
            return [parse([item for group in part for item in group])]
        except UnexpectedPayloadError as error:
            if len(part) <= 1:
                errors.append(error)
                return []
            half = len(part) // 2
            return attempt(part[:half]) + attempt(part[half:])

    results = attempt(groups)
    report(errors, len(groups), name)
    return results
