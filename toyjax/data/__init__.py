"""Data: synthetic features and loaders of real data sets."""
