"""Forward, gradient, inits and batches of the text net."""

from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from tests import references_text_mlp as references
from tests.toys import text_net
from toyjax import optimizers
from toyjax.lanes import lanes
from toyjax.toys import text_mlp


@pytest.mark.parametrize(
  ('dtype', 'tolerance'), [('float32', 1e-5), ('float64', 1e-13)]
)
def test_forward_and_gradient_are_those_of_plain_loops(dtype, tolerance):
  plain = text_net.to_torch_layout(text_net.random_params(1))
  pairs = text_net.SIX.pairs.tolist()
  with jax.enable_x64(dtype == 'float64'):
    params = jax.tree.map(
      lambda leaf: jnp.asarray(leaf, dtype), text_net.random_params(1)
    )
    toy = text_net.make(embed_dim=3, hidden_dims=(4, 2), dtype=dtype)
    loss, grads = jax.jit(jax.value_and_grad(toy.loss))(
      params, text_net.SIX.pairs
    )
    table = jax.jit(text_mlp.logit_table)(params)
  assert table.dtype == dtype
  np.testing.assert_allclose(
    loss, references.loss(*plain, pairs), rtol=tolerance
  )
  logits = [references.forward(*plain, token)[1][-1] for token in range(7)]
  np.testing.assert_allclose(table, logits, rtol=tolerance, atol=tolerance)
  expected = text_net.from_torch_layout(*references.gradient(*plain, pairs))
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, 0.0, tolerance),
    grads,
    expected,
  )


def test_the_published_walk_of_hello():
  """z1 is negative, so a1 = 0 and z2 is the bias; the weights are not given.

  Whatever W1 (here so that z1 comes out), W2 and W3 are, the printed z2 and
  logits fix b2 = z2 and b3 = logits - W3 ReLU(z2).
  """
  embedding = [1.2168, -1.0984]
  z1, z2 = [-0.8196, -1.3902], [-0.0032, 2.0367]
  logits = [-0.9126, 5.2600, -1.6364, -3.1031, 2.5357]
  rng = np.random.default_rng(0)
  first, second, last = (rng.normal(size=(n, 2)) for n in (2, 2, 5))
  others = rng.normal(size=(4, 2)).tolist()
  params = text_net.from_torch_layout(
    [embedding, *others],
    [
      (first, z1 - first @ embedding),
      (second, z2),
      (last, logits - last @ [0.0, z2[1]]),
    ],
  )
  walk = jax.jit(text_mlp.activate)(params, 0)
  np.testing.assert_allclose(walk.embedding, embedding, atol=1e-6)
  np.testing.assert_allclose(walk.pre_activations, [z1, z2], atol=1e-6)
  np.testing.assert_allclose(walk.logits, logits, atol=2e-6)
  prediction, tied = text_mlp.predict(walk.logits)
  assert text_net.SIX.vocabulary[int(prediction)] == 'world'
  assert not tied
  # The next one is "!": p = .9355 and .0614.
  probs = np.exp(
    text_mlp.next_token_log_probs(
      np.asarray(logits), temperature=1.0, top_k=None
    )
  )
  np.testing.assert_allclose(probs, references.softmax(logits), rtol=1e-12)
  np.testing.assert_allclose(probs[[1, 4]], [0.9355, 0.0614], atol=5e-4)


def _drawn(init, num_seeds=500, **changes):
  toy = text_net.make(init=init, **changes)
  return jax.jit(jax.vmap(toy.init))(
    jax.random.split(jax.random.key(5), num_seeds)
  )


def test_the_init_of_pytorch():
  params = _drawn('torch', embed_dim=4, hidden_dims=(9, 2))
  embedding = np.ravel(params.embedding)
  assert stats.kstest(embedding, 'norm').pvalue > 1e-4
  for layer, fan_in in zip(params.layers, (4, 9, 2)):
    bound = fan_in**-0.5
    assert layer.kernel.shape[1] == fan_in
    for leaf in layer:
      uniform = stats.uniform(-bound, 2.0 * bound)
      assert stats.kstest(np.ravel(leaf), uniform.cdf).pvalue > 1e-4
  flat = np.concatenate(
    [np.reshape(leaf, (500, -1)) for leaf in jax.tree.leaves(params)], axis=1
  )
  correlations = np.corrcoef(flat.T) - np.eye(flat.shape[1])
  assert np.abs(correlations).max() < 5.5 / np.sqrt(500)


