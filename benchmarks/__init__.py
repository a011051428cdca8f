"""Checks of toyjax against peers and against itself: speed, memory, labels."""
