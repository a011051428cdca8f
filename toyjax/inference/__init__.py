"""Exact probability on data: no optimizer. One module per model."""
