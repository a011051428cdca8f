"""The runs that benchmarks repeat: the ReLU autoencoder under AdamW.

The numbers are the defaults of `studies.optimization_failure`.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from toyjax import chunks, descent, loops, sweeps
from toyjax.base import Array
from toyjax.data import sparse_features
from toyjax.studies.optimization_failure import trial
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import Outcome

NUM_HIDDEN = 2
SOLVED_SSE = 1e-2
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-2
EPS = 1e-8
BETAS = (0.9, 0.999)

SOLVED = (Outcome.SOLVED_REGULAR, Outcome.SOLVED_IRREGULAR)


def make_trial(
  *, num_features: int, observe_steps: Sequence[int], dtype: str
) -> chunks.Trial:
  """Returns the main script's trial, which ends at the last observed step."""
  return trial.make_trial(
    {
      'num_features': num_features,
      'num_hidden': NUM_HIDDEN,
      'optimizer': 'adamw',
      'init': 'glorot_normal',
      'loss_reduction': 'mean',
      'schedule': 'constant',
      'warmup_steps': 0,
      'num_steps': observe_steps[-1],
      'observe_steps': list(observe_steps),
      'solved_sse': SOLVED_SSE,
      'dtype': dtype,
    },
  )


def make_xs(*, seed: int, indices: np.ndarray, dtype: str) -> dict[str, Any]:
  """Returns one run for each seed index, each made from its index alone.

  The init's scale stays in float32 whatever the dtype, so that runs of
  different dtypes start from the very same weights.
  """
  numbers = {
    'learning_rate': LEARNING_RATE,
    'weight_decay': WEIGHT_DECAY,
    'adam_eps': EPS,
    'adam_b1': BETAS[0],
    'adam_b2': BETAS[1],
  }
  size = len(indices)
  return {
    'key': sweeps.seed_keys(seed, indices),
    'init_scale': np.ones(size, np.float32),
    **{name: np.full(size, value, dtype) for name, value in numbers.items()},
  }


def initial_weights(
  xs: dict[str, Any], *, num_features: int, dtype: str
) -> Array:
  """Returns the weights W [S, M, N] that the runs start from."""

  def start(x: dict[str, Array]) -> Array:
    toy = relu_autoencoder.make(
      num_features=num_features,
      num_hidden=NUM_HIDDEN,
      sample=sparse_features.one_hot(
        num_features=num_features, dtype=jnp.dtype(dtype)
      ),
      init='glorot_normal',
      init_scale=x['init_scale'],
      importance_decay=1.0,
      loss_reduction='mean',
      dtype=dtype,
    )
    dynamics = descent.descend(toy, optax.identity())
    state, _ = loops.unroll(x['key'], dynamics, 0)
    return state.params.weights

  return jax.jit(jax.vmap(start))(xs)
