"""toyjax: how, and how often, do tiny systems fail?

The engine is re-exported here; toys, statistics and the store keep their
modules as namespaces (`toyjax.toys.relu_autoencoder.make`).
"""

from toyjax import moved
from toyjax.base import Dynamics, Toy
from toyjax.descent import descend
from toyjax.loops import intervene, log_spaced, track, unroll
from toyjax.mapping import map_runs
from toyjax.sweeps import grid, seed_keys, seeds_by_grid, sweep

__version__ = '0.2.0'

moved.keep_paths()

__all__ = [
  'Dynamics',
  'Toy',
  'descend',
  'grid',
  'intervene',
  'log_spaced',
  'map_runs',
  'seed_keys',
  'seeds_by_grid',
  'sweep',
  'track',
  'unroll',
]
