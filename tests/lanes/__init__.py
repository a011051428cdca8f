"""Tests of `toyjax.lanes`."""
