"""Weights made by hand, and what labels them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from tests import references, references_weights
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import THRESHOLDS, Fate, Outcome

SOLVED_SSE = 1e-2

# name: (what makes it for n features, its label, g of its only shared feature).
HAND_MADE = {
  'tight_polygon': (references_weights.regular_polygon, 'SOLVED_REGULAR', 0),
  'wide_polygon': (
    functools.partial(references_weights.regular_polygon, stretch=3.0),
    'SOLVED_REGULAR',
    0,
  ),
  'irregular': (references_weights.irregular_solution, 'SOLVED_IRREGULAR', 0),
  'uneven': (references_weights.uneven_solution, 'SOLVED_IRREGULAR', 0),
  'one_dead': (references_weights.symmetric_failure, 'SYMMETRIC_FAILURE', 'n'),
  'two_dead': (
    functools.partial(references_weights.symmetric_failure, num_dead=2),
    'SYMMETRIC_FAILURE',
    0,
  ),
  'dead_and_irregular': (
    references_weights.dead_and_irregular,
    'ASYMMETRIC_FAILURE',
    'n',
  ),
  **{
    f'shared_{g}': (
      functools.partial(references_weights.shared_row, num_inputs=g),
      'ASYMMETRIC_FAILURE',
      g,
    )
    for g in range(2, 6)
  },
  'merged_pair': (references_weights.merged_pair, 'MERGED', 0),
  'off': (references_weights.off_feature, 'OFF', 0),
  'off_and_merged': (references_weights.off_and_merged, 'MIXED', 0),
  'off_and_dead': (references_weights.off_and_dead, 'MIXED', 'n'),
  'dim': (references_weights.dim_outputs, 'OTHER', 0),
  'leaky': (references_weights.leaky_output, 'OTHER', 3),
  'shared_and_dim': (references_weights.shared_row_and_dim_output, 'OTHER', 3),
  'two_shared': (references_weights.two_shared_rows, 'OTHER', 0),
  'collapsed': (references_weights.collapsed, 'OTHER', 0),
}
SOLVED = ('tight_polygon', 'wide_polygon', 'irregular', 'uneven')
SIZES = (5, 6, 7, 8)


def to_params(weights, bias, dtype=None):
  return relu_autoencoder.Params(
    jnp.asarray(weights, dtype or jnp.float32),
    jnp.asarray(bias, dtype or jnp.float32),
  )


def diagnose(params, earlier_sse, solved_sse, thresholds):
  return relu_autoencoder.diagnose(
    params,
    earlier_sse=earlier_sse,
    solved_sse=solved_sse,
    thresholds=thresholds,
  )


diagnose_one = jax.jit(diagnose)
diagnose_all = jax.jit(jax.vmap(diagnose, in_axes=(0, 0, None, None)))


def diagnose_still(weights, bias, thresholds=THRESHOLDS):
  """Diagnoses weights whose SSE no longer falls."""
  params = to_params(weights, bias)
  sse = references.one_hot_sse(weights, bias)
  return diagnose_one(params, sse, SOLVED_SSE, thresholds)


def name_of(diagnosis):
  return Outcome(int(diagnosis.outcome)).name


def names_of(codes, enum):
  return [enum(int(code)).name for code in np.asarray(codes)]


def random_orthogonal(rng, size):
  """A random rotation or reflection."""
  return np.linalg.qr(rng.normal(size=(size, size)))[0]


def assert_reference_agrees(weights, bias, earlier_sse):
  """Compares labels in float64, where no rounding moves a label [S, ...]."""
  with jax.enable_x64(True):
    found = diagnose_all(
      to_params(weights, bias, jnp.float64),
      jnp.asarray(earlier_sse, jnp.float64),
      SOLVED_SSE,
      THRESHOLDS,
    )
  found = jax.tree.map(np.asarray, found)
  for k in range(len(weights)):
    label, fates, inputs_on = references.diagnose(
      weights[k], bias[k], earlier_sse[k], SOLVED_SSE, THRESHOLDS
    )
    assert Outcome(int(found.outcome[k])).name == label
    assert names_of(found.fates[k], Fate) == fates
    assert found.inputs_on[k].tolist() == inputs_on
  return names_of(found.outcome, Outcome)
