"""A sandbox that is asked by its address is still the sandbox, and its data are synthetic."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.settings import LIVE, SANDBOX, Settings

_SECONDS = 5.0


def recognized(settings: Settings) -> Settings:
    """Return settings whose endpoints are `sandbox` where a sandbox answers at their address.

    Any other stand-in, and one that does not answer within five seconds, stays what it was.
    """
    if settings.endpoints in (LIVE, SANDBOX) or not _is_sandbox(settings.endpoints):
        return settings
    return replace(settings, endpoints=SANDBOX, sandbox_url=settings.endpoints)


def _is_sandbox(url: str) -> bool:
    import requests

    try:
        return bool(requests.get(f"{url}/__health", timeout=_SECONDS).json().get("synthetic"))
    except (requests.RequestException, AttributeError):
        return False
