"""Derivatives taken outside of `lanes`: those of `jax.vmap`, at kinks, too."""

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.lanes import lanes

V = jnp.asarray([0.0, 4.0, -1.0, 0.25])
TABLE = jnp.asarray([2.0, 3.0])


def _slopes(make, *arguments):
  """Returns those of lanes, held to those of jax.vmap in every mode."""

  def run(mapper, arguments):
    mapped = make(mapper)
    places = tuple(range(len(arguments)))
    tangents = tuple(jnp.full_like(a, 0.5) for a in arguments)
    return (
      jax.grad(lambda *args: jnp.sum(mapped(*args)), places)(*arguments),
      jax.jvp(mapped, arguments, tangents),
    )

  found, expected = jax.jit(
    lambda *arguments: [run(m, arguments) for m in (lanes, jax.vmap)],
  )(*arguments)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6),
    found,
    expected,
  )
  return found[0]


# ----- branches: what is not taken has no derivative, not even NaN -----


def _root(a):
  return lax.cond(a > 0, jnp.sqrt, lambda a: a, a)


BRANCHES = {
  'cond': _root,
  'closed_over': lambda a: lax.cond(a > 0, lambda: jnp.sqrt(a), lambda: a),
  'nested': lambda a: lax.cond(
    a > 0,
    lambda a: lax.cond(a > 1, lambda a: jnp.log(a - 1), jnp.sqrt, a),
    lambda a: a,
    a,
  ),
  'switch': lambda a: lax.switch(
    jnp.sign(a).astype(jnp.int32) + 1, [lambda a: a, jnp.sin, jnp.sqrt], a
  ),
  'jit': jax.jit(_root),
  'checkpoint': jax.checkpoint(_root),
  'scan': lambda a: lax.scan(lambda c, _: (_root(c), c), a, length=2)[0],
  'fori_loop': lambda a: lax.fori_loop(0, 2, lambda _, c: _root(c), a),
  'vmap': lambda a: jnp.sum(jax.vmap(_root)(jnp.stack([a, -a]))),
  'integers': lambda a: lax.cond(
    a > 0, lambda a, n: jnp.sqrt(a) * n, lambda a, n: a + n, a, 3
  ),
}


@pytest.mark.parametrize('name', BRANCHES)
def test_branches_not_taken(name):
  (slopes,) = _slopes(lambda m: m(BRANCHES[name]), V)
  assert np.all(np.isfinite(slopes))


def test_branches_not_taken_without_jit():
  slopes = jax.grad(lambda v: jnp.sum(lanes(_root)(v)))(V)
  np.testing.assert_allclose(slopes, [1.0, 0.25, 1.0, 1.0], rtol=1e-6)


def test_an_operand_of_all_seeds():
  def divide(a, w):
    return lax.cond(a > 0, lambda a, w: a / w[0], lambda a, w: a * w[1], a, w)

  _, slopes = _slopes(
    lambda m: m(divide, (0, None)), -1 - jnp.abs(V), jnp.asarray([0.0, 2.0])
  )
  assert np.all(np.isfinite(slopes))


def test_effects_in_branches_are_refused():
  def shout(a):
    return jax.experimental.io_callback(lambda a: a, a, a)

  def branch(a):
    return lax.cond(a > 0, shout, lambda a: a, a)

  def loop(a):
    return lax.while_loop(lambda a: a < 0, lambda a: shout(a) + 1, a)

  for mapper in (jax.vmap, lanes):
    with pytest.raises(NotImplementedError, match='IO effect'):
      mapper(branch)(V)
    with pytest.raises(Exception, match='IO effect'):
      mapper(loop)(V)


def test_branches_by_platform():
  def by_platform(a):
    return lax.platform_dependent(a, cpu=jnp.sin, cuda=jnp.sin, default=jnp.cos)

  assert 'branches_platforms' in str(jax.make_jaxpr(by_platform)(1.0))
  (slopes,) = _slopes(lambda m: m(by_platform), V)
  np.testing.assert_allclose(slopes, np.cos(V), rtol=1e-5)


# ----- equal entries -----

TIES = jnp.asarray([[1.0, 1.0, 1.0], [2.0, 2.0, 0.0], [0.0, -0.0, 0.0]])
KINKS = {
  'max': jnp.max,
  'min': jnp.min,
  'max_of_rows': lambda a: jnp.sum(jnp.max(jnp.outer(a, a), 1) * a),
  'sort': lambda a: jnp.sort(a)[0],
  'cummax': lambda a: jnp.sum(lax.cummax(a) * TABLE[0]),
  'prod': jnp.prod,
  'top_k': lambda a: jnp.sum(lax.top_k(a, 2)[0]),
  'maximum': lambda a: jnp.sum(jnp.maximum(a, a[::-1]) * a),
  'norm': lambda a: jnp.linalg.norm(a, jnp.inf),
  'softmax': lambda a: jnp.sum(jax.nn.softmax(a) * a),
  'in_a_loop': lambda a: lax.scan(
    lambda c, _: (c * jnp.max(c), jnp.max(c)), a, length=2
  )[1].sum(),
}


@pytest.mark.parametrize('name', KINKS)
def test_equal_entries(name):
  _slopes(lambda m: m(KINKS[name]), TIES)


def test_equal_maxima_share_alike():
  (slopes,) = _slopes(lambda m: m(jnp.max), TIES)
  share = [[1 / 3] * 3, [0.5, 0.5, 0.0], [1 / 3] * 3]
  np.testing.assert_allclose(slopes, share, rtol=1e-6)


def test_second_derivatives_of_a_maximum():
  def curvature(mapper, x):
    mapped = mapper(lambda a: jnp.max(a * a))
    return jax.hessian(lambda a: jnp.sum(mapped(a)))(x)

  found, expected = jax.jit(
    lambda x: [curvature(m, x) for m in (lanes, jax.vmap)],
  )(TIES)
  np.testing.assert_allclose(found, expected, rtol=1e-6)
