"""Nets small enough to follow by hand: walks, regions, maps, token chains."""
