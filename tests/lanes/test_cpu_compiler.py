"""What is asked of the CPU compiler suits the one at hand, and pays."""

import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp
import numpy as np
import pytest

from tests.sweep_trials import one_device
from toyjax import chunks
from toyjax.lanes import blocks, compiler, cpu_compiler_options, lanes

FIRST, SECOND = ({compiler.OPTION: passes} for passes in compiler.CHOICES)
KEPT = 'a {\n  %m = multiply(x, x)\n}\nb {\n  %n = minimum(m, c)\n}\n'
DROPPED = 'a {\n  %m = multiply(x, x)\n  %n = minimum(m, c)\n}\n'


def _two_products(w):
  """Each product is read by several fusions: of carries, of observations."""

  def step(carry, _):
    a, b = carry
    h = a @ b.T
    g = h @ b
    return (a - g, b + g[:2]), (h.sum(), g[1:] - 1.0)

  return lax.scan(step, (w, w[:2] - 1), length=4)


def _count_products(jaxpr):
  found = 0
  for equation in jaxpr.eqns:
    found += equation.primitive.name == 'mul'
    for inner in core.jaxprs_in_params(equation.params):
      found += _count_products(inner)
  return found


def _compiled_products(options):
  run = jax.jit(lanes(_two_products), compiler_options=options)
  shape = jax.ShapeDtypeStruct((blocks.BLOCK, 3, 3), np.float32)
  return run.lower(shape).compile().as_text().count(' multiply(')


def test_nothing_that_several_read_is_computed_twice():
  # Two products of matrices, of 3 and 2 terms: one multiplication each, as
  # vectors. A compiler that drops barriers makes more of them in silence.
  written = _count_products(
    jax.make_jaxpr(lanes(_two_products))(np.ones((1, 3, 3))).jaxpr
  )
  assert written == 5
  assert _compiled_products(cpu_compiler_options()) <= written


@pytest.mark.parametrize('options', [{}, FIRST, SECOND])
def test_the_probe_says_what_becomes_of_larger_programs(options):
  probe = compiler.compile_probe(options)
  assert probe is not None
  keeps = _compiled_products(options) <= 5
  assert compiler.keeps_barriers(probe) == keeps


@pytest.mark.parametrize(
  ('compiled', 'expected'),
  [
    ([KEPT, KEPT], FIRST),
    ([DROPPED, KEPT], SECOND),
    ([None, KEPT], SECOND),
    ([DROPPED, None], FIRST),
    ([DROPPED, DROPPED], FIRST),
    ([None, DROPPED], SECOND),
    ([None, None], {}),
  ],
)
def test_a_choice_that_is_refused_gives_way_to_the_next(
  monkeypatch, compiled, expected
):
  texts = dict(zip(compiler.CHOICES, compiled))
  monkeypatch.setattr(
    compiler, 'compile_probe', lambda options: texts[options[compiler.OPTION]]
  )
  assert compiler.choose.__wrapped__(compiler.CHOICES) == expected


def test_what_the_compiler_does_not_know_is_refused_without_an_error():
  assert compiler.compile_probe({'xla_no_such_option': True}) is None
  assert compiler.compile_probe({}) is not None


def test_the_choice_does_not_hang_on_the_settings_of_who_asks_first():
  for keeps in (FIRST, SECOND):
    found = compiler.compile_probe(keeps)
    with jax.disable_jit(), jax.transfer_guard('disallow'):
      again = compiler.compile_probe(keeps)
    assert compiler.keeps_barriers(found) == compiler.keeps_barriers(again)


def test_options_are_a_copy_and_keep_their_old_name():
  options = cpu_compiler_options()
  options['xla_no_such_option'] = True
  assert 'xla_no_such_option' not in cpu_compiler_options()
  from toyjax.lanes import CPU_COMPILER_OPTIONS

  assert cpu_compiler_options() == CPU_COMPILER_OPTIONS


def _flags(x):
  flags = jnp.stack([x > 0, x > 1])
  return lax.fori_loop(0, 5, lambda _, c: (c[0] ^ (c.sum() > 1)) | c, flags)


def _small_loop_of_one_for_all(x):
  # A barrier in a loop of two numbers, which becomes one function.
  loop = lax.fori_loop(
    0, 3, lambda _, c: lax.optimization_barrier(c * c) - 1.0, jnp.ones(2)
  )
  return x + loop


def _sum_in_a_loop(x):
  return lax.while_loop(
    lambda c: c < 100, lambda c: jnp.sum(jnp.stack([c, c + 1])), abs(x)
  )


@pytest.mark.parametrize(
  'trial', [_flags, _small_loop_of_one_for_all, _sum_in_a_loop]
)
def test_small_loops_compile(trial):
  xs = np.arange(-4.0, 124.0, dtype=np.float32)
  program = chunks.compile_chunk(trial, xs, one_device(), 'lanes')
  assert program.multiple == blocks.BLOCK
  np.testing.assert_array_equal(program.run(xs), jax.vmap(trial)(xs))


# XLA's CPU compiler writes rows over what it still reads in such a program
# under jax.vmap: 24 of 32 numbers are wrong.
@pytest.mark.parametrize('size', [4, blocks.BLOCK])
def test_rows_that_move_down_are_read_before_they_are_written(size):
  def move(x):
    base = x + 1
    return base.at[1:].set(base[:-1]).reshape((1, *base.shape))

  xs = np.arange(size * 8, dtype=np.int32).reshape((size, 8))
  expected = np.concatenate([xs[:, :1], xs[:, :-1]], axis=1)[:, None] + 1
  for options in (None, cpu_compiler_options()):
    run = jax.jit(lanes(move), compiler_options=options)
    np.testing.assert_array_equal(run(xs), expected)


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
@pytest.mark.parametrize('size', [16_385, 20_000, 32_768, 40_000])
def test_many_products_and_sums_are_those_of_few(dtype, size):
  """JAX 0.10.2 has other values from the 128 KiB on (jax#39103)."""
  matrix = np.arange(9.0).reshape((3, 3)) - 4
  rows = np.linspace(-2, 2, 3 * size).reshape((size, 3))
  expected = ((rows @ matrix.T) ** 2).sum(1)
  with jax.enable_x64(dtype == 'float64'):
    few = jnp.asarray(matrix, dtype)
    run = jax.jit(jax.vmap(lambda row: jnp.sum((few @ row) ** 2)))
    found = run(jnp.asarray(rows, dtype))
  # Three sums of three products each, of numbers up to 5 x 2.
  atol = 16 * np.finfo(dtype).eps * 3 * (3 * 10) ** 2
  np.testing.assert_allclose(found, expected, rtol=0, atol=atol)
