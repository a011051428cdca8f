"""The sparse autoencoder: what its latents are, and how a run ended."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.toys import sparse_net
from toyjax.data import feature_bank
from toyjax.toys import sparse_autoencoder
from toyjax.toys.sparse_autoencoder import (
  THRESHOLDS,
  Latent,
  Metrics,
  Outcome,
  Params,
)


def test_exactly_one_rule_is_true_of_whatever_latent():
  rng = np.random.default_rng(5)
  size = 100_000
  edges = [*THRESHOLDS, 0.0, 1.0, -1.0, np.nan, np.inf]

  def numbers(low):
    random = rng.uniform(low, 1.0, size)
    exact = rng.choice(np.float32(edges), size)
    return jnp.float32(np.where(rng.random(size) < 0.3, exact, random))

  def flags():
    return jnp.asarray(rng.random(size) < 0.5)

  metrics = Metrics(
    frequency=numbers(0.0) ** 4,
    feature=jnp.zeros(size, jnp.int32),
    cosine=numbers(-1.0),
    second=numbers(-1.0),
    is_first=flags(),
    missed=numbers(0.0),
    taken=numbers(0.0),
    by_same=flags(),
    shared=numbers(0.0),
  )
  rules = sparse_autoencoder.latent_rules(metrics, THRESHOLDS)
  assert set(rules) == set(Latent)
  held = np.stack([rules[kind] for kind in Latent])
  np.testing.assert_array_equal(held.sum(axis=0), 1)
  labels = sparse_autoencoder.label_latents(metrics, THRESHOLDS)
  np.testing.assert_array_equal(labels, held.argmax(axis=0))
  assert set(np.unique(labels)) == set(Latent)


# Three features along axes; the second comes only with the first.
FEATURES = jnp.eye(3, dtype=jnp.float32)
_AT = np.random.default_rng(7).random((600, 3)) < [[0.5, 0.6, 0.4]]
PRESENT = jnp.asarray(_AT & np.stack([_AT[:, 0]] * 2 + [_AT[:, 2]], axis=1))


def _made_of(*rows):
  """Decoder rows, and a net that never encodes: firing is given by hand."""
  decoder = jnp.float32(np.asarray(rows))
  return Params(None, decoder, jnp.zeros(len(rows)), jnp.zeros(3))


def _labels(params, fires):
  metrics = sparse_autoencoder.measure(
    params,
    jnp.stack(fires, axis=1),
    features=FEATURES,
    present=PRESENT,
    thresholds=THRESHOLDS,
  )
  codes = sparse_autoencoder.label_latents(metrics, THRESHOLDS)
  return [Latent(int(code)).name for code in codes]


def test_latents_that_fire_with_their_features_are_recovered():
  params = _made_of([1, 0.1, 0], [0, 1, 0], [0, 0, 1], [0, -1, 0])
  silent = jnp.zeros(600, bool)
  fires = [*PRESENT.T, silent]
  assert _labels(params, fires) == [*['RECOVERED'] * 3, 'DEAD']


def test_an_absorbed_latent_is_silent_where_another_writes_its_feature():
  first, second, third = PRESENT.T
  # The latent of the second feature writes the first, too, and it is silent.
  params = _made_of([1, 0, 0], [1, 1, 0], [0, 0, 1])
  fires = [first & ~second, second, third]
  assert _labels(params, fires) == ['ABSORBED', 'MIXED', 'RECOVERED']
  # Silent as often, and nobody has taken its place: no reason is known.
  params = _made_of([1, 0, 0], [0, 1, 0], [0, 0, 1])
  assert _labels(params, fires) == ['RECOVERED'] * 3


def test_split_latents_share_a_feature_and_duplicates_fire_together():
  first, _, third = PRESENT.T
  half = jnp.arange(600) % 2 == 0
  params = _made_of([1, 0, 0], [1, 0.1, 0], [0, 0, 1], [0.3, 0.3, 0.3])
  split = [first & half, first & ~half, third, third]
  assert _labels(params, split) == ['SPLIT', 'SPLIT', 'RECOVERED', 'MIXED']
  twice = [first, first, third, third]
  assert _labels(params, twice)[:2] == ['RECOVERED', 'DUPLICATE']
  params = _made_of([1, 0, 0], [1, 0, 0], [0.1, 0.1, 1], [-1, -0.2, 0.2])
  # Of equal ones the first.
  names = _labels(params, twice)
  assert names == ['RECOVERED', 'DUPLICATE', 'RECOVERED', 'UNMATCHED']


def _ideal(bank):
  """The net whose latents read the features of an orthogonal bank."""
  count = len(bank.features)
  # Below 0 by more than rounding, so that what is absent is off.
  bias = jnp.full(count, -1e-4, jnp.float32)
  return Params(bank.features.T, bank.features, bias, bank.mean)


def _diagnosed(params, bank, **changes):
  drawn = feature_bank.draw(
    jax.random.key(9), bank, **(sparse_net.DRAWN | {'batch_size': 2000})
  )
  given = {
    'features': bank.features,
    'inputs': drawn.x,
    'present': drawn.amplitudes > 0.0,
    'top_k': None,
    'thresholds': THRESHOLDS,
  }
  return sparse_autoencoder.diagnose(params, **(given | changes))


@pytest.fixture(scope='module')
def orthogonal():
  bank = sparse_net.bank(jax.random.key(0), num_features=4, num_inputs=4)
  rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
  return bank._replace(features=jnp.float32(rotation))


def test_the_outcome_follows_the_share_of_recovered_features(orthogonal):
  ideal = _ideal(orthogonal)
  found = _diagnosed(ideal, orthogonal)
  assert found.outcome == Outcome.ALL
  assert found.counts[Latent.RECOVERED] == 4
  np.testing.assert_allclose(found.mean_cosine, 1.0, rtol=1e-5)
  np.testing.assert_allclose(found.explained, 1.0, atol=1e-4)
  np.testing.assert_allclose(
    found.active, jnp.sum(orthogonal.frequencies), rtol=0.1
  )
  # A latent that is never on recovers nothing.
  off = ideal._replace(encoder_bias=ideal.encoder_bias.at[0].set(-1e3))
  found = _diagnosed(off, orthogonal)
  assert found.outcome == Outcome.SOME
  assert found.recovered.tolist() == [False, True, True, True]
  assert found.counts[Latent.DEAD] == 1
  most = _diagnosed(off, orthogonal, thresholds=THRESHOLDS._replace(most=0.75))
  assert most.outcome == Outcome.MOST
  none = _diagnosed(ideal._replace(encoder_bias=jnp.full(4, -1e3)), orthogonal)
  assert none.outcome == Outcome.NONE
  lost = ideal._replace(decoder_bias=jnp.full(4, jnp.nan))
  found = _diagnosed(lost, orthogonal)
  assert found.outcome == Outcome.DIVERGED
  assert found.counts[Latent.UNDEFINED] == 4
  assert not found.recovered.any()


def test_labels_follow_permutations_and_rotations():
  bank = sparse_net.bank(jax.random.key(1))
  params = sparse_net.make(jax.random.key(1)).init(jax.random.key(2))
  # Half of the latents near features, so that several classes occur.
  rows = params.decoder.at[:5].set(bank.features[:5] + 0.1)
  params = params._replace(decoder=rows, encoder=rows.T)
  drawn = feature_bank.draw(jax.random.key(9), bank, **sparse_net.DRAWN)
  present = drawn.amplitudes > 0.0
  diagnose = jax.jit(
    lambda params, features, inputs, present: sparse_autoencoder.diagnose(
      params,
      features=features,
      inputs=inputs,
      present=present,
      top_k=None,
      thresholds=THRESHOLDS,
    )
  )
  plain = diagnose(params, bank.features, drawn.x, present)
  rng = np.random.default_rng(2)
  order, latents = rng.permutation(8), rng.permutation(8)
  turn = jnp.float32(np.linalg.qr(rng.normal(size=(4, 4)))[0])
  moved = Params(
    turn.T @ params.encoder[:, latents],
    params.decoder[latents] @ turn,
    params.encoder_bias[latents],
    params.decoder_bias @ turn,
  )
  found = diagnose(
    moved, (bank.features @ turn)[order], drawn.x @ turn, present[:, order]
  )
  assert len(np.unique(plain.latents)) > 2
  np.testing.assert_array_equal(found.latents, plain.latents[latents])
  np.testing.assert_array_equal(found.recovered, plain.recovered[order])
  np.testing.assert_allclose(found.explained, plain.explained, rtol=1e-3)
