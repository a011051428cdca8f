"""Arguments, axes and names: `lanes` reads them as `jax.vmap` does."""

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.lanes.small_program import normal
from toyjax.lanes import lanes

X = normal(3, 2)


def _same(make):
  """Holds make(lanes) to make(jax.vmap), Nones and weak types included."""
  found, expected = make(lanes), make(jax.vmap)
  assert jax.tree.structure(found) == jax.tree.structure(expected)
  for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected)):
    assert jax.typeof(a) == jax.typeof(b)
    np.testing.assert_allclose(a, b, rtol=1e-6)
  return found


# ----- None is an empty tree, never a leaf -----


def test_none_before_an_array():
  found = _same(
    lambda m: m(lambda p, y: p[1] * 2 + y)((None, X), X),
  )
  assert found.shape == X.shape


@pytest.mark.parametrize(
  ('arguments', 'in_axes'),
  [
    (((None, X), X), ((None, 0), 0)),
    (((None, X), X.T), ((0, 0), 1)),
    (((None, X.T), X), ((0, 1), 0)),
    (({'a': None, 'b': X}, X), ({'a': 0, 'b': None}, 0)),
    (({'a': None, 'b': X.T}, X), ({'a': None, 'b': 1}, 0)),
    ((None, X), (None, 0)),
    ((None, X), 0),
    (([X, None, (None, X.T)], X), [[0, 0, (None, 1)], 0]),
  ],
  ids=str,
)
def test_none_in_arguments(arguments, in_axes):
  _same(
    lambda m: m(lambda *args: jax.tree.map(jnp.sin, args), in_axes)(*arguments)
  )


@pytest.mark.parametrize(
  'out_axes', [0, 1, (None, 1, (0, 0)), (0, 1, (None, -1)), (1, 0, 1)], ids=str
)
def test_none_in_results(out_axes):
  _same(lambda m: m(lambda a: (None, a, (None, a * 2)), 0, out_axes)(X))


def test_nothing_but_none():
  assert lanes(lambda a: None)(X) is None
  assert lanes(lambda a: None, 0, None)(X) is None
  with pytest.raises(ValueError, match='at least one argument'):
    lanes(lambda a: a)(None)


# ----- keyword arguments and sizes -----


def test_keyword_arguments_are_mapped_over_their_first_axis():
  _same(lambda m: m(lambda a, *, b: a * b)(X, b=X + 1))
  _same(lambda m: m(lambda a, b: a * b.sum(), 1)(X.T, b=X))
  _same(lambda m: m(lambda a, b: a * b[1], None)(X, b=(None, jnp.ones(4))))
  _same(lambda m: m(lambda a=2.0, b=None: b['x'] * a)(b={'x': X, 'y': None}))
  with pytest.raises(ValueError, match='rank'):
    lanes(lambda a, b: a * b)(X, b=2.0)


def test_axis_size():
  _same(lambda m: m(lambda: (jnp.arange(3.0), 1.0), axis_size=4)())
  _same(lambda m: m(jnp.sin, None, axis_size=4)(X))
  _same(lambda m: m(jnp.sin, None, None, axis_size=4)(X))
  _same(lambda m: m(jnp.sin, axis_size=3)(X))
  with pytest.raises(ValueError, match='axis_size'):
    lanes(jnp.sin, axis_size=4)(X)


# ----- errors -----


@pytest.mark.parametrize(
  'axes', [{'a': 0}, True, (True,), 0.0, 'a', np.int32(0), {0}], ids=repr
)
def test_axes_that_are_no_integers(axes):
  for mapper in (jax.vmap, lanes):
    with pytest.raises(TypeError, match='in_axes must be'):
      mapper(lambda a: a, in_axes=axes)
    if not isinstance(axes, tuple | dict):
      with pytest.raises(TypeError, match='out_axes must be'):
        mapper(lambda a: a, out_axes=axes)


def test_a_result_that_jax_vmap_knows_not_to_vary():
  @jax.custom_jvp
  def constant_and_more(x):
    return jnp.ones_like(x), x

  constant_and_more.defjvp(lambda p, t: (constant_and_more(*p), (t[0], t[0])))
  _same(lambda m: m(constant_and_more, 0, (None, 0))(X))


# ----- names -----

COLLECTIVES = {
  'psum': lambda a: lax.psum(a, 'seeds'),
  'psum_of_two': lambda a: lax.psum(a, ('seeds',)),
  'pmean': lambda a: a - lax.pmean(a, 'seeds'),
  'pmax': lambda a: lax.pmax(a, 'seeds'),
  'axis_index': lambda a: a * lax.axis_index('seeds'),
  'axis_size': lambda a: a * lax.axis_size('seeds'),
  'all_gather': lambda a: lax.all_gather(a, 'seeds'),
  'ppermute': lambda a: lax.ppermute(a, 'seeds', [(0, 1), (1, 2), (2, 0)]),
  'in_a_loop': lambda a: lax.scan(
    lambda c, row: (c + lax.psum(row, 'seeds'), c), a[0], a
  ),
  'in_jit': lambda a: jax.jit(lambda a: lax.psum(a, 'seeds'))(a),
  'none': lambda a: jnp.sin(a) * 2,
}


@pytest.mark.parametrize('name', COLLECTIVES)
def test_collectives(name):
  _same(lambda m: m(COLLECTIVES[name], axis_name='seeds')(X))


def test_a_collective_in_a_derivative():
  double = jax.custom_vjp(lambda a: 2 * a)
  double.defvjp(lambda a: (2 * a, None), lambda _, g: (lax.psum(g, 'seeds'),))
  _same(
    lambda m: jax.grad(
      lambda x: jnp.sum(jnp.sin(m(double, axis_name='seeds')(x)))
    )(X)
  )


def test_names_of_other_maps():
  def both(a):
    return lax.psum(a, 'outer') + lax.pmean(a, 'inner')

  _same(
    lambda m: jax.vmap(m(both, axis_name='inner'), axis_name='outer')(
      jnp.stack([X, 2 * X])
    )
  )
  for mapper in (jax.vmap, lanes):
    with pytest.raises(NameError, match='unbound axis name'):
      mapper(lambda a: lax.psum(a, 'other'), axis_name='seeds')(X)


def test_a_name_alone_changes_no_layout():
  named = jax.make_jaxpr(lanes(lambda a: a @ a, axis_name='seeds'))(X)
  assert 'dot_general' not in str(named)


@pytest.mark.parametrize(
  'argument', ['sin', jnp.sin, object()], ids=['text', 'function', 'object']
)
def test_any_object_may_be_an_argument_that_is_not_mapped(argument):
  def apply(a, what):
    if isinstance(what, str):
      what = getattr(jnp, what)
    return what(a) if callable(what) else a * 2

  _same(lambda m: m(apply, (0, None))(X, argument))
