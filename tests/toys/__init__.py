"""Tests of the toys."""
