"""Every primitive under `lanes` and under `jax.vmap`. A new one adds a row."""

import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.compiler import require_conversions
from tests.lanes.agreement import assert_agree
from tests.lanes.primitives_arrays import INDEXING, SHAPES
from tests.lanes.primitives_control import (
  CONTROL,
  RANDOM,
  custom_jvp,
  custom_vjp,
)
from tests.lanes.primitives_elementwise import ELEMENTWISE
from tests.lanes.primitives_sums import CONTRACTIONS, REDUCTIONS
from tests.lanes.traced import primitives_of
from toyjax.lanes import lanes, rules

NUM_SEEDS = 5
# Elementwise functions are the same code on vectors of another length: the
# polynomials of the vectorised ones differ from the scalar ones by a few ulps.
ELEMENTWISE_ULPS = 8
# Sums of at most 70 terms, added in another order.
SUM_ULPS = 32


TABLES = (
  ELEMENTWISE,
  SHAPES,
  INDEXING,
  REDUCTIONS,
  CONTRACTIONS,
  RANDOM,
  CONTROL,
)
ROWS = {name: row for table in TABLES for name, row in table.items()}
every_row = pytest.mark.parametrize('name', ROWS)


def _draw(name, dtype):
  """The same numbers in every run and at both precisions."""
  rng = np.random.default_rng(zlib.crc32(name.encode()))
  return [
    argument.draw(rng, (NUM_SEEDS,) if argument.mapped else (), dtype)
    for argument in ROWS[name].arguments
  ]


def _check(name, dtype, each_alone):
  """Compares lanes and vmap with the arguments mapped as the row says.

  Where `each_alone`, also with only one of them mapped, in turn.
  """
  row = ROWS[name]
  arguments = _draw(name, dtype)
  mapped = [argument.mapped for argument in row.arguments]
  choices = [mapped]
  if each_alone and sum(mapped) > 1:
    choices += [
      [k == only for k in range(len(mapped))]
      for only in range(len(mapped))
      if mapped[only]
    ]

  def run(mapper, arguments):
    return [
      mapper(row.function, in_axes=tuple(0 if m else None for m in choice))(
        *(
          leaf[0] if once and not now else leaf
          for leaf, once, now in zip(arguments, mapped, choice)
        )
      )
      for choice in choices
    ]

  # One program of both: it compiles faster than two.
  actual, expected = jax.jit(
    lambda arguments: [run(mapper, arguments) for mapper in (lanes, jax.vmap)],
  )(arguments)
  assert_agree(
    actual,
    expected,
    ulps=ELEMENTWISE_ULPS if row.per_entry else SUM_ULPS,
    per_entry=row.per_entry,
  )


def test_no_row_hides_another():
  assert len(ROWS) == sum(map(len, TABLES))


@every_row
def test_lanes_is_vmap_in_float32(name):
  _check(name, np.float32, each_alone=True)


def _is_of_integers(name):
  return not any(
    jnp.issubdtype(leaf.dtype, jnp.inexact)
    or jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    for leaf in _draw(name, np.float32)
  )


# Rows of integers alone are the same programs at both precisions.
@pytest.mark.parametrize(
  'name', [name for name in ROWS if not _is_of_integers(name)]
)
def test_lanes_is_vmap_in_float64(name):
  with jax.enable_x64(True):
    _check(name, np.float64, each_alone=False)


# Names under which some version of JAX knows a primitive that has a row.
ALIASES = {
  'jit',
  'pjit',
  'closed_call',
  'core_call',
  'checkpoint',
  'remat2',
  'copy',
  'copy_p',
  'stop_gradient',
  'add',
  'add_any',
}


def test_every_rule_has_a_row():
  found = set()
  for name, row in ROWS.items():
    one_seed = [
      leaf[0] if argument.mapped else leaf
      for leaf, argument in zip(_draw(name, np.float32), row.arguments)
    ]
    found.update(primitives_of(jax.make_jaxpr(row.function)(*one_seed).jaxpr))
  assert set(rules.RULES) - ALIASES <= found
  # And many that have none.
  assert len(found - set(rules.RULES)) > 20


@pytest.mark.parametrize('dtype', ['float16', 'bfloat16'])
def test_half_precision(dtype):
  require_conversions(dtype)
  rng = np.random.default_rng(3)
  a, b = (jnp.asarray(rng.normal(size=(4, 3, 3)), dtype) for _ in range(2))

  def function(a, b):
    return jnp.tanh(a) * 2 + b, jnp.sum(a, 0), a @ b

  # XLA adds products of halves in float32, lanes in halves: 3 roundings more.
  assert_agree(lanes(function)(a, b), jax.vmap(function)(a, b), ulps=4)


@pytest.mark.parametrize(
  ('function', 'slope'),
  [
    (jax.nn.relu, [0.0, 0.0, 1.0]),
    (custom_jvp, [1.0, 1.0, 1.0]),
    (custom_vjp, [2.0, 3.0, 4.0]),
  ],
  ids=['relu', 'custom_jvp', 'custom_vjp'],
)
def test_derivatives_taken_outside_obey_custom_rules(function, slope):
  x = jnp.asarray([-1.0, 0.0, 1.0])
  found = jax.grad(lambda x: jnp.sum(lanes(function)(x)))(x)
  np.testing.assert_array_equal(found, slope)
