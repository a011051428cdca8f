"""A stage is compiled ahead of its training, or when it is trained."""

import numpy as np
import pytest

from toyjax import store, stored_runs, sweeps, training
from toyjax.command import lifecycle
from toyjax.stages import Stage

NUM_SEEDS, CHUNK = 5, 4


def _stage(traced):
  """A stage that counts how often its trial is traced."""

  def trial(x):
    traced.append(1)
    return {'end': x['seed_index'] * 0.5 + x['rate']}

  return Stage(
    name='runs',
    values={'num_steps': 1, 'seed': 0, 'dtype': 'float32'},
    static={},
    axes=sweeps.grid(rate=[0.25, 1.0]),
    make_trial=lambda values: trial,
    variables={'end': store.Variable((), {'long_name': 'the end'})},
    coordinates={},
    attrs={},
    summarize=lambda chunk: {},
  )


def _train(stage, path, ready=None):
  training.train(
    stage,
    stage.xs(NUM_SEEDS),
    path=path,
    identity={},
    chunk_size=CHUNK,
    map_name='lanes',
    progress=None,
    ready=ready,
  )
  return stored_runs.StoredRuns(path, 'runs').read('end')


def test_what_is_compiled_ahead_is_what_is_run(tmp_path):
  traced = []
  stage = _stage(traced)
  ready = training.compiled(
    stage, NUM_SEEDS, chunk_size=CHUNK, map_name='lanes'
  )
  number = len(traced)
  found = _train(stage, tmp_path / 'ahead', ready)
  assert len(traced) == number  # Nothing was traced again.
  np.testing.assert_array_equal(
    found, [i // 2 * 0.5 + (0.25, 1.0)[i % 2] for i in range(2 * NUM_SEEDS)]
  )
  np.testing.assert_array_equal(found, _train(stage, tmp_path / 'now'))


def test_a_program_of_other_runs_is_refused():
  xs = sweeps.seeds_by_grid(seed=0, num_seeds=3, configurations={})
  program = sweeps.compiled(
    lambda x: x['seed_index'], xs, num_runs=3, chunk_size=4096
  )
  with pytest.raises(TypeError):
    sweeps.sweep(
      lambda x: x['seed_index'],
      np.zeros((3, 2)),
      chunk_size=4096,
      program=program,
    )


def test_only_what_is_not_finished_is_compiled(tmp_path):
  stage = _stage([])
  assert not lifecycle._is_finished(tmp_path, stage, NUM_SEEDS)
  _train(stage, tmp_path)
  assert lifecycle._is_finished(tmp_path, stage, NUM_SEEDS)
  assert not lifecycle._is_finished(tmp_path, stage, NUM_SEEDS + 1)
