"""Deliver messages through Apprise: webhooks, Slack, e-mail and its other channels.

Addresses are secrets. They come from the environment and are never logged: errors name a channel by
its position and kind.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from liquidity_pipeline.settings import AlertSettings


class DeliveryError(Exception):
    """A channel did not take a message. The text names no address."""


@dataclass(frozen=True)
class Message:
    """One message; `good_news` marks the end of an alert."""

    title: str
    text: str
    good_news: bool = False


def send(settings: AlertSettings, messages: Sequence[Message]) -> None:
    """Send every message to every channel.

    Raises DeliveryError when there is no channel, an address is malformed, or a channel failed. All
    channels are tried first, so one that is down keeps no message from the others.
    """
    import apprise

    if not settings.urls:
        raise DeliveryError(
            "no channel: set LIQUIDITY_ALERT_URLS, e.g. json://host/path, slack://… or mailto://…"
        )
    # Apprise logs addresses at its own levels.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    failed = []
    for position, url in enumerate(settings.urls, start=1):
        channel = apprise.Apprise()
        kind = url.partition("://")[0]
        if not channel.add(url):
            raise DeliveryError(f"channel {position} ({kind}): the address is malformed.")
        for message in messages:
            kind_of_news = (
                apprise.NotifyType.SUCCESS if message.good_news else apprise.NotifyType.WARNING
            )
            sent = channel.notify(message.text, title=message.title, notify_type=kind_of_news)
            if not sent:
                failed.append(f"channel {position} ({kind})")
                break
    if failed:
        raise DeliveryError(
            f"not delivered through {', '.join(failed)}; the next check tries again"
        )
