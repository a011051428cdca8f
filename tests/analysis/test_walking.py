"""Walks through small nets, and the readers of users' parameters."""

from flax import nnx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.toys import sqrt_net
from toyjax.analysis.nets import dense_layers, walking
from toyjax.toys import sqrt_mlp, text_mlp

WORDS = ('hello', 'world', 'cat', 'dog', '!')
# The walk of 'hello' the source prints (reference.md, 3.1): a dead first layer,
# so that z2 and the logits are answered by biases. Weights that give it.
HELLO = dense_layers.Stack(
  np.asarray([[1.2168, -1.0984], [0, 0], [0, 0], [0, 0], [0, 0]]),
  (
    dense_layers.Layer(np.zeros((2, 2)), np.asarray([-0.8196, -1.3902])),
    dense_layers.Layer(np.ones((2, 2)), np.asarray([-0.0032, 2.0367])),
    dense_layers.Layer(
      np.zeros((5, 2)),
      np.asarray([-0.9126, 5.2600, -1.6364, -3.1031, 2.5357]),
    ),
  ),
)


class _LinenNet(nn.Module):
  """Eleven layers, so that sorted keys are out of order."""

  @nn.compact
  def __call__(self, x):
    for _ in range(10):
      x = nn.relu(nn.Dense(2)(x))
    return nn.Dense(3)(x)


class _NnxNet(nnx.Module):
  """An embedding and two layers, their names not in alphabetical order."""

  def __init__(self, rngs):
    self.words = nnx.Embed(5, 2, rngs=rngs)
    self.second = nnx.Linear(2, 3, rngs=rngs)
    self.first = nnx.Linear(3, 5, use_bias=False, rngs=rngs)

  def __call__(self, token):
    return self.first(nnx.relu(self.second(self.words(token))))


def test_the_published_walk_reads_as_printed():
  walked = walking.walk(HELLO, 0)
  assert walked.dead_layers == (1,)
  assert walked.prediction == 1
  assert walked.tied == (1,)
  assert walking.describe(walked, digits=4, words=WORDS) == (
    "input       'hello'\n"
    'embedding   [1.2168, -1.0984]\n'
    'z1          [-0.8196, -1.3902]\n'
    'a1          [0.0000, 0.0000]  (all units off)\n'
    'z2          [-0.0032, 2.0367]\n'
    'a2          [0.0000, 2.0367]\n'
    'logits      [-0.9126, 5.2600, -1.6364, -3.1031, 2.5357]\n'
    "prediction  'world'"
  )


def test_a_walk_ends_where_the_toy_does():
  toy = sqrt_net.make(num_points=3, widths=(3, 2))
  params = jax.jit(toy.init)(jax.random.key(4))
  for x in (0.0, 0.7, 4.0):
    walked = walking.walk(params, x)
    names = [value.name for value in walked.values]
    assert names == ['z1', 'a1', 'z2', 'a2', 'output']
    assert walked.prediction is None
    assert walked.tied == ()
    assert walked.values[-1].numbers.dtype == np.float32
    np.testing.assert_allclose(
      walked.values[-1].numbers[0],
      sqrt_mlp.apply(params, jnp.float32(x)),
      rtol=1e-5,
    )
    hidden = sqrt_mlp.hidden_values(params, jnp.float32(x))
    for value, a in zip(walked.values[1::2], hidden):
      np.testing.assert_allclose(value.numbers, a, rtol=1e-5, atol=1e-7)
  text = walking.describe(walked, digits=2)
  assert text.splitlines()[0] == 'input       4.00'
  assert text.splitlines()[-1].startswith('prediction  ')


def test_kernels_of_a_record_are_transposed():
  # All layers are square, so that shapes do not tell a kernel from a weight.
  rng = np.random.default_rng(0)
  params = text_mlp.Params(
    rng.normal(size=(3, 3)).astype(np.float32),
    tuple(
      text_mlp.Layer(*(rng.normal(size=s).astype(np.float32) for s in shapes))
      for shapes in [((3, 3), (3,))] * 3
    ),
  )
  for token in range(3):
    walked = walking.walk(params, token)
    expected = text_mlp.activate(params, token)
    values = {value.name: value.numbers for value in walked.values}
    for k, z in enumerate(expected.pre_activations, start=1):
      np.testing.assert_allclose(values[f'z{k}'], z, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
      values['logits'], expected.logits, rtol=1e-5, atol=1e-6
    )


