"""How a run of the text net ended, read from its logits.

    Params --logit table [V, V]--> predictions, exact ties --pairs--> Outcome

Argmax takes the lower index in a tie, so that the order of the vocabulary
decides what a tied net says. With exact ties set apart, nothing here changes
when inputs, or outputs, are renamed together with the pairs.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import roles
from toyjax.base import Array
from toyjax.roles import Role
from toyjax.toys.text_mlp import model

TIE_RULE = 'argmax takes the lower index'


class Outcome(roles.Outcome):
  """How a run ended: the first class, in this order, that fits."""

  # A parameter or the loss is not finite.
  DIVERGED = 0, Role.DIVERGED
  # Every pair's output has the one largest logit.
  LEARNED_ALL = 1, Role.SOLVED
  # The largest logits of an input of a pair are exactly equal.
  TIED = 2, Role.FAILED
  # All units of a layer are off for all inputs of pairs.
  DEAD_LAYER = 3, Role.FAILED
  # At least one pair is right, and one wrong.
  PARTLY_LEARNED = 4, Role.FAILED
  # No pair is right.
  ALL_WRONG = 5, Role.FAILED


class Diagnosis(NamedTuple):
  """All that the parameters of one run tell about its end.

  Attributes:
    outcome: int32 [], a code of `Outcome`.
    loss: [] mean cross entropy over the pairs, in nats.
    predictions: int32 [V], the next token after each token by `TIE_RULE`.
    tied: bool [V], whether two or more largest logits after a token are exactly
      equal, in the dtype of the parameters.
    correct: bool [P], whether a pair's output is predicted by `TIE_RULE`; a
      pair may be right by a tie alone (see `tied`).
    num_dead_units: int32 [L], units of each hidden layer that are off (z <= 0)
      for all inputs of pairs.
    dead_layers: bool [L], whether all its units are; such a net gives the same
      logits for all these inputs.
  """

  outcome: Array
  loss: Array
  predictions: Array
  tied: Array
  correct: Array
  num_dead_units: Array
  dead_layers: Array


def predict(logits: Array) -> tuple[Array, Array]:
  """Returns what argmax says and whether it had to choose among equals.

  Args:
    logits: [..., V].

  Returns:
    int32 [...], the lowest index of a largest logit, and bool [...], whether
    several are exactly equal to it.
  """
  largest = jnp.max(logits, axis=-1, keepdims=True)
  num_largest = jnp.sum(logits == largest, axis=-1)
  return jnp.argmax(logits, axis=-1).astype(jnp.int32), num_largest > 1


def classify(params: model.Params, *, pairs: np.ndarray) -> Array:
  """Returns the int32 [] code of `Outcome`; see `diagnose`."""
  return diagnose(params, pairs=pairs).outcome


def diagnose(params: model.Params, *, pairs: np.ndarray) -> Diagnosis:
  """Says what one net has learned of its pairs.

  Args:
    params: of one net.
    pairs: int [P, 2], inputs and outputs.

  Returns:
    A `Diagnosis`. Never raises on values: what is not finite is DIVERGED, with
    no pair right, no tie and no dead unit.

  Raises:
    ValueError: on pairs outside the vocabulary.
  """
  vocabulary_size = params.embedding.shape[0]
  pairs = model.check_pairs(pairs, vocabulary_size)
  inputs, outputs = pairs.T
  activations = jax.vmap(model.activate, in_axes=(None, 0))(
    params, jnp.arange(vocabulary_size)
  )
  loss = model.mean_cross_entropy(params, jnp.asarray(pairs))
  finite = jnp.isfinite(loss)
  for leaf in jax.tree.leaves(params):
    finite &= jnp.all(jnp.isfinite(leaf))

  predictions, tied = predict(activations.logits)
  tied &= finite
  correct = (predictions[inputs] == jnp.asarray(outputs)) & finite
  num_dead = [
    jnp.sum(jnp.all(z[inputs] <= 0.0, axis=0) & finite, dtype=jnp.int32)
    for z in activations.pre_activations
  ]
  dead_layers = jnp.stack(
    [num == z.shape[1] for num, z in zip(num_dead, activations.pre_activations)]
  )
  any_tied = jnp.any(tied[inputs])
  tests = {
    Outcome.DIVERGED: ~finite,
    Outcome.LEARNED_ALL: jnp.all(correct) & ~any_tied,
    Outcome.TIED: any_tied,
    Outcome.DEAD_LAYER: jnp.any(dead_layers),
    Outcome.PARTLY_LEARNED: jnp.any(correct),
    Outcome.ALL_WRONG: jnp.bool_(True),
  }
  return Diagnosis(
    outcome=roles.first(Outcome, tests),
    loss=loss,
    predictions=predictions,
    tied=tied,
    correct=correct,
    num_dead_units=jnp.stack(num_dead),
    dead_layers=dead_layers,
  )