def test_the_init_of_flax_is_that_of_its_layers():
  params = _drawn('flax', 1, embed_dim=40, hidden_dims=(50, 30))
  one = jax.tree.map(lambda leaf: leaf[0], params)
  variables = jax.eval_shape(
    text_mlp.TextMlp(7, 40, (50, 30)).init, jax.random.key(8), jnp.int32(0)
  )
  ours = text_mlp.to_flax(one)
  assert jax.tree.structure(ours) == jax.tree.structure(variables)
  jax.tree.map(
    lambda a, b: np.testing.assert_equal(a.shape, b.shape), ours, variables
  )
  for layer, fan_in in zip(one.layers, (40, 50, 30)):
    assert float(jnp.std(layer.kernel)) == pytest.approx(fan_in**-0.5, rel=0.1)
    assert not np.any(layer.bias)
  key = jax.random.key(8)
  for mine, initializer in [
    (one.layers[1].kernel, nn.linear.default_kernel_init),
    (one.embedding, nn.linear.default_embed_init),
  ]:
    theirs = initializer(key, mine.shape)
    assert stats.ks_2samp(np.ravel(mine), np.ravel(theirs)).pvalue > 1e-3


def test_dtypes_share_their_draws():
  low = text_net.make(dtype=jnp.bfloat16).init(jax.random.key(1))
  high = text_net.make().init(jax.random.key(1))
  jax.tree.map(
    lambda a, b: np.testing.assert_array_equal(a, b.astype(jnp.bfloat16)),
    low,
    high,
  )


def test_batches():
  keys = jax.random.split(jax.random.key(2), 600)
  full = text_net.make().sample(keys[0])
  np.testing.assert_array_equal(full, text_net.SIX.pairs)
  sample = text_net.make(batch_size=4).sample
  batches = np.asarray(jax.jit(lanes(sample))(keys))
  inputs = batches[:, :, 0]
  assert all(len(set(row)) == 4 for row in inputs.tolist())
  assert {tuple(pair) for pair in batches.reshape(-1, 2).tolist()} == {
    tuple(pair) for pair in text_net.SIX.pairs.tolist()
  }
  # The place in a batch is anyone's: each input is first 100 times or so.
  counts = np.bincount(inputs[:, 0], minlength=7)[text_net.SIX.pairs[:, 0]]
  assert np.all(np.abs(counts - 100) < 5 * np.sqrt(100 * 5 / 6))


def _epoch(batch_size, shuffle):
  """Returns the state before, and (key, learning rate) -> what follows."""

  def dynamics(learning_rate):
    return text_mlp.descend_in_epochs(
      text_net.make(),
      optimizers.make('sgd', learning_rate=learning_rate, schedule=None),
      pairs=text_net.SIX.pairs,
      batch_size=batch_size,
      shuffle=shuffle,
    )

  state = dynamics(0.1).init(jax.random.key(0))
  return state, jax.jit(lambda key, rate: dynamics(rate).step(key, state))


def test_an_epoch_in_order_is_plain_descent_batch_after_batch():
  before, step = _epoch(4, shuffle=False)
  state, info = step(jax.random.key(1), 0.1)
  embedding, layers = text_net.to_torch_layout(before.params)
  pairs = text_net.SIX.pairs.tolist()
  embedding = np.asarray(embedding)
  layers = [(np.asarray(w), np.asarray(b)) for w, b in layers]
  total = 0.0
  for batch in (pairs[:4], pairs[4:]):
    plain = embedding.tolist(), [(w.tolist(), b.tolist()) for w, b in layers]
    total += len(batch) * references.loss(*plain, batch)
    embedding_grad, grads = references.gradient(*plain, batch)
    embedding = embedding - 0.1 * np.asarray(embedding_grad)
    layers = [
      (w - 0.1 * np.asarray(dw), b - 0.1 * np.asarray(db))
      for (w, b), (dw, db) in zip(layers, grads)
    ]
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6),
    state.params,
    text_net.from_torch_layout(embedding, layers),
  )
  assert float(info.loss) == pytest.approx(total / 6, rel=1e-5)


def test_a_shuffled_epoch_sees_every_pair_once_in_its_own_order():
  before, step = _epoch(3, shuffle=True)
  _, info = step(jax.random.key(1), 0.0)
  pairs = text_net.SIX.pairs.tolist()
  full = references.loss(*text_net.to_torch_layout(before.params), pairs)
  np.testing.assert_allclose(info.loss, full, rtol=1e-6)
  one, _ = step(jax.random.key(1), 0.1)
  two, _ = step(jax.random.key(2), 0.1)
  assert np.any(one.params.embedding != two.params.embedding)


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    ({'vocabulary_size': 1}, 'vocabulary_size must be >= 2'),
    ({'hidden_dims': ()}, 'hidden_dims one or more'),
    ({'hidden_dims': (2, 0)}, 'hidden_dims one or more'),
    ({'vocabulary_size': 6}, r'tokens must lie in 0\.\.5'),
    ({'pairs': np.zeros((0, 2), int)}, 'shape'),
    ({'batch_size': 7}, r'batch_size must lie in 1\.\.6: 7'),
    ({'init': 'zeros'}, "unknown init 'zeros': choose from torch, flax"),
  ],
)
def test_what_cannot_be_made(change, message):
  with pytest.raises(ValueError, match=message):
    text_net.make(**change)


def test_an_epoch_needs_a_batch():
  with pytest.raises(ValueError, match='batch_size must be >= 1: 0'):
    _epoch(0, shuffle=True)
