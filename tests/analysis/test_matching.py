"""Matching of learned directions and true features."""

import itertools

import numpy as np
import pytest

from toyjax.analysis.features import matching


@pytest.mark.parametrize('seed', range(6))
def test_the_most_pairs_are_found(seed):
  rng = np.random.default_rng(seed)
  rows, features = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
  rows /= np.linalg.norm(rows, axis=1, keepdims=True)
  features /= np.linalg.norm(features, axis=1, keepdims=True)
  close = rows @ features.T >= 0.3
  best = max(
    sum(close[i, j] for i, j in enumerate(places))
    for places in itertools.permutations(range(5), 4)
  )
  assert matching.one_to_one(rows, features, matched=0.3) == best
  assert matching.one_to_one(rows[:0], features, matched=0.3) == 0


def test_octaves_hold_every_rank_once():
  assert matching.octaves(1) == [(1, 1)]
  assert matching.octaves(6) == [(1, 1), (2, 2), (3, 4), (5, 6)]
  for number in (2, 5, 64, 512):
    held = [r for a, b in matching.octaves(number) for r in range(a, b + 1)]
    assert held == list(range(1, number + 1))
