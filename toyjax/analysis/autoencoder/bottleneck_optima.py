"""The least expected loss of n sparse features in n - 1 dimensions.

    densities, importances --optima--> loss, net and kind at each point

The best of L-BFGS descents of the exact expected loss from every candidate and,
of three features, from a triangle.
"""

import functools
from typing import NamedTuple

import jax
import numpy as np

from toyjax.analysis.autoencoder import lbfgs, pieces, sparse_bottleneck
from toyjax.analysis.autoencoder.lbfgs import End
from toyjax.analysis.autoencoder.sparse_bottleneck import Kind
from toyjax.base import Array
from toyjax.toys.relu_autoencoder import Params

# Nodes of an axis on the way; the end is weighed with more.
_NUM_NODES = 16
# A descent's end, in shares of the least candidate's loss a unit of weight, and
# where it is given up.
_GRADIENT, _MAX_EVALUATIONS, _NUM_PAIRS = 1e-5, 1000, 5
# Minima whose losses differ by less of them are equally good.
_EQUAL = 1e-5
_BLOCK = 32  # Descents at a time, which fit the cache.
_PERTURBATION = 0.02  # An ignored row has no slope at 0.


class Optimum(NamedTuple):
  """The best of the minima that descents from all starts end in.

  Attributes:
    kind: int [C], codes of `Kind`.
    loss: float64 [C].
    params: W [C, N - 1, N] and b [C, N].
    kinds: bool [C, K], the kinds of all minima as good: several where features
      are alike.
    unfinished: int [C], descents that were given up before their gradient was
      small.
  """

  kind: np.ndarray
  loss: np.ndarray
  params: Params
  kinds: np.ndarray
  unfinished: np.ndarray


def optima(
  densities: np.ndarray, importances: np.ndarray, *, num_features: int
) -> Optimum:
  """Returns the least expected loss at each of C points.

  The best of L-BFGS descents from every start of
  `sparse_bottleneck.start_of`, each a little beside it. To be called with x64
  enabled.

  Args:
    densities: s [C], in (0, 1].
    importances: r [C], > 0.
    num_features: n.
  """
  shape = (num_features - 1, num_features)
  aside = _PERTURBATION * np.random.default_rng(0).normal(size=shape)
  points, starts = [], []
  for kind in sparse_bottleneck.STARTS[num_features]:
    for place in zip(densities.tolist(), importances.tolist()):
      start = sparse_bottleneck.start_of(kind, place[0], num_features)
      weights = np.asarray(start.weights) + aside
      starts.append(np.concatenate([weights.ravel(), start.bias]))
      points.append(place)
  rows = np.asarray(points), np.asarray(starts)
  ends = []
  # Blocks of one size, so that one program serves any number of points.
  for k in range(0, len(points), _BLOCK):
    block = (np.resize(x[k : k + _BLOCK], (_BLOCK, x.shape[1])) for x in rows)
    ends.append(_descents(*block, num_features))
  # All of them [starts, C, ...].
  losses, kinds, weights, biases, unfinished = (
    np.concatenate(end)[: len(points)].reshape(
      (-1, len(densities), *end[0].shape[1:])
    )
    for end in zip(*ends)
  )
  is_best = losses <= losses.min(axis=0) * (1.0 + _EQUAL)
  best = np.argmin(losses, axis=0), np.arange(len(densities))
  return Optimum(
    kinds[best],
    losses[best],
    Params(weights[best], biases[best]),
    np.stack([(is_best & (kinds == kind)).any(0) for kind in Kind], axis=1),
    unfinished.sum(axis=0),
  )


@functools.partial(jax.jit, static_argnames='num_features')
def _descents(
  points: Array, starts: Array, num_features: int
) -> tuple[Array, ...]:
  """Returns losses, kinds, W, b and whether unfinished, of each start."""

  def descend(point: Array, start: Array) -> tuple[Array, ...]:
    density, importance = point

    def loss_of(v: Array, num_nodes: int) -> Array:
      return sparse_bottleneck.expected_loss(
        pieces.params_of(v, num_features),
        density=density,
        importance=importance,
        num_nodes=num_nodes,
      )

    scale = loss_of(start, _NUM_NODES)
    end = lbfgs.descend(
      start,
      num_features=num_features,
      num_pairs=_NUM_PAIRS,
      tolerances=lbfgs.Tolerances(solved_sse=0.0, gradient=_GRADIENT),
      max_evaluations=_MAX_EVALUATIONS,
      evaluate=jax.value_and_grad(lambda v: loss_of(v, _NUM_NODES) / scale),
    )
    params = pieces.params_of(end.v, num_features)
    loss = loss_of(end.v, sparse_bottleneck.NUM_NODES)
    unfinished = end.end == End.UNFINISHED
    return loss, sparse_bottleneck.classify(params, loss), *params, unfinished

  return jax.vmap(descend)(points, starts)
