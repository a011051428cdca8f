"""Derivative rules that close over arrays, and what rules are told of."""

import functools

import jax
from jax import lax
from jax.experimental.ode import odeint
import jax.numpy as jnp
import pytest

from tests.lanes.small_program import X, check_compiled
from toyjax.lanes import lanes

TABLE = jnp.asarray([2.0, 3.0])


def _scaled_forward():
  function = jax.custom_jvp(lambda v: v * TABLE[1])
  function.defjvp(lambda p, t: (function(*p), t[0] * 10 * TABLE[0]))
  return function


def _scaled_backward(**options):
  function = jax.custom_vjp(lambda v: v * TABLE[1])
  function.defvjp(
    lambda v: (v * TABLE[1], v),
    lambda v, slope: (slope * v * 10 * TABLE[0],),
    **options,
  )
  return function


CLOSED_OVER = {
  'custom_jvp': _scaled_forward(),
  'custom_vjp': _scaled_backward(),
  'optimize_remat': _scaled_backward(optimize_remat=True),
  'in_jit': jax.jit(_scaled_backward()),
  'in_a_loop': lambda v: lax.scan(
    lambda c, _: (_scaled_backward()(c) / 9, None), v, length=2
  )[0],
  'in_a_branch': lambda v: lax.cond(
    v[0] > 0, _scaled_backward(), _scaled_forward(), v
  ),
  'ode': lambda v: odeint(lambda y, t: -y * TABLE[1], v, jnp.arange(2.0)),
}


@pytest.mark.parametrize('name', CLOSED_OVER)
def test_constants_have_no_derivative(name):
  check_compiled(
    lambda mapper: jax.grad(lambda x: jnp.sum(mapper(CLOSED_OVER[name])(x))), X
  )


def test_a_rule_that_closes_over_a_step():
  def fun(v):
    weight = lax.stop_gradient(jnp.sin(v))
    function = jax.custom_jvp(lambda u: u * weight)
    function.defjvp(lambda p, t: (function(*p), t[0] * weight * 7))
    return function(v)

  check_compiled(lambda mapper: jax.grad(lambda x: jnp.sum(mapper(fun)(x))), X)


def test_arrays_closed_over_cannot_be_differentiated():
  def slope(mapper, table):
    function = jax.custom_vjp(lambda v: v * table[1])
    function.defvjp(lambda v: (v * table[1], None), lambda _, g: (g * 10,))
    return jnp.sum(mapper(function)(X))

  for mapper in (jax.vmap, lanes):
    with pytest.raises(Exception, match=r'closed-over|unexpected tracer'):
      jax.grad(functools.partial(slope, mapper))(TABLE)


@pytest.mark.parametrize('moved', [(0,), (1,), (0, 1)])
def test_rules_know_what_is_not_differentiated(moved):
  zero = jax.custom_derivatives.SymbolicZero

  forward = jax.custom_jvp(lambda v, w: v * w)
  forward.defjvp(
    lambda p, t: (
      forward(*p),
      sum(
        p[1 - k] * 100 if isinstance(t[k], zero) else t[k] * p[1 - k]
        for k in (0, 1)
      ),
    ),
    symbolic_zeros=True,
  )
  backward = jax.custom_vjp(lambda v, w: v * w)
  backward.defvjp(
    lambda v, w: (
      v.value * w.value,
      (v.value * (1 + w.perturbed), w.value * (1 + v.perturbed)),
    ),
    lambda saved, slope: (slope * saved[1], slope * saved[0]),
    symbolic_zeros=True,
  )

  def slopes(mapper):
    def run(*arguments):
      tangents = [jnp.ones_like(arguments[k]) for k in moved]

      def of_moved(function, *some):
        full = list(arguments)
        for k, argument in zip(moved, some):
          full[k] = argument
        return mapper(function)(*full)

      some = [arguments[k] for k in moved]
      return (
        jax.jvp(functools.partial(of_moved, forward), some, tangents),
        jax.grad(
          lambda some: jnp.sum(of_moved(backward, *some)), allow_int=True
        )(some),
      )

    return run

  check_compiled(slopes, X, X + 1)


@pytest.mark.parametrize(
  'function',
  [
    jax.nn.relu,
    _scaled_backward(),
    jnp.max,
    lambda v: lax.cond(v[0] > 0, jnp.sin, jnp.cos, v),
  ],
  ids=['relu', 'custom_vjp', 'max', 'cond'],
)
def test_no_tracer_leaks(function):
  with jax.check_tracer_leaks():
    jax.eval_shape(jax.jit(lanes(function)), X)
    jax.eval_shape(jax.grad(lambda x: jnp.sum(lanes(function)(x))), X)
