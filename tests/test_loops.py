"""unroll, track and intervene against hand-counted and looped runs."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax import base, loops

KEY = jax.random.key(3)


def _counter() -> base.Dynamics:
  """State and info count the steps."""
  return base.Dynamics(
    init=lambda key: jnp.int32(0),
    step=lambda key, state: (state + 1, 10 * (state + 1)),
  )


def _walk() -> base.Dynamics:
  """A random walk: every step's key matters."""

  def step(key, state):
    move = jax.random.normal(key)
    return state + move, move

  return base.Dynamics(init=jax.random.normal, step=step)


@pytest.mark.parametrize(
  'steps',
  [[1], [7], [1, 2, 3, 7], [2, 4, 6], [5], [1, 2, 3, 4, 5, 6, 7], []],
)
def test_observes_the_state_after_each_named_step(steps):
  state, (seen, info) = loops.unroll(
    KEY, _counter(), 7, observe=lambda s, i: (s, i), observe_at=steps
  )
  assert int(state) == 7
  np.testing.assert_array_equal(seen, steps)
  np.testing.assert_array_equal(info, [10 * step for step in steps])


def test_observes_every_step_by_default_and_nothing_when_not_asked():
  _, seen = loops.unroll(KEY, _counter(), 4, observe=lambda s, i: s)
  np.testing.assert_array_equal(seen, [1, 2, 3, 4])
  state, nothing = loops.unroll(KEY, _counter(), 4)
  assert int(state) == 4
  assert jax.tree.leaves(nothing) == []


def test_no_steps_return_the_initial_state():
  state, _ = loops.unroll(KEY, _walk(), 0)
  init_key, _ = jax.random.split(KEY)
  assert float(state) == float(jax.random.normal(init_key))


def test_unroll_equals_a_python_loop_over_folded_keys():
  dynamics = _walk()
  init_key, run_key = jax.random.split(KEY)
  state = dynamics.init(init_key)
  expected = []
  for index in range(6):
    state, _ = dynamics.step(jax.random.fold_in(run_key, index), state)
    expected.append(float(state))
  _, seen = loops.unroll(
    KEY, dynamics, 6, observe=lambda s, i: s, observe_at=[2, 3, 6]
  )
  np.testing.assert_allclose(
    seen, np.asarray(expected)[[1, 2, 5]], rtol=1e-6, atol=1e-7
  )


def test_what_is_observed_does_not_change_the_run():
  ends = {
    float(
      loops.unroll(KEY, _walk(), 12, observe=lambda s, i: s, observe_at=steps)[
        0
      ]
    )
    for steps in ([], [12], [1, 5], [3, 6, 9, 12])
  }
  assert max(ends) - min(ends) < 1e-6


def test_a_longer_run_begins_with_the_shorter_one():
  short, _ = loops.unroll(KEY, _walk(), 5)
  _, seen = loops.unroll(
    KEY, _walk(), 50, observe=lambda s, i: s, observe_at=[5]
  )
  np.testing.assert_allclose(seen[0], short, rtol=1e-6)


@pytest.mark.parametrize(
  ('num_steps', 'steps', 'message'),
  [
    (5, [6], 'past the end'),
    (5, [0, 2], 'start at 1'),
    (5, [3, 3], 'must increase'),
    (-1, [], 'num_steps'),
  ],
)
def test_unroll_rejects_steps_outside_the_run(num_steps, steps, message):
  with pytest.raises(ValueError, match=message):
    loops.unroll(
      KEY, _counter(), num_steps, observe=lambda s, i: s, observe_at=steps
    )


def test_reverse_mode_through_evenly_spaced_steps_and_forward_through_any():
  def end(rate, steps):
    dynamics = base.Dynamics(
      init=lambda key: jnp.float32(1.0),
      step=lambda key, state: (state * rate, ()),
    )
    return loops.unroll(
      KEY, dynamics, 4, observe=lambda s, i: s, observe_at=steps
    )[0]

  np.testing.assert_allclose(jax.grad(end)(1.5, [2, 4]), 4 * 1.5**3, rtol=1e-6)
  np.testing.assert_allclose(
    jax.jacfwd(end)(1.5, [1, 4]), 4 * 1.5**3, rtol=1e-6
  )


