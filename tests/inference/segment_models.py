"""Models of segments and their counts, small enough to enumerate."""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.inference.changepoint import Beta, segments
from toyjax.inference.changepoint import segments_active as active
from toyjax.inference.changepoint import segments_drops as drops
from toyjax.inference.changepoint import segments_posterior as posterior

COUNTS = ([4, 3, 0, 1, 0, 3, 2, 1], [1, 0, 3, 4, 0, 0, 1, 0])
INNER = [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
ONE_SHAPE = [(2.0, 2.0)]
PUBLISHED = [(2.0, 2.0), (1.0, 19.0)]


def model(
  shapes=ONE_SHAPE, numbers=(0.4, 0.3, 0.2, 0.1), weights=INNER, n=8, rho=None
):
  shapes = list(shapes) * (len(numbers) if len(shapes) == 1 else 1)
  return {
    'shapes': shapes,
    'num_weights': list(numbers),
    'change_weights': list(weights),
    'n': n,
    'concentration': rho,
  }


def prior_of(facts, dtype='float64'):
  shapes = facts['shapes']
  make = functools.partial(
    segments.make_prior,
    shapes=shapes[:1] if len(set(shapes)) == 1 else shapes,
    num_positions=facts['n'],
    concentration=facts['concentration'] or math.inf,
    num_nodes=facts['concentration'] and 40,
  )
  # One compilation, where calls without jit need one for each operation.
  return jax.jit(make)(
    num_segments_weights=jnp.asarray(facts['num_weights'], dtype),
    change_weights=jnp.asarray(facts['change_weights'], dtype),
  )


def counts_of(counts=COUNTS, dtype='float64'):
  return Beta(*(jnp.asarray(count, dtype) for count in counts))


class Result(NamedTuple):
  state: segments.State
  posterior: posterior.Posterior
  gains: jax.Array
  predictive: jax.Array
  best: drops.Segmentation


@jax.jit
def infer(prior, counts) -> Result:
  """Returns all that is exact, in one compilation."""
  state = segments.condition(prior, counts)
  return Result(
    state,
    posterior.posterior(state),
    active.information_gains_nats(state),
    active.predictive_means(state),
    drops.most_probable_segmentation(state),
  )


MODELS = {
  'plain': model(),
  'jeffreys': model(shapes=[(0.5, 0.5)]),
  'by index': model(shapes=[(2, 2), (1, 19), (5, 1), (1, 1)]),
  'weights': model(weights=[0.0, 2.0, 0.0, 0.5, 1.0, 3.0, 0.1, 1.0]),
  'empty first': model(
    shapes=[(2, 2), (1, 19), (3, 1), (1, 1)], weights=[0.7] + [1.0] * 7
  ),
  'padded': model(n=5),
  'no room': model(n=3),
  'one position': model(n=1, numbers=(0.4, 0.6)),
  'one segment': model(numbers=(1.0,)),
  'zero weight': model(numbers=(0.0, 0.5, 0.0, 0.5)),
  'dispersed': model(numbers=(0.4, 0.3, 0.3), n=6, rho=8.0),
  'dispersed, by index': model(
    shapes=PUBLISHED, numbers=(0.2, 0.8), weights=[1.0] * 8, n=6, rho=3.0
  ),
}
