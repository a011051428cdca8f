"""What a finished run means: where it stopped, why, and what it looks like.

Reads toys and their outcomes; nothing in the toys knows of it.
"""
