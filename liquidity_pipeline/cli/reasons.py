"""Why an input ends early, in one line for the terminal: a reason is said once."""

from __future__ import annotations

import re

import duckdb

NO_REASON = "what is held is too short"
# A failure of a request, up to the name of the publisher.
_FAILED = re.compile(r"fetch failed on \S+: \w+|the fetch of \S+ lacked it: \w+(?=: expected)")


def brief_reason(reason: str) -> str:
    """Return a reason without what was asked and expected: `liquidity status` has the rest."""
    reason = re.sub(r"^(?:no row(?: of its first provider)? is held|never answered): ", "", reason)
    inner = r"[^()]*(?:\([^()]*\)[^()]*)*"
    reason = re.sub(rf"not asked: it was down a moment ago \((expected {inner})\)", r"\1", reason)
    reason = re.sub(r"not asked: \S+ failed \d+ times in a row, first: ", "", reason)
    reason = re.sub(rf" \((?:asked|expected){inner}\)", "", reason)
    reason = re.sub(r"(?:, at \S+)?; the next run asks again", "", reason)
    # Of several gaps of one answer the failed request says most, and is the same for all symbols.
    return re.sub(r"(the fetch of \S+ lacked it: ).*?(\w+: expected [^;]*).*", r"\1\2", reason)


def why_unknown(published: duckdb.DuckDBPyConnection, *inputs: str) -> str:
    """Return why these inputs end early; an input is a table, or a part of it: "table/entity"."""
    rows = published.execute(
        "select table_name, reason from meta.coverage "
        "where (known_through is null or known_through < expected_through) "
        "and (list_contains(?, table_name) or list_contains(?, table_name || '/' || entity)) "
        "order by reason like '%not asked%', 1, 2",
        [list(inputs), list(inputs)],
    ).fetchall()
    found: dict[str, tuple[str, list[str]]] = {}
    for table, reason in rows:
        said = brief_reason(reason)
        # A publisher that is down is not asked again: its first answer is the reason.
        if failed := _FAILED.search(said):
            said = said[failed.start() :]
        _, named = found.setdefault(failed[0] if failed else said, (said, []))
        if table not in named:
            named.append(table)
    parts = [f"{', '.join(named)}: {said}" for said, named in found.values()]
    return "; ".join(parts[:3]) or NO_REASON
