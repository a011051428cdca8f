"""Small programs put together by chance: `lanes` is `jax.vmap` for each."""

from hypothesis import given, settings
from hypothesis import strategies as st
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

from tests.lanes.agreement import assert_agree
from toyjax.lanes import lanes

NUM_SEEDS = 3
MAX_STEPS = 5
# Every step is bounded by 1 in slope and adds a few roundings of its own to
# those of the values it reads.
ULPS = 16 * MAX_STEPS

TABLE = jnp.asarray([0.5, -0.75])
_scaled = jax.custom_vjp(lambda a: TABLE[0] * a)
_scaled.defvjp(
  lambda a: (TABLE[0] * a, None), lambda _, slope: (TABLE[1] * slope,)
)


def _zero(a):
  return a - lax.stop_gradient(a)


# All values are matrices of a few rows and columns; every result is squashed
# into (-1, 1), so that errors do not grow.
STEPS = {
  'sin': lambda a, b, i: jnp.sin(a),
  'add': lambda a, b, i: jnp.tanh(a + b[:1, :1]),
  'multiply': lambda a, b, i: a * b[-1:, -1:],
  'where': lambda a, b, i: jnp.where(i > 2, a, -0.5 * a),
  'matmul': lambda a, b, i: jnp.tanh(a @ a.T),
  'outer': lambda a, b, i: jnp.tanh(jnp.tensordot(a[:, 0], b[0], 0)),
  'contract': lambda a, b, i: (
    jnp.einsum('ij,kl->jk', a, b) / (a.shape[0] * b.shape[1])
  ),
  'transpose': lambda a, b, i: a.T,
  'sum_rows': lambda a, b, i: jnp.tanh(jnp.sum(a, 0, keepdims=True)),
  'max_columns': lambda a, b, i: jnp.max(a, 1, keepdims=True),
  'stack': lambda a, b, i: jnp.concatenate([a[:2, :1], b[:1, :1]]),
  'reverse': lambda a, b, i: a[::-1, ::-1],
  'flatten': lambda a, b, i: a.reshape(1, -1)[:, :4],
  'cumsum': lambda a, b, i: jnp.cumsum(a, 0) / a.shape[0],
  'take_row': lambda a, b, i: lax.dynamic_slice_in_dim(a, i, 1, 0),
  'set_row': lambda a, b, i: a.at[i % a.shape[0]].set(b[0, 0]),
  'gather': lambda a, b, i: a[jnp.stack([i % a.shape[0], 0 * i])],
  'cond': lambda a, b, i: lax.cond(
    i % 2 == 0, lambda a: a * 0.5, lambda a: -a, a
  ),
  'loop': lambda a, b, i: lax.fori_loop(
    i * 0, i, lambda k, c: 0.5 * c + 0.5 * a / (k + 2), a
  ),
  'scan': lambda a, b, i: lax.scan(
    lambda c, row: (0.5 * (c + row), c), b[0, 0] * jnp.ones(a.shape[1]), a
  )[1],
  # What turns at a point is at that point exactly, however it was computed.
  'root': lambda a, b, i: (
    a * lax.cond(i > 2, jnp.sqrt, lambda c: c, _zero(b[0, 0]) + (i > 2))
  ),
  'ties': lambda a, b, i: a[:1] + 0.5 * jnp.max(_zero(b)),
  'sign_of_zero': lambda a, b, i: (
    a * (jnp.arctan2(jnp.sum(jnp.where(b > 2, b, -0.0)), -1.0) / 4)
  ),
  'halves': lambda a, b, i: (
    a * (jnp.sum(jnp.asarray([256.0, 1.0, 1.0], jnp.bfloat16) + i * 0) / 512)
  ),
  'nothing': lambda a, b, i: jnp.concatenate([a, b[:0, :1] @ a[:1]]),
  'custom': lambda a, b, i: _scaled(a),
  'grad': lambda a, b, i: jax.grad(
    lambda a: jnp.sum(jnp.tanh(a) ** 2 * b[0, 0])
  )(a),
}

STEP = st.tuples(
  st.sampled_from(sorted(STEPS)), st.integers(0, 9), st.integers(0, 9)
)


SMOOTH_STEP = st.tuples(
  # A loop of unknown length has no reverse mode, and which entry is largest may
  # hang on the last bit.
  st.sampled_from(sorted(set(STEPS) - {'loop', 'max_columns'})),
  st.integers(0, 9),
  st.integers(0, 9),
)
ARGUMENTS = {
  'shapes': st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=2, max_size=3
  ),
  'mapped': st.lists(st.booleans(), min_size=4, max_size=4),
  'index_type': st.sampled_from([np.int32, np.int8, np.uint8, np.int16]),
}


def _draw(shapes, mapped, index_type):
  """Returns the arguments, and over which axis each is mapped."""
  rng = np.random.default_rng(0)
  # Something must be mapped.
  mapped = mapped[: len(shapes) + 1]
  mapped[0] |= not any(mapped)
  drawn = [rng.integers(0, 5, NUM_SEEDS).astype(index_type)]
  drawn += [
    rng.uniform(-1, 1, (NUM_SEEDS, *shape)).astype(np.float32)
    for shape in shapes
  ]
  return (
    [value if m else value[0] for m, value in zip(mapped, drawn)],
    tuple(0 if m else None for m in mapped),
  )


def _program(steps):
  def run(index, values):
    _, *values = values
    for name, first, second in steps:
      a, b = values[first % len(values)], values[second % len(values)]
      values.append(STEPS[name](a, b, index))
    return None, values

  return run


@settings(max_examples=50, deadline=None, derandomize=True)
@given(steps=st.lists(STEP, min_size=1, max_size=MAX_STEPS), **ARGUMENTS)
def test_lanes_is_vmap(steps, **drawn):
  (index, *values), axes = _draw(**drawn)
  program, in_axes = _program(steps), (axes[0], [None, *axes[1:]])
  actual, expected = jax.jit(
    lambda index, values: [
      mapper(program, in_axes)(index, values) for mapper in (lanes, jax.vmap)
    ],
  )(jnp.asarray(index), [None, *values])
  assert_agree(actual, expected, ulps=ULPS)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(steps=st.lists(SMOOTH_STEP, min_size=1, max_size=3), **ARGUMENTS)
def test_derivatives_taken_outside(steps, **drawn):
  (index, *values), axes = _draw(**drawn)
  program, in_axes = _program(steps), (axes[0], [None, *axes[1:]])

  def slopes(mapper, index, values):
    return jax.grad(
      lambda values: sum(
        jnp.mean(jnp.sin(a)) for a in mapper(program, in_axes)(index, values)[1]
      )
    )(values)

  actual, expected = jax.jit(
    lambda index, values: [
      slopes(mapper, index, values) for mapper in (lanes, jax.vmap)
    ],
  )(jnp.asarray(index), [None, *values])
  # Slopes of slopes hand errors on, too.
  assert_agree(actual, expected, ulps=8 * ULPS)