def test_step_keys_are_not_held_in_an_array():
  # A split of all keys would be an array of num_steps rows in the program.
  num_steps = 12_347
  program = jax.make_jaxpr(lambda k: loops.unroll(k, _walk(), num_steps)[0])(
    KEY
  )
  assert str(num_steps) + ',' not in str(program)


def test_track_sees_every_step_and_records_the_first_crossing():
  def update(record, step, state, info):
    assert info.shape == ()
    return jnp.where((record < 0) & (state >= 4), step, record)

  dynamics = loops.track(_counter(), lambda state: jnp.int32(-1), update)
  state, _ = loops.unroll(KEY, dynamics, 9)
  assert (int(state.record), int(state.step), int(state.inner)) == (4, 9, 9)


def test_track_leaves_the_inner_run_alone():
  tracked = loops.track(
    _walk(), lambda state: state, lambda r, t, s, i: jnp.maximum(r, s)
  )
  state, seen = loops.unroll(
    KEY, tracked, 20, observe=lambda s, i: s.inner, observe_at=range(1, 21)
  )
  plain, _ = loops.unroll(KEY, _walk(), 20)
  start, _ = loops.unroll(KEY, _walk(), 0)
  np.testing.assert_allclose(state.inner, plain, rtol=1e-6)
  np.testing.assert_allclose(
    state.record, max(float(start), float(seen.max())), rtol=1e-6
  )


@pytest.mark.parametrize(
  ('at', 'expected'), [([2], 100 + 3), ([5], 100), ([2, 4], 101), (None, 100)]
)
def test_intervene_acts_after_the_named_steps(at, expected):
  dynamics = loops.intervene(_counter(), at, lambda key, state: jnp.int32(100))
  state, _ = loops.unroll(KEY, dynamics, 5)
  assert int(state.inner) == expected


def test_intervene_has_a_key_of_its_own():
  dynamics = loops.intervene(
    _counter(), [1, 2], lambda key, s: jax.random.randint(key, (), 0, 10**6)
  )
  _, seen = loops.unroll(KEY, dynamics, 3, observe=lambda s, i: s.inner)
  assert len(set(np.asarray(seen).tolist())) == 3
  with pytest.raises(ValueError, match='must increase'):
    loops.intervene(_counter(), [2, 1], lambda key, s: s)


def test_unroll_maps_over_seeds():
  keys = jax.random.split(KEY, 5)
  run = lambda key: loops.unroll(
    key, _walk(), 7, observe=lambda s, i: s, observe_at=[2, 7]
  )[1]
  mapped = jax.vmap(run)(keys)
  chex.assert_shape(mapped, (5, 2))
  np.testing.assert_allclose(
    mapped, np.stack([run(key) for key in keys]), rtol=1e-6
  )
  assert len(np.unique(mapped)) == 10


def test_log_spaced_steps_increase_to_the_end():
  assert loops.log_spaced(1000, 4) == [1, 10, 100, 1000]
  assert loops.log_spaced(4, 50) == [1, 2, 3, 4]
  assert loops.log_spaced(77, 1) == [77]
  with pytest.raises(ValueError, match='must be >= 1'):
    loops.log_spaced(0, 3)
  loops.unroll(
    KEY,
    _counter(),
    30,
    observe=lambda s, i: s,
    observe_at=loops.log_spaced(30, 9),
  )


def test_side_keys_are_none_of_a_training():
  key = jax.random.key(3)
  training = [jax.random.key_data(k).tolist() for k in jax.random.split(key)]
  beside = [
    jax.random.key_data(loops.side_key(key, use)).tolist() for use in range(50)
  ]
  # `unroll` splits: those are the fold-ins that `side_key` leaves out.
  assert training == [
    jax.random.key_data(jax.random.fold_in(key, k)).tolist() for k in range(2)
  ]
  assert len({tuple(k) for k in (*training, *beside)}) == 52
  with pytest.raises(ValueError, match='use must be'):
    loops.side_key(key, -1)
