"""What `lanes` promises beside values: axes, errors, unknown primitives."""

import functools

import jax
from jax.extend import core
from jax.interpreters import batching, mlir
import jax.numpy as jnp
import numpy as np
import pytest

from tests.lanes.small_program import (
  X,
  Y,
  check,
  check_compiled,
  normal,
  small,
)
from toyjax.lanes import lanes

# ----- axes -----


@pytest.mark.parametrize(
  ('in_axes', 'x_shape', 'y_shape'),
  [
    (0, (4, 3), (4, 2, 3)),
    (-1, (3, 4), (2, 3, 4)),
    (1, (3, 4), (2, 4, 3)),
    ((0, 1), (4, 3), (2, 4, 3)),
    ((0, -2), (4, 3), (2, 4, 3)),
    ([1, 2], (3, 4), (2, 3, 4)),
    ((None, 0), (3,), (4, 2, 3)),
    ((0, None), (4, 3), (2, 3)),
  ],
  ids=str,
)
def test_axes(in_axes, x_shape, y_shape):
  choices = [0, -1, {'final': 1, 'seen': 0}, {'final': -2, 'seen': (1, -1)}]

  def make(mapper):
    return lambda x, y: [
      mapper(small, in_axes, out_axes)(x, y) for out_axes in choices
    ]

  check_compiled(make, normal(*x_shape), normal(*y_shape))


@pytest.mark.parametrize(
  'in_axes',
  [
    0,
    (0, 0),
    ({'a': 0, 'b': (0, None)}, 0),
    ({'a': 0, 'b': 0}, None),
    ({'a': None, 'b': (None, 0)}, 0),
    ({'a': -2, 'b': (-1, -1)}, 1),
    (None, 1),
  ],
  ids=str,
)
def test_prefixes_of_nested_arguments(in_axes):
  # Every axis has four entries: each choice of axes is a program of its own.
  tree = {'a': normal(4, 4), 'b': (normal(4, 4), normal(4, 4, seed=1))}

  def fun(tree, z):
    first, second = tree['b']
    return jnp.sum(tree['a']) * jnp.sum(first) + jnp.sum(second) * z.mean()

  check(lambda m: m(fun, in_axes), tree, normal(4, 4, seed=2))


def test_missing_leaves_stay_missing():
  tree = {'a': normal(4, 3), 'b': None}
  check(lambda m: m(lambda t: (t['a'] * 2, t['b'], ())), tree)


def test_results_that_do_not_vary():
  x, y = normal(4, 3), normal(2)

  def fun(x, y):
    return x + 1, jnp.sin(y), 2.0, jnp.arange(3), y

  found = lanes(fun, (0, None), (0, None, None, None, None))(x, y)
  expected = jax.vmap(fun, (0, None), (0, None, None, None, None))(x, y)
  assert found[1].shape == (2,)
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-6), found, expected
  )
  # Where an axis is asked for, they are repeated.
  repeated = lanes(fun, (0, None), (0, 0, 0, 1, -1))(x, y)
  assert [leaf.shape for leaf in repeated] == [
    (4, 3),
    (4, 2),
    (4,),
    (3, 4),
    (2, 4),
  ]
  np.testing.assert_array_equal(repeated[3], np.tile(np.arange(3)[:, None], 4))


def test_constants_are_repeated_for_every_seed():
  check(lambda m: m(lambda x: (jnp.ones((2, 3)), 1, True)), normal(4))


def test_python_numbers_that_are_not_mapped_stay_what_they_are():
  x = jnp.ones((3, 2), jnp.bfloat16)
  assert lanes(lambda x, c: x * c, (0, None))(x, 2.5).dtype == jnp.bfloat16
  check(lambda m: m(lambda x, n: x.sum() * len(range(n)), (0, None)), x, 4)


def test_types_follow_weakly_typed_arguments():
  weak = jnp.broadcast_to(2.0, (3,))
  assert weak.weak_type
  found = lanes(lambda a, b: a * b)(jnp.ones(3, jnp.bfloat16), weak)
  assert found.dtype == jnp.bfloat16


