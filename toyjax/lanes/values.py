"""What the interpreter of `lanes` hands from step to step."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array


class Value(NamedTuple):
  """An intermediate value of the per-seed program.

  Attributes:
    array: shape of the value for one seed, then the seed axis if it varies.
    varies: whether it differs between seeds. What does not vary is computed
      once and has no seed axis.
  """

  array: Any
  varies: bool


class Context(NamedTuple):
  """What a rule may need beside its equation and operands.

  Attributes:
    size: number of seeds S.
    evaluate: (closed jaxpr, values) -> values, to walk into a sub-program.
    evaluate_in_loop: the same, into one that is run many times.
    in_loop: whether this one is.
  """

  size: int
  evaluate: Callable[[core.ClosedJaxpr, Sequence[Value]], list[Value]]
  evaluate_in_loop: Callable[[core.ClosedJaxpr, Sequence[Value]], list[Value]]
  in_loop: bool


Rule = Callable[[Context, core.JaxprEqn, Sequence[Value]], list[Value]]


def shape_of(variable: core.Var | core.Literal) -> tuple[int, ...]:
  """Returns the shape of a variable of the per-seed program."""
  aval: Any = variable.aval
  return aval.shape


def dtype_of(variable: core.Var | core.Literal) -> Any:
  """Returns the type of a variable of the per-seed program."""
  aval: Any = variable.aval
  return aval.dtype


def equations_within(jaxpr: core.Jaxpr) -> Iterator[core.JaxprEqn]:
  """Yields the equations of a program and of all programs in it."""
  for equation in jaxpr.eqns:
    yield equation
    for program in core.jaxprs_in_params(equation.params):
      yield from equations_within(program)


def mark(arrays: Sequence[Array], varies: Sequence[bool]) -> list[Value]:
  """Says of each array whether it varies."""
  return [Value(array, v) for array, v in zip(arrays, varies)]


def lift(
  context: 'Context',
  values: Sequence[Value],
  varies: Sequence[bool],
  variables: Sequence[core.Var | core.Literal],
) -> list[Array]:
  """Gives a seed axis to what shall have one."""
  return [
    spread(value, shape_of(variable), context.size) if wanted else value.array
    for value, wanted, variable in zip(values, varies, variables)
  ]


def varying(arrays: Sequence[Array]) -> list[Value]:
  """Marks arrays that end in the seed axis."""
  return [Value(array, True) for array in arrays]


def align(value: Value, rank: int) -> Array:
  """Returns the value as an array [..., S or 1] of rank + 1 axes."""
  array = value.array
  if not value.varies:
    array = lax.expand_dims(jnp.asarray(array), [np.ndim(array)])
  return lax.expand_dims(array, range(rank + 1 - array.ndim))


def spread(value: Value, shape: Sequence[int], size: int) -> Array:
  """Returns the value with its seed axis, [*shape, S]."""
  if value.varies and value.array.ndim == len(shape) + 1:
    return value.array
  if not value.varies:
    return jnp.broadcast_to(
      align(value, np.ndim(value.array)), (*np.shape(value.array), size)
    )
  return jnp.broadcast_to(align(value, len(shape)), (*shape, size))


def bind(equation: core.JaxprEqn, arrays: Sequence[Any]) -> list[Any]:
  """Applies the equation's primitive with its own parameters."""
  primitive = equation.primitive
  params = primitive.get_bind_params(equation.params)
  result = primitive.bind(*arrays, **params)
  return list(result) if primitive.multiple_results else [result]


def by_vmap(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  """The rule of every primitive that has none: `jax.vmap`, seed axis last."""
  del context
  mapped = jax.vmap(
    lambda *arrays: tuple(bind(equation, arrays)),
    in_axes=tuple(-1 if value.varies else None for value in values),
    out_axes=-1,
  )
  return varying(mapped(*(value.array for value in values)))
