"""What the scripts share: list flags, running an experiment, tables."""
