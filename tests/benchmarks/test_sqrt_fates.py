"""Counts from answers in NumPy, against hand-made nets and toyjax's labels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import sqrt_fates
from toyjax.toys import sqrt_mlp

X = np.linspace(0.0, 4.0, 33)
ROOTS = np.sqrt(X)
SOLVED_RMSE = 0.05
ALL_ON = np.ones((1, 4, 33), bool)
ONE_OFF = ALL_ON & (np.arange(4) != 2)[:, None]
BENT = np.maximum(X, 1.0)


def _judge(outputs, *, earlier=None, is_on=ALL_ON, finite=True):
  return sqrt_fates.judge(
    np.asarray(outputs)[None],
    np.asarray(outputs if earlier is None else earlier)[None],
    is_on,
    np.asarray([finite]),
    x=X,
    targets=ROOTS,
    solved_rmse=SOLVED_RMSE,
    thresholds=sqrt_mlp.THRESHOLDS,
  )


def test_outcomes_have_the_names_and_order_of_toyjax():
  assert tuple(code.name for code in sqrt_mlp.Outcome) == sqrt_fates.OUTCOMES


@pytest.mark.parametrize(
  ('outputs', 'changes', 'outcome'),
  [
    (ROOTS + 0.049, {}, 'REACHED'),
    (ROOTS + 0.051, {}, 'ALL_LIVE'),
    (BENT, {'is_on': ONE_OFF}, 'DEAD_UNITS'),
    (0.5 * X + 0.4, {}, 'ONE_LINE'),
    (np.full(33, 1.3), {'is_on': ONE_OFF}, 'CONSTANT'),
    (1.3 + 0.004 * X, {}, 'CONSTANT'),
    (1.3 + 0.006 * X, {}, 'ONE_LINE'),
    (ROOTS + 0.10, {'earlier': ROOTS + 0.106}, 'UNRESOLVED'),
    (ROOTS + 0.10, {'earlier': ROOTS + 0.105}, 'ALL_LIVE'),
    (np.full(33, 1.3), {'earlier': ROOTS + 9.0}, 'UNRESOLVED'),
    (ROOTS, {'finite': False}, 'DIVERGED'),
    (np.full(33, np.nan), {'finite': False}, 'DIVERGED'),
  ],
)
def test_hand_made_answers(outputs, changes, outcome):
  fates = _judge(outputs, **changes)
  assert sqrt_fates.OUTCOMES[fates.outcome[0]] == outcome


def test_a_unit_that_is_on_at_one_point_lives():
  is_on = np.zeros((1, 4, 33), bool)
  is_on[0, 1, 7] = True
  fates = _judge(BENT, is_on=is_on)
  assert fates.num_dead[0] == 3
  counts = sqrt_fates.count(fates, 4)
  assert counts['DEAD_UNITS'] == counts['dead units: 3'] == 1
  assert sum(counts.values()) == 2
  assert list(counts)[-5:] == [f'dead units: {n}' for n in range(5)]


def test_bends_are_those_of_a_fitted_line():
  values = np.stack([ROOTS, np.sin(X), 3.0 - 2.0 * X])
  fitted = np.polyfit(X, values.T, 1)
  left = values - np.outer(fitted[0], X) - fitted[1][:, None]
  np.testing.assert_allclose(
    sqrt_fates.bends(X, values), np.linalg.norm(left, axis=1), atol=1e-12
  )


def _forward(params):
  """Answers [B] of one net and which units are on [H, B], in float64."""
  a, on = X[None], []
  for weight, bias in params.layers[:-1]:
    z = np.asarray(weight, float) @ a + np.asarray(bias, float)[:, None]
    on.append(z > 0)
    a = np.maximum(z, 0)
  weight, bias = params.layers[-1]
  outputs = np.asarray(weight, float) @ a + np.asarray(bias, float)[:, None]
  return outputs[0], np.concatenate(on)


def test_toyjax_says_the_same_of_the_same_nets():
  rng = np.random.default_rng(0)
  nets = sqrt_mlp.Params(
    tuple(
      sqrt_mlp.Dense(
        rng.uniform(-2, 2, (300, outputs, inputs)).astype(np.float32),
        rng.uniform(-2, 2, (300, outputs)).astype(np.float32),
      )
      for inputs, outputs in ((1, 2), (2, 2), (2, 1))
    )
  )
  level, decrease = 0.8, np.where(np.arange(300) % 9 == 0, 0.2, 0.05)

  def diagnose(params, decrease):
    return sqrt_mlp.diagnose(
      params,
      x=jnp.asarray(X, jnp.float32),
      values=jnp.asarray(ROOTS, jnp.float32),
      decrease=decrease,
      solved_rmse=level,
      thresholds=sqrt_mlp.THRESHOLDS,
    )

  there = jax.jit(jax.vmap(diagnose))(nets, decrease)
  each = [jax.tree.map(lambda leaf, s=s: leaf[s], nets) for s in range(300)]
  outputs, is_on = map(np.stack, zip(*map(_forward, each)))
  # Errors scaled up so that the mean square fell by just that share.
  earlier = ROOTS + (outputs - ROOTS) / np.sqrt(1.0 - decrease)[:, None]
  here = sqrt_fates.judge(
    outputs,
    earlier,
    is_on,
    np.ones(300, bool),
    x=X,
    targets=ROOTS,
    solved_rmse=level,
    thresholds=sqrt_mlp.THRESHOLDS,
  )
  assert set(here.outcome.tolist()) == set(range(1, 7))
  assert len(set(here.num_dead.tolist())) >= 4
  labels = sqrt_fates.Fates(there.outcome, there.num_dead)
  assert not sqrt_fates.differ(here, labels).any()
  moved = here._replace(num_dead=here.num_dead + 1)
  assert sqrt_fates.differ(here, moved).all()
