"""Alerts on the published file, each sent once per event."""
