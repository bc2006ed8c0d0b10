"""From a publisher's answer to the lake: what to ask for, what came, what is known."""
