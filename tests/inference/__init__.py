"""Tests of exact inference."""