def test_a_tie_is_said_and_the_first_is_taken():
  net = [(np.zeros((3, 1)), np.asarray([1.0, 2.0, 2.0]))]
  walked = walking.walk(net, 5.0)
  assert walked.prediction == 1
  assert walked.tied == (1, 2)
  text = walking.describe(walked, digits=1, words=('a', 'b', 'c'))
  assert text.splitlines()[-1] == (
    "prediction  'b'  (tie of 'b', 'c': the first is taken)"
  )


@pytest.mark.parametrize('shuffled', [False, True])
def test_a_linen_tree_is_read_in_the_order_of_its_numbers(shuffled):
  module, x = _LinenNet(), jnp.asarray([0.5, -1.0])
  params = module.init(jax.random.key(0), x)
  if shuffled:  # jax.tree.map sorts the keys: Dense_10 before Dense_2.
    params = jax.tree.map(lambda leaf: leaf + 0.1, params)
  walked = walking.walk(params, x)
  assert len(walked.values) == 21
  np.testing.assert_allclose(
    walked.values[-1].numbers, module.apply(params, x), rtol=1e-5
  )
  layers = [f'Dense_{k}' for k in range(11)]
  named = walking.walk(params['params'], x, names=layers)
  np.testing.assert_array_equal(
    named.values[-1].numbers, walked.values[-1].numbers
  )


def test_nnx_modules_are_read():
  module = _NnxNet(nnx.Rngs(0))
  for names in (None, ('words', 'second', 'first')):
    walked = walking.walk(module, 3, names=names)
    assert walked.values[0].name == 'embedding'
    np.testing.assert_allclose(
      walked.values[-1].numbers, module(jnp.asarray(3)), rtol=1e-5
    )
  rngs = nnx.Rngs(1)
  sequence = nnx.Sequential(
    nnx.Linear(1, 3, rngs=rngs), nnx.relu, nnx.Linear(3, 1, rngs=rngs)
  )
  np.testing.assert_allclose(
    walking.walk(sequence, 0.3).values[-1].numbers,
    sequence(jnp.asarray([0.3])),
    rtol=1e-5,
  )


LAYER = {'kernel': np.ones((2, 2)), 'bias': np.ones(2)}


@pytest.mark.parametrize(
  ('params', 'message'),
  [
    ([], 'no dense layer'),
    ([(np.ones((2, 1)), np.ones(3))], r'layer 0: weight \(2, 1\)'),
    (
      [(np.ones((2, 1)), np.ones(2)), (np.ones((1, 3)), np.ones(1))],
      'layer 1 takes 3 inputs, but 2 come in',
    ),
    ([(np.full((1, 1), np.nan), np.ones(1))], 'finite'),
    ({'encoder': LAYER, 'decoder': LAYER}, 'order'),
    ({'head': LAYER, 'Dense_0': LAYER}, 'order'),
    ({'MLP_0': {'Dense_0': LAYER}}, 'neither a dense layer'),
    ({'Conv_0': {'kernel': np.ones((3, 3, 1, 2))}}, r'layer 0: weight \('),
    (3.0, 'holds no dense layers'),
  ],
)
def test_what_is_no_stack_is_refused(params, message):
  with pytest.raises(ValueError, match=message):
    dense_layers.read_stack(params)


def test_wrong_inputs_and_names_are_refused():
  with pytest.raises(ValueError, match=r'integer in \[0, 5\): 5'):
    walking.walk(HELLO, 5)
  with pytest.raises(ValueError, match='integer'):
    walking.walk(HELLO, 0.5)
  with pytest.raises(ValueError, match=r'takes \[1\] inputs'):
    walking.walk([(np.ones((1, 1)), np.ones(1))], [1.0, 2.0])
  with pytest.raises(ValueError, match=r"no layer \['c'\]"):
    dense_layers.read_stack({'a': LAYER}, names=['a', 'c'])
  with pytest.raises(ValueError, match='no layer'):
    dense_layers.read_stack(_NnxNet(nnx.Rngs(0)), names=['third'])
  with pytest.raises(ValueError, match='do not name all'):
    walking.describe(walking.walk(HELLO, 0), digits=2, words=WORDS[:3])
