"""Gradients of large matrices, laid out as XLA multiplies them fast on a CPU.

A layer y = x W has the gradient dW = xᵀ dy, a sum over all that the batch
holds: a product whose both factors are contracted along leading axes. XLA's
fast products want the left one contracted along its last, and its other ones
slow down where dW has more rows than columns. There x is transposed first, in
the open: a copy that is small beside the product.
"""

from collections.abc import Callable, Sequence
import math
from typing import Any

import jax
from jax import lax
from jax.extend import core
from jax.sharding import NamedSharding

from toyjax.base import Array, ArrayTree
from toyjax.lanes.values import bind, dtype_of, shape_of

# Multiplications of one seed from which on the copy pays.
MIN_PRODUCTS = 2**20
# Where a program holds programs that are walked into.
_PROGRAMS = {
  'scan': ('jaxpr',),
  'while': ('cond_jaxpr', 'body_jaxpr'),
  'cond': ('branches',),
  'jit': ('jaxpr',),
  'pjit': ('jaxpr',),
}


def lay_out(trial: Callable[[Any], ArrayTree]) -> Callable[[Any], ArrayTree]:
  """Returns the same trial with its gradients of large matrices laid out.

  Args:
    trial: x -> pytree of arrays.

  Returns:
    A function of such an x, whose results may differ in last bits.
  """

  def laid_out(x: Any) -> ArrayTree:
    closed, shapes = jax.make_jaxpr(trial, return_shape=True)(x)
    results = _evaluate(closed, jax.tree.leaves(x))
    return jax.tree.unflatten(jax.tree.structure(shapes), results)

  return laid_out


def _evaluate(closed: core.ClosedJaxpr, arguments: Sequence[Any]) -> list[Any]:
  """Evaluates a program of one seed."""
  jaxpr = closed.jaxpr
  known = dict(zip(jaxpr.constvars, closed.consts))
  known.update(zip(jaxpr.invars, arguments))
  gradients: dict[core.Var, core.JaxprEqn] = {}

  def read(atom: core.Var | core.Literal) -> Any:
    return atom.val if isinstance(atom, core.Literal) else known[atom]

  for equation in jaxpr.eqns:
    operands = [read(atom) for atom in equation.invars]
    name, source = equation.primitive.name, equation.invars[0:1]
    if name == 'dot_general' and _is_gradient(equation):
      gradients[equation.outvars[0]] = equation
      results = [_product(equation, *operands)]
    elif (
      name == 'transpose'
      and isinstance(source[0], core.Var)
      and source[0] in gradients
    ):
      # The product of the factors swapped; without it XLA transposes twice.
      product = gradients[source[0]]
      left, right = map(read, product.invars)
      results = [_product(product, right, left)]
    else:
      results = bind(_laid_out_within(equation), operands)
    known.update(zip(equation.outvars, results))
  return [read(atom) for atom in jaxpr.outvars]


def _is_gradient(equation: core.JaxprEqn) -> bool:
  """Whether a product is large, of float matrices, along all leading axes."""
  (left, right), batch = equation.params['dimension_numbers']
  leading = tuple(range(len(left)))
  shapes = [shape_of(atom) for atom in equation.invars]
  kinds = {dtype_of(atom) for atom in (*equation.invars, *equation.outvars)}
  return (
    not any(batch)
    and tuple(left) == tuple(right) == leading
    and all(len(shape) == len(leading) + 1 for shape in shapes)
    and len(kinds) == 1
    and math.prod(shapes[0]) * shapes[1][-1] >= MIN_PRODUCTS
  )


def _product(equation: core.JaxprEqn, left: Array, right: Array) -> Array:
  """Returns the sum of left[i]ᵀ right[i] over all leading axes, [M, N]."""
  left, right = (x.reshape((-1, x.shape[-1])) for x in (left, right))
  axis = 0
  if left.shape[1] > right.shape[1]:
    # The barrier keeps XLA from folding the transpose into the product.
    left, axis = lax.optimization_barrier(left.T), 1
  return lax.dot_general(
    left,
    right,
    (((axis,), (0,)), ((), ())),
    precision=equation.params['precision'],
    preferred_element_type=equation.params['preferred_element_type'],
  )


def _laid_out_within(equation: core.JaxprEqn) -> core.JaxprEqn:
  """Returns the equation with the programs in it laid out."""
  params = dict(equation.params)
  for name in _PROGRAMS.get(equation.primitive.name, ()):
    params[name] = jax.tree.map(
      _laid_out,
      params[name],
      is_leaf=lambda leaf: isinstance(leaf, core.ClosedJaxpr),
    )
  return equation.replace(params=params)


def _laid_out(closed: core.ClosedJaxpr) -> core.ClosedJaxpr:
  def run(*arguments: Any) -> list[Any]:
    return _evaluate(closed, arguments)

  return jax.make_jaxpr(run)(*(_shape(v) for v in closed.jaxpr.invars))


def _shape(variable: core.Var) -> jax.ShapeDtypeStruct:
  kind: Any = variable.aval
  return jax.ShapeDtypeStruct(
    kind.shape,
    kind.dtype,
    weak_type=getattr(kind, 'weak_type', False),
    # Inside `jax.shard_map`, whether devices hold different values.
    sharding=NamedSharding(kind.sharding.mesh, kind.sharding.spec),
    manual_axis_type=kind.manual_axis_type,
  )
