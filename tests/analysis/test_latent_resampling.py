"""Remedies on one sparse autoencoder: what is set, and to what."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.analysis.features import resampling
from toyjax.analysis.features.resampling import Method, Numbers
from toyjax.toys.sparse_autoencoder import Params

D, M, B = 3, 5, 40
DEAD = np.asarray([False, True, False, True, False])
NUMBERS = Numbers(power=2.0, norm=0.2, subtract=0.0, center=0.0)


@pytest.fixture(scope='module')
def params():
  keys = jax.random.split(jax.random.key(0), 4)
  rows = jax.random.normal(keys[0], (M, D))
  rows /= jnp.linalg.norm(rows, axis=1, keepdims=True)
  return Params(
    encoder=jax.random.normal(keys[1], (D, M)),
    decoder=rows,
    encoder_bias=jax.random.normal(keys[2], (M,)),
    decoder_bias=jax.random.normal(keys[3], (D,)),
  )


@pytest.fixture(scope='module')
def inputs():
  return jax.random.normal(jax.random.key(1), (B, D)) + 2.0


@functools.partial(jax.jit, static_argnums=0)
def treat(method, key, params, inputs, numbers=NUMBERS):
  return resampling.apply(
    key,
    params,
    method=jnp.int32(method),
    numbers=jax.tree.map(jnp.float32, numbers),
    dead=jnp.asarray(DEAD),
    inputs=inputs,
    top_k=None,
  )


@pytest.mark.parametrize('method', list(Method))
@pytest.mark.parametrize('center', [0.0, 1.0])
def test_only_dead_latents_are_set(method, center, params, inputs):
  numbers = NUMBERS._replace(center=center)
  new, entries = treat(method, jax.random.key(2), params, inputs, numbers)
  is_set = DEAD & (method != Method.NOTHING)
  np.testing.assert_array_equal(entries.encoder_bias, is_set)
  np.testing.assert_array_equal(entries.encoder.all(0), is_set)
  np.testing.assert_array_equal(entries.encoder.any(0), is_set)
  np.testing.assert_array_equal(entries.decoder.all(1), is_set)
  assert entries.decoder_bias.all() == entries.decoder_bias.any() == center
  for own, before in ((new.encoder.T, params.encoder.T), (new[1], params[1])):
    np.testing.assert_array_equal(own[~is_set], before[~is_set])
  np.testing.assert_array_equal(
    new.encoder_bias, np.where(is_set, 0.0, params.encoder_bias)
  )
  expected = inputs.mean(0) if center else params.decoder_bias
  np.testing.assert_allclose(new.decoder_bias, expected, rtol=1e-6)


def test_encoders_have_the_length_that_was_asked_for(params, inputs):
  alive = np.linalg.norm(params.encoder, axis=0)[~DEAD].mean()
  for method, norm, length in (
    (Method.RESAMPLED, 0.2, 0.2 * alive),
    (Method.RESAMPLED, 0.0, 1.0),
    (Method.RANDOM, 0.2, 1.0),
    (Method.ALIGNED, 0.2, 1.0),
  ):
    numbers = NUMBERS._replace(norm=norm)
    new, _ = treat(method, jax.random.key(3), params, inputs, numbers)
    columns, rows = new.encoder.T[DEAD], new.decoder[DEAD]
    np.testing.assert_allclose(columns, length * rows, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-5)
  kept, _ = treat(Method.ALIGNED, jax.random.key(3), params, inputs)
  np.testing.assert_array_equal(kept.decoder, params.decoder)


@pytest.mark.parametrize('power', [1.0, 2.0])
@pytest.mark.parametrize('subtract', [0.0, 1.0])
def test_inputs_are_drawn_by_their_loss(power, subtract, params, inputs):
  numbers = NUMBERS._replace(power=power, subtract=subtract)
  keys = jax.random.split(jax.random.key(4), 4000)
  rows = jax.vmap(
    lambda key: treat(Method.RESAMPLED, key, params, inputs, numbers)[0].decoder
  )(keys)
  rows = np.asarray(rows)[:, DEAD].reshape(-1, D)
  x = np.asarray(inputs, float)
  encoder, decoder, offset, bias = (np.asarray(p, float) for p in params)
  latents = np.maximum((x - bias) @ encoder + offset, 0.0)
  losses = ((x - latents @ decoder - bias) ** 2).sum(1)
  probs = losses**power / (losses**power).sum()
  units = x - subtract * bias
  units /= np.linalg.norm(units, axis=1, keepdims=True)
  drawn = np.argmax(rows @ units.T, axis=1)
  np.testing.assert_allclose(rows, units[drawn], atol=1e-5)
  shares = np.bincount(drawn, minlength=B) / len(rows)
  bars = 5.0 * np.sqrt(probs * (1.0 - probs) / len(rows)) + 1e-4
  assert (np.abs(shares - probs) < bars).all()
