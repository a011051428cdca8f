"""One short absl script per experiment: `python -m scripts.NAME`."""