def test_one_seed_and_no_seed():
  for size in (1, 0):
    check(lambda m: m(small), normal(size, 3), normal(size, 2, 3))


def test_numpy_arguments():
  check(lambda m: m(small), np.ones((4, 3)), np.ones((4, 2, 3)))


# ----- errors, as those of jax.vmap -----


@pytest.mark.parametrize(
  ('fun', 'in_axes', 'out_axes', 'shapes'),
  [
    (jnp.sin, None, 0, [(3,)]),
    (jnp.add, (None, None), 0, [(3,), (3,)]),
    (jnp.add, 0, 0, [(3,), (4,)]),
    (jnp.add, (0, 1), 0, [(3, 3), (3, 2)]),
    (jnp.sin, 2, 0, [(3, 3)]),
    (jnp.sin, -3, 0, [(3, 3)]),
    (jnp.sin, 0, 0, [()]),
    (jnp.sin, (0, 0), 0, [(3,)]),
    (jnp.sin, ((0, 0),), 0, [(3,)]),
    (jnp.sin, 0, None, [(3,)]),
    (jnp.sin, 0, 2, [(3,)]),
    (jnp.sin, 0, (0, 0), [(3,)]),
  ],
  ids=[
    'nothing_mapped',
    'none_of_two_mapped',
    'sizes_differ',
    'sizes_of_axes_differ',
    'axis_too_large',
    'axis_too_small',
    'scalar',
    'too_many_axes',
    'no_prefix',
    'varies_but_shared',
    'result_axis_too_large',
    'no_prefix_of_results',
  ],
)
def test_errors(fun, in_axes, out_axes, shapes):
  args = [jnp.ones(shape) for shape in shapes]
  for mapper in (jax.vmap, lanes):
    with pytest.raises(ValueError):  # noqa: PT011 (the words are JAX's)
      mapper(fun, in_axes, out_axes)(*args)


def test_errors_name_the_values():
  with pytest.raises(ValueError, match=r'size 3.*\n.*size 4'):
    lanes(jnp.add)(jnp.ones(3), jnp.ones(4))
  with pytest.raises(ValueError, match=r'axis 2\b.* \(3, 3\)'):
    lanes(jnp.sin, 2)(jnp.ones((3, 3)))


# ----- primitives that nobody told lanes about -----


@pytest.fixture
def scaled_total():
  """A primitive of the user's own: scale · Σ x over the last axis."""
  primitive = core.Primitive('scaled_total')

  def implementation(x, *, scale):
    return scale * x.sum(-1)

  primitive.def_impl(implementation)
  primitive.def_abstract_eval(
    lambda x, *, scale: jax.core.ShapedArray(x.shape[:-1], x.dtype)
  )
  mlir.register_lowering(
    primitive, mlir.lower_fun(implementation, multiple_results=False)
  )

  def batched(args, axes, *, scale):
    (x,), (axis,) = args, axes
    return primitive.bind(jnp.moveaxis(x, axis, 0), scale=scale), 0

  batching.primitive_batchers[primitive] = batched
  yield functools.partial(primitive.bind, scale=3.0)
  del batching.primitive_batchers[primitive]


def test_an_unknown_primitive_works(scaled_total):
  def fun(x, y):
    return scaled_total(jnp.sin(x)), scaled_total(y) + x[:2]

  check(lambda m: m(fun), X, Y)
  check(lambda m: jax.jit(m(fun)), X, Y)
  np.testing.assert_allclose(
    lanes(scaled_total)(X), 3 * np.sum(X, 1), rtol=1e-5
  )


def test_callbacks_work():
  def fun(x):
    shape = jax.ShapeDtypeStruct((), x.dtype)
    return jax.pure_callback(
      lambda x: np.sum(x, -1), shape, x, vmap_method='expand_dims'
    )

  check(lambda m: jax.jit(m(fun)), X)
