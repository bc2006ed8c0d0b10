"""Tests, one folder per package, named after the promise they keep."""
