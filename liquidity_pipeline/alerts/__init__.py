"""Alerts for the person on call: what is wrong in the published file, told once per event."""
