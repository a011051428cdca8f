"""The prior under which evidence is tested."""

import jax.numpy as jnp

from toyjax.inference import changepoint
from toyjax.inference.changepoint import Beta

BEFORE, AFTER = (2.0, 2.0), (1.0, 19.0)
NULL = Beta(1.0, 1.0)


def make_prior(weights, dtype):
  return changepoint.make_prior(
    before=BEFORE, after=AFTER, weights=jnp.asarray(weights, dtype)
  )
