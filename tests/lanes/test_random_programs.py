"""Small programs put together by chance: `lanes` is `jax.vmap` for each."""

from hypothesis import given, settings
from hypothesis import strategies as st
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

from tests.compiler import FAST
from tests.lanes.agreement import assert_agree
from toyjax.lanes import lanes

NUM_SEEDS = 3
MAX_STEPS = 5
# Every step is bounded by 1 in slope and adds a few roundings of its own to
# those of the values it reads.
ULPS = 16 * MAX_STEPS

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
    0, i, lambda k, c: 0.5 * c + 0.5 * a / (k + 2), a
  ),
  'scan': lambda a, b, i: lax.scan(
    lambda c, row: (0.5 * (c + row), c), b[0, 0] * jnp.ones(a.shape[1]), a
  )[1],
  'grad': lambda a, b, i: jax.grad(
    lambda a: jnp.sum(jnp.tanh(a) ** 2 * b[0, 0])
  )(a),
}

STEP = st.tuples(
  st.sampled_from(sorted(STEPS)), st.integers(0, 9), st.integers(0, 9)
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
  shapes=st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=2, max_size=3
  ),
  mapped=st.lists(st.booleans(), min_size=4, max_size=4),
  steps=st.lists(STEP, min_size=1, max_size=MAX_STEPS),
)
def test_lanes_is_vmap(shapes, mapped, steps):
  rng = np.random.default_rng(0)
  # Something must be mapped.
  mapped = mapped[: len(shapes) + 1]
  mapped[0] |= not any(mapped)
  arguments = [
    np.asarray(value, dtype)[() if is_mapped else 0]
    for is_mapped, (value, dtype) in zip(
      mapped,
      [
        (rng.integers(0, 5, NUM_SEEDS), np.int32),
        *(
          (rng.uniform(-1, 1, (NUM_SEEDS, *shape)), np.float32)
          for shape in shapes
        ),
      ],
    )
  ]

  def program(index, *values):
    values = list(values)
    for name, first, second in steps:
      a, b = values[first % len(values)], values[second % len(values)]
      values.append(STEPS[name](a, b, index))
    return values

  axes = tuple(0 if is_mapped else None for is_mapped in mapped)
  actual, expected = jax.jit(
    lambda *args: [
      mapper(program, axes)(*args) for mapper in (lanes, jax.vmap)
    ],
    compiler_options=FAST,
  )(*arguments)
  assert_agree(actual, expected, ulps=ULPS)
