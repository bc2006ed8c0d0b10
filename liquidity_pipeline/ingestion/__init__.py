"""From a publisher's answer to the lake: what to request, what was received, what is known."""
