"""Toys trained by gradient: data, model, loss, and the names of their ends."""
