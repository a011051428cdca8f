"""The sparse autoencoder: model, loss, gradients along rows."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.toys import sparse_net
from toyjax import descent, loops, optimizers
from toyjax.toys import sparse_autoencoder
from toyjax.toys.sparse_autoencoder import (
  Params,
)

D, M, B = 4, 8, 33


def _params(seed=0, tied=False):
  rng = np.random.default_rng(seed)
  rows = rng.normal(size=(M, D))
  encoder = None if tied else jnp.float32(rng.normal(size=(D, M)))
  biases = 0.3 * rng.normal(size=M), 0.3 * rng.normal(size=D)
  return Params(encoder, jnp.float32(rows), *map(jnp.float32, biases))


def _batch(seed=1):
  return jnp.float32(np.random.default_rng(seed).normal(size=(B, D)))


def _by_hand(params, batch, top_k):
  """Latents and outputs in float64 NumPy, (x - b) before the encoder."""
  rows = np.float64(params.decoder)
  rows /= np.linalg.norm(rows, axis=1, keepdims=True)
  encoder = rows.T if params.encoder is None else np.float64(params.encoder)
  centred = np.float64(batch) - np.float64(params.decoder_bias)
  latents = np.maximum(centred @ encoder + np.float64(params.encoder_bias), 0.0)
  if top_k is not None:
    order = np.argsort(-latents, axis=1)[:, top_k:]
    np.put_along_axis(latents, order, 0.0, axis=1)
  return latents, latents @ rows + np.float64(params.decoder_bias)


@pytest.mark.parametrize('tied', [False, True])
@pytest.mark.parametrize('top_k', [None, 1, 3, M])
def test_latents_outputs_and_loss_are_those_by_hand(tied, top_k):
  params, batch = _params(tied=tied), _batch()
  toy = sparse_net.make(jax.random.key(0), l1=0.3, top_k=top_k, tied=tied)
  latents, outputs = _by_hand(params, batch, top_k)

  @jax.jit
  def run(params, batch):
    encoded = sparse_autoencoder.encode_all(params, batch, top_k=top_k)
    decoded = sparse_autoencoder.apply(params, batch[0], top_k=top_k)
    return encoded, decoded, toy.loss(params, batch)

  encoded, decoded, loss = run(params, batch)
  np.testing.assert_allclose(encoded, latents, atol=1e-5)
  np.testing.assert_allclose(decoded, outputs[0], atol=1e-5)
  errors = np.sum((outputs - np.float64(batch)) ** 2, axis=1)
  expected = np.mean(errors + 0.3 * np.sum(latents, axis=1))
  np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_as_many_latents_stay_as_asked():
  latents = jnp.float32([[0.5, 0.5, 0.5, 0.1], [0.0, 0.0, 2.0, 0.0]])
  encoder = jnp.eye(4, dtype=jnp.float32)
  params = Params(encoder, encoder, jnp.zeros(4), jnp.zeros(4))
  kept = sparse_autoencoder.encode_all(params, latents, top_k=2)
  assert np.sum(np.asarray(kept) > 0.0, axis=1).tolist() == [2, 1]
  np.testing.assert_array_equal(kept[1], latents[1])


@pytest.mark.parametrize('name', sparse_net.KINDS)
def test_no_gradient_lies_along_a_row_and_steps_keep_rows_at_unit_length(name):
  toy = sparse_net.make(jax.random.key(0), **sparse_net.KINDS[name])
  params = toy.init(jax.random.key(1))
  assert (params.encoder is None) == (name == 'tied')
  np.testing.assert_allclose(
    sparse_autoencoder.encoder_of(params), params.decoder.T, rtol=1e-6
  )
  grads = jax.jit(jax.grad(toy.loss))(params, toy.sample(jax.random.key(2)))
  along = jnp.sum(grads.decoder * params.decoder, axis=1)
  np.testing.assert_allclose(along, 0.0, atol=1e-5)
  assert float(jnp.max(jnp.abs(grads.decoder))) > 1e-2
  adam = optimizers.make(
    'adam', learning_rate=0.1, schedule=None, b1=0.9, b2=0.999, eps=1e-8
  )
  dynamics = loops.intervene(
    descent.descend(toy, adam), None, sparse_autoencoder.unit_rows
  )
  state, _ = jax.jit(lambda key: loops.unroll(key, dynamics, 3))(
    jax.random.key(3)
  )
  rows = state.inner.params.decoder
  np.testing.assert_allclose(jnp.linalg.norm(rows, axis=1), 1.0, rtol=1e-5)


def test_the_length_of_a_row_does_not_matter():
  params, batch = _params(tied=True), _batch()
  longer = params._replace(decoder=params.decoder * 3.0)
  toy = sparse_net.make(jax.random.key(0), l1=0.3, tied=True)
  np.testing.assert_allclose(
    toy.loss(params, batch), toy.loss(longer, batch), rtol=1e-5
  )
  zero = params._replace(decoder=params.decoder.at[0].set(0.0))
  assert np.isfinite(toy.loss(zero, batch))


def test_the_decoder_bias_starts_where_it_is_told():
  key = jax.random.key(0)
  given = jnp.float32([1.0, 2.0, 3.0, 4.0])
  params = sparse_net.make(key, center=given).init(key)
  np.testing.assert_array_equal(params.decoder_bias, given)
  assert params.encoder_bias.shape == (M,)
  for changes in ({'num_latents': 0}, {'top_k': 0}, {'top_k': M + 1}):
    with pytest.raises(ValueError, match=next(iter(changes))):
      sparse_net.make(key, **changes)
