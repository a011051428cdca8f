"""Labels of weights made by hand and drawn at random."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import references, references_weights
from tests.toys.labels import (
  HAND_MADE,
  SIZES,
  SOLVED,
  SOLVED_SSE,
  assert_reference_agrees,
  diagnose,
  diagnose_all,
  diagnose_one,
  diagnose_still,
  name_of,
  names_of,
  random_orthogonal,
  to_params,
)
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import THRESHOLDS, Fate, Outcome

# ----- Made by hand -----


def test_every_outcome_is_made_by_hand():
  assert {label for _, label, _ in HAND_MADE.values()} == {
    outcome.name for outcome in Outcome
  } - {'DIVERGED', 'UNRESOLVED'}  # These two have tests of their own.


@pytest.mark.parametrize('num_features', SIZES)
@pytest.mark.parametrize('case', HAND_MADE)
def test_hand_made_weights_in_any_order_and_orientation(case, num_features):
  construct, label, num_inputs = HAND_MADE[case]
  num_inputs = num_features if num_inputs == 'n' else num_inputs
  weights, bias = construct(num_features)
  assert weights.shape == (2, num_features)
  sse = references.one_hot_sse(weights, bias)
  expected, fates, inputs_on = references.diagnose(
    weights, bias, sse, SOLVED_SSE, THRESHOLDS
  )
  assert expected == label

  rng = np.random.default_rng(20)
  orders = [np.arange(num_features)]
  turns = [np.eye(2)]
  for k in range(20):
    orders.append(rng.permutation(num_features))
    turns.append(random_orthogonal(rng, 2) * [1.0, (-1.0) ** k])
  params = to_params(
    [turn @ weights[:, order] for turn, order in zip(turns, orders)],
    [bias[order] for order in orders],
  )
  found = diagnose_all(params, jnp.full(21, sse), SOLVED_SSE, THRESHOLDS)
  assert names_of(found.outcome, Outcome) == [label] * 21
  np.testing.assert_array_equal(found.shared_over, num_inputs)
  np.testing.assert_allclose(found.sse, sse, rtol=1e-4, atol=1e-4)
  for k, order in enumerate(orders):
    assert names_of(found.fates[k], Fate) == [fates[i] for i in order]
    np.testing.assert_array_equal(
      found.inputs_on[k], np.asarray(inputs_on)[order]
    )
  for fate in ('LEARNED', 'SHARED', 'MERGED', 'OFF'):
    np.testing.assert_array_equal(
      getattr(found, f'num_{fate.lower()}'), fates.count(fate)
    )


@pytest.mark.parametrize('num_features', SIZES)
def test_closed_form_sse_of_failures(num_features):
  """1 - 1/n for each dead feature, 1 for a merged pair, 1 for one off."""
  for construct, sse in (
    (references_weights.symmetric_failure, 1.0 - 1.0 / num_features),
    (HAND_MADE['two_dead'][0], 2.0 - 2.0 / num_features),
    (references_weights.merged_pair, 1.0),
    (references_weights.off_feature, 1.0),
  ):
    weights, bias = construct(num_features)
    found = diagnose_still(weights, bias).sse
    np.testing.assert_allclose(found, sse, rtol=1e-5)


@pytest.mark.parametrize('num_features', SIZES)
@pytest.mark.parametrize('case', HAND_MADE)
def test_regular_and_symmetric_need_two_hidden_dimensions(case, num_features):
  construct, label, _ = HAND_MADE[case]
  weights, bias = construct(num_features)
  flat = np.concatenate([weights, np.zeros((1, num_features))])
  turned = random_orthogonal(np.random.default_rng(21), 3) @ flat
  expected = {
    'SOLVED_REGULAR': 'SOLVED_IRREGULAR',
    # Two dead features are no single shared one.
    'SYMMETRIC_FAILURE': 'OTHER'
    if case == 'two_dead'
    else 'ASYMMETRIC_FAILURE',
  }.get(label, label)
  assert name_of(diagnose_still(flat, bias)) == expected
  assert name_of(diagnose_still(turned, bias)) == expected


@pytest.mark.parametrize(
  ('stretch', 'label'), [(1.0515, 'MERGED'), (1.0540, 'OTHER')]
)
def test_merged_distance_is_a_share_of_the_longer_row(stretch, label):
  # .0515 is less than .05 x 1.0515, and .0540 more than .05 x 1.0540.
  weights, bias = references_weights.merged_pair(7)
  weights[:, -1] *= stretch
  bias[-1] -= 1.0  # Keeps the neighbours' inputs off.
  found = diagnose_still(weights, bias)
  assert found.inputs_on.tolist() == [2, 1, 1, 1, 1, 1, 2]
  assert name_of(found) == label


NOT_FINITE = {
  'weight_nan': ('weights', np.nan),
  'weight_inf': ('weights', np.inf),
  'weight_minus_inf': ('weights', -np.inf),
  'weight_overflows': ('weights', 1e30),
  'bias_nan': ('bias', np.nan),
  'bias_inf': ('bias', np.inf),
  'bias_minus_inf': ('bias', -np.inf),
}


@pytest.mark.parametrize('place', [0, 3])
@pytest.mark.parametrize('case', NOT_FINITE)
def test_what_is_not_finite_has_diverged(case, place):
  leaf, value = NOT_FINITE[case]
  weights, bias = references_weights.symmetric_failure(6)
  (weights[1] if leaf == 'weights' else bias)[place] = value
  found = diagnose_still(weights, bias)
  assert name_of(found) == 'DIVERGED'
  assert names_of(found.fates, Fate) == ['UNDEFINED'] * 6
  assert found.shared_over == 0
  for fate in ('learned', 'shared', 'merged', 'off'):
    assert getattr(found, f'num_{fate}') == 0


# ----- Order of precedence -----


@pytest.mark.parametrize('case', HAND_MADE)
@pytest.mark.parametrize(
  ('share_left', 'falling'), [(0.5, True), (0.89, True), (0.91, False)]
)
def test_falling_sse_comes_after_solved_and_before_failure(
  case, share_left, falling
):
  construct, label, _ = HAND_MADE[case]
  weights, bias = construct(7)
  earlier = references.one_hot_sse(weights, bias) / share_left
  params = to_params(weights, bias)
  found = diagnose_one(params, earlier, SOLVED_SSE, THRESHOLDS)
  unresolved = falling and case not in SOLVED
  assert name_of(found) == ('UNRESOLVED' if unresolved else label)


def test_rising_sse_is_not_unresolved():
  params = to_params(*references_weights.off_feature(6))  # SSE 1.
  found = diagnose_one(params, 0.5, SOLVED_SSE, THRESHOLDS)
  assert name_of(found) == 'OFF'


def test_symmetric_comes_before_asymmetric():
  weights, bias = references_weights.symmetric_failure(7)
  assert name_of(diagnose_still(weights, bias)) == 'SYMMETRIC_FAILURE'
  # No norm is below zero, so that nothing is dead: the next label that fits.
  never_dead = THRESHOLDS._replace(dead_norm=0.0)
  found = diagnose_still(weights, bias, never_dead)
  assert name_of(found) == 'ASYMMETRIC_FAILURE'


# ----- One answer however it is asked -----


def test_jit_vmap_loop_and_classify_agree():
  made = [construct(7) for construct, _, _ in list(HAND_MADE.values())[::6]]
  params = to_params(*map(np.stack, zip(*made)))
  earlier = jax.vmap(relu_autoencoder.one_hot_sse)(params)
  mapped = diagnose_all(params, earlier, SOLVED_SSE, THRESHOLDS)
  for k in range(len(made)):
    one = jax.tree.map(lambda leaf, k=k: leaf[k], (params, earlier))
    single = diagnose(*one, SOLVED_SSE, THRESHOLDS)
    code = relu_autoencoder.classify(
      one[0],
      earlier_sse=one[1],
      solved_sse=SOLVED_SSE,
      thresholds=THRESHOLDS,
    )
    assert code == single.outcome
    assert code.dtype == single.outcome.dtype == jnp.int32
    others = (
      diagnose_one(*one, SOLVED_SSE, THRESHOLDS),
      jax.tree.map(lambda leaf, k=k: leaf[k], mapped),
    )
    for other in others:
      for name in relu_autoencoder.Diagnosis._fields:
        this, that = getattr(single, name), getattr(other, name)
        assert this.dtype == that.dtype
        tolerance = 1e-5 if name == 'sse' else 0.0
        np.testing.assert_allclose(this, that, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
  ('num_features', 'num_hidden'), [(2, 1), (5, 2), (7, 2), (6, 3)]
)
def test_reference_agrees_on_random_weights(num_features, num_hidden):
  rng = np.random.default_rng(22)
  scale = np.repeat([0.1, 0.3, 1.0, 3.0], 50)[:, None]
  weights = scale[:, :, None] * rng.normal(size=(200, num_hidden, num_features))
  bias = rng.normal(size=(200, num_features)) * np.minimum(scale, 1.0)
  sse = np.array([references.one_hot_sse(*case) for case in zip(weights, bias)])
  earlier = sse / rng.uniform(0.85, 1.05, size=200)
  assert len(set(assert_reference_agrees(weights, bias, earlier))) >= 3


@pytest.mark.parametrize('noise', [1e-4, 1e-3, 1e-2])
def test_reference_agrees_on_disturbed_hand_made_weights(noise):
  # Noise of the thresholds' size carries the cases over their borders.
  rng = np.random.default_rng(23)
  made = [construct(7) for construct, _, _ in HAND_MADE.values()] * 10
  weights, bias = map(np.stack, zip(*made))
  weights += noise * rng.normal(size=weights.shape)
  bias += noise * rng.normal(size=bias.shape)
  sse = np.array([references.one_hot_sse(*case) for case in zip(weights, bias)])
  assert len(set(assert_reference_agrees(weights, bias, sse))) >= 5
