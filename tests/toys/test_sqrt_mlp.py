"""The net of one variable: model, inits, targets and outcomes."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.toys import sqrt_net
from toyjax.lanes import lanes
from toyjax.toys import sqrt_mlp
from toyjax.toys.sqrt_mlp import Dense, Outcome, Params

X = np.linspace(0.0, 4.0, 33, dtype=np.float32)
ROOTS = np.sqrt(X)


def _net(*layers):
  """Returns parameters from pairs of nested lists."""
  return Params(
    tuple(
      Dense(jnp.asarray(w, jnp.float32), jnp.asarray(b, jnp.float32))
      for w, b in layers
    )
  )


@jax.jit
def _diagnose(params, decrease=0.0, solved_rmse=0.01):
  return sqrt_mlp.diagnose(
    params,
    x=jnp.asarray(X),
    values=jnp.asarray(ROOTS),
    decrease=decrease,
    solved_rmse=solved_rmse,
    thresholds=sqrt_mlp.THRESHOLDS,
  )


@jax.jit
def _answers(params):
  return jax.vmap(sqrt_mlp.apply, in_axes=(None, 0))(params, jnp.asarray(X))


def test_apply_is_the_product_of_the_layers():
  params = jax.jit(sqrt_net.make(widths=(3, 2)).init)(jax.random.key(5))
  apply = jax.jit(sqrt_mlp.apply)
  for x in (-1.0, 0.5, 3.0):
    a = np.asarray([x])
    for weight, bias in params.layers[:-1]:
      a = np.maximum(np.asarray(weight, float) @ a + np.asarray(bias), 0)
    weight, bias = params.layers[-1]
    expected = np.asarray(weight, float) @ a + np.asarray(bias)
    answer = apply(params, jnp.float32(x))
    assert answer.shape == ()
    np.testing.assert_allclose(answer, expected[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
  ('target', 'coefficients', 'function'),
  [
    ('sqrt', (), math.sqrt),
    ('log', (), math.log),
    ('sin', (), math.sin),
    ('polynomial', (1.0, 0.0, -2.0, 0.5), lambda x: 1 - 2 * x**2 + x**3 / 2),
  ],
)
def test_the_loss_is_the_mean_square_from_the_target(
  target, coefficients, function
):
  toy = sqrt_net.make(target=target, coefficients=coefficients, low=0.5)
  batch = toy.sample(jax.random.key(0))
  np.testing.assert_allclose(batch, np.linspace(0.5, 4.0, 33), rtol=1e-6)
  zero = jax.tree.map(
    lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
    jax.eval_shape(toy.init, jax.random.key(1)),
  )
  expected = np.mean([function(float(x)) ** 2 for x in batch])
  loss = jax.jit(toy.loss)(zero, batch)
  np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_uniform_points_lie_in_the_interval_and_follow_the_key():
  toy = sqrt_net.make(spacing='uniform', low=1.0, num_points=4000)
  batch = toy.sample(jax.random.key(0))
  assert batch.min() >= 1.0
  assert batch.max() < 4.0
  # The mean of 4,000 draws, within five standard errors.
  assert abs(batch.mean() - 2.5) < 5 * 3 / math.sqrt(12 * 4000)


def test_inits_have_the_scale_of_torch_and_of_flax():
  torch, flax = (
    jax.jit(sqrt_net.make(widths=(64, 64), init=init).init)(jax.random.key(0))
    for init in ('torch_linear', 'flax_dense')
  )
  for params in (torch, flax):
    shapes = [layer.weight.shape for layer in params.layers]
    assert shapes == [(64, 1), (64, 64), (1, 64)]
  for layer, inputs in zip(torch.layers, (1, 64, 64)):
    bound = 1 / math.sqrt(inputs)
    for values in layer:
      assert np.abs(values).max() <= bound
    if layer.weight.size > 1000:
      # U(±a) has standard deviation a / √3; of 4,096 draws within 5 %.
      assert np.std(layer.weight) == pytest.approx(bound / 3**0.5, rel=0.05)
      assert np.abs(layer.bias).max() > 0.8 * bound
  assert not any(layer.bias.any() for layer in flax.layers)
  assert np.std(flax.layers[1].weight) == pytest.approx(1 / 8, rel=0.05)


def test_scale_and_dtype_leave_the_draw_alone():
  key = jax.random.key(3)
  draw = jax.jit(lambda scale: sqrt_net.make(init_scale=scale).init(key))
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, 2 * b, rtol=1e-6),
    draw(2.0),
    draw(1.0),
  )
  with jax.enable_x64(True):
    double = jax.jit(sqrt_net.make(dtype=jnp.float64).init)(key)
  assert double.layers[0].weight.dtype == np.float64
  jax.tree.map(np.testing.assert_array_equal, double, draw(1.0))


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'target': 'tan'}, 'unknown target'),
    ({'target': 'log'}, 'not defined'),
    ({'low': -1.0}, 'not defined'),
    ({'low': 4.0}, 'low must lie below high'),
    ({'high': math.inf}, 'finite'),
    ({'coefficients': (1.0,)}, 'coefficients belong'),
    ({'target': 'polynomial'}, 'needs one or more'),
    ({'widths': ()}, 'widths'),
    ({'widths': (2, 0)}, 'widths'),
    ({'num_points': 1}, 'num_points'),
    ({'init': 'zeros'}, 'unknown init'),
    ({'spacing': 'log'}, 'unknown spacing'),
  ],
)
def test_wrong_settings_are_named(changes, message):
  with pytest.raises(ValueError, match=message):
    sqrt_net.make(**changes)


# Two kinks, at 0.25 and 1, near √x; its error on the grid is 0.06.
BENT = ([[1.0], [-1.0]], [-0.25, 1.0]), ([[0.5, -0.5]], [0.85])
CASES = {
  'bent': (_net(*BENT), Outcome.ALL_LIVE, (0, 0, 2)),
  'with_a_dead_unit': (
    _net(
      ([[1.0], [-1.0], [-1.0]], [-0.25, 1.0, -1.0]),
      ([[0.5, -0.5, 9.0]], [0.85]),
    ),
    Outcome.DEAD_UNITS,
    (1, 0, 2),
  ),
  'dead_layer': (
    _net(([[-1.0], [-2.0]], [-1.0, -1.0]), ([[1.0, 1.0]], [1.3])),
    Outcome.CONSTANT,
    (2, 0, 0),
  ),
  'always_on': (
    _net(([[1.0], [-1.0]], [1.0, 5.0]), ([[0.4, 0.0]], [0.0])),
    Outcome.ONE_LINE,
    (0, 2, 0),
  ),
  'not_finite': (
    _net(([[1.0], [math.nan]], [1.0, 5.0]), ([[0.4, 0.0]], [0.0])),
    Outcome.DIVERGED,
    None,
  ),
}


@pytest.mark.parametrize('case', CASES)
def test_outcomes_of_nets_built_by_hand(case):
  params, outcome, counts = CASES[case]
  found = _diagnose(params)
  assert Outcome(int(found.outcome)) is outcome
  if counts:
    assert (found.num_dead, found.num_linear, found.num_switching) == counts
  errors = np.abs(_answers(params) - ROOTS)
  np.testing.assert_allclose(found.max_error, errors.max(), rtol=1e-5)
  np.testing.assert_allclose(found.rmse, np.sqrt(np.mean(errors**2)), rtol=1e-5)


def test_level_and_speed_decide_before_the_shape():
  params = _net(*BENT)
  rmse = float(_diagnose(params).rmse)
  code = {
    'reached': _diagnose(params, solved_rmse=1.01 * rmse),
    'falling': _diagnose(params, decrease=0.11),
    'settled': _diagnose(params, decrease=0.09),
  }
  assert code['reached'].outcome == Outcome.REACHED
  assert code['falling'].outcome == Outcome.UNRESOLVED
  assert code['settled'].outcome == Outcome.ALL_LIVE


def test_straightness_and_constancy_measure_against_the_target():
  itself = _diagnose(_net(*BENT))
  line = _diagnose(CASES['always_on'][0])
  # The line 0.4 x + 0.4 spans 1.6 of the target's 2.
  np.testing.assert_allclose(line.constancy, 0.8, rtol=1e-5)
  assert line.straightness < 1e-5
  outputs = np.asarray(_answers(_net(*BENT)))
  np.testing.assert_allclose(
    itself.straightness,
    np.sqrt(
      np.polyfit(X, outputs, 1, full=True)[1]
      / np.polyfit(X, ROOTS, 1, full=True)[1]
    )[0],
    rtol=1e-3,
  )


def test_the_order_of_the_units_does_not_matter():
  params = jax.jit(sqrt_net.make(widths=(4, 3)).init)(jax.random.key(8))
  first, second, last = params.layers
  a, b = np.asarray([2, 0, 3, 1]), np.asarray([1, 2, 0])
  other = Params(
    (
      Dense(first.weight[a], first.bias[a]),
      Dense(second.weight[b][:, a], second.bias[b]),
      Dense(last.weight[:, b], last.bias),
    )
  )
  jax.tree.map(
    lambda u, v: np.testing.assert_allclose(u, v, rtol=1e-4),
    _diagnose(params),
    _diagnose(other),
  )


def test_lanes_classify_as_one_net_does():
  cases = ('bent', 'always_on', 'dead_layer', 'not_finite')
  nets = [CASES[case][0] for case in cases]
  stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *nets)
  codes = jax.jit(lanes(lambda params: _diagnose(params).outcome))(stacked)
  assert codes.tolist() == [CASES[case][1] for case in cases]


def test_stored_quantities_give_the_same_labels():
  for case, (params, _, _) in CASES.items():
    for decrease, solved_rmse in ((0.0, 0.01), (0.2, 0.01), (0.2, 10.0)):
      found = _diagnose(params, decrease=decrease, solved_rmse=solved_rmse)
      measured = found._asdict()
      code = sqrt_mlp.label(
        is_finite=np.isfinite(found.rmse),
        decrease=decrease,
        solved_rmse=solved_rmse,
        thresholds=sqrt_mlp.THRESHOLDS,
        **{
          name: measured[name]
          for name in ('rmse', 'constancy', 'straightness', 'num_dead')
        },
      )
      assert code == found.outcome, case
