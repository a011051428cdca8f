"""Sparse features, and what autoencoders make of them."""
