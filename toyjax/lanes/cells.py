"""Evaluates a per-seed program number by number, for use inside a kernel.

A kernel keeps its numbers in registers, which have no addresses: an array can
be neither indexed nor reshaped there. So each number of the per-seed program
becomes a cell of its own, and an array is a tuple of cells. To slice, transpose
or look up is then to rename cells, before the program ever runs.

A cell is one of
  a NumPy scalar: known while the program is built,
  a traced scalar: the same for all seeds of the kernel, such as a loop counter,
  a traced vector [B]: one number for each of the kernel's B seeds,
  a pair of such cells: a random key of threefry2x32.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp
import numpy as np

from toyjax.lanes.registry import registering
from toyjax.lanes.values import bind

DTYPES = frozenset(
  map(
    jnp.dtype,
    """
    bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 bfloat16 float16
    float32 float64
    """.split(),
  )
)


class UnsupportedError(Exception):
  """The program has something that a kernel cannot do, named by the text."""


class Cells(NamedTuple):
  """An array of the per-seed program.

  Attributes:
    shape: its shape for one seed.
    items: its cells in row-major order.
  """

  shape: tuple[int, ...]
  items: tuple[Any, ...]

  def ids(self) -> np.ndarray:
    """Returns the positions of the cells, an int32 array of the shape."""
    return np.arange(len(self.items), dtype=np.int32).reshape(self.shape)

  def take(self, ids: Any) -> 'Cells':
    """Returns the cells at the positions."""
    places = np.asarray(ids)
    return Cells(places.shape, tuple(self.items[i] for i in places.flat))

  def broadcast(self, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Returns the cells of the array broadcast to a shape."""
    return self.take(np.broadcast_to(self.ids(), shape)).items

  def varies(self) -> bool:
    """Whether any cell differs between seeds."""
    return any(np.ndim(leaf) for leaf in jax.tree.leaves(self.items))


Rule = Callable[['Builder', core.JaxprEqn, Sequence[Cells]], list[Cells]]

RULES: dict[str, Rule] = {}
rule = registering(RULES)


class Dialect(NamedTuple):
  """What the compiler of a kernel understands.

  Attributes:
    rules: the rule of each primitive that has one.
    dtypes: of its numbers.
    settle: vector [B] -> the same vector in the layout of all that a loop
      carries.
  """

  rules: Mapping[str, Rule] = RULES
  dtypes: frozenset[np.dtype] = DTYPES
  settle: Callable[[Any], Any] = lambda vector: vector


class Builder(NamedTuple):
  """What a rule may need beside its equation and operands.

  Attributes:
    size: number of seeds B of the kernel.
    dialect: of its compiler.
  """

  size: int
  dialect: Dialect = Dialect()

  def evaluate(
    self, closed: core.ClosedJaxpr, operands: Sequence[Cells]
  ) -> list[Cells]:
    """Walks into a sub-program, see `evaluate`."""
    return evaluate(self, closed, operands)

  def spread(self, cell: Any) -> Any:
    """Returns the cell, or both of a pair, as a vector that loops carry."""
    if isinstance(cell, tuple):
      return tuple(map(self.spread, cell))
    return self.dialect.settle(spread(cell, self.size))

  def align(self, *cells: Any) -> list[Any]:
    """Brings cells to one shape, [] or [B], in the layout that loops carry.

    A choice by Mosaic that falls on a constant of no layout has no sign: its
    integers are compared as if they had none.
    """
    if not any(map(np.ndim, cells)):
      return list(cells)
    return [cell if np.ndim(cell) else self.spread(cell) for cell in cells]


def evaluate(
  builder: Builder, closed: core.ClosedJaxpr, operands: Sequence[Cells]
) -> list[Cells]:
  """Evaluates a per-seed program on cells.

  Args:
    builder: of the kernel.
    closed: the program for one seed.
    operands: its arguments.

  Returns:
    Its results.

  Raises:
    UnsupportedError: where a primitive has no rule, or a rule cannot do it.
  """
  rules, dtypes = builder.dialect.rules, builder.dialect.dtypes
  for equation in closed.jaxpr.eqns:
    for variable in equation.outvars:
      check_dtype(variable.aval, dtypes)
  variables: dict[core.Var, Cells] = {}

  def read(atom: core.Var | core.Literal) -> Cells:
    if isinstance(atom, core.Literal):
      return from_known(atom.val, atom.aval)
    return variables[atom]

  for variable, value in zip(closed.jaxpr.constvars, closed.consts):
    variables[variable] = from_known(value, variable.aval)
  variables.update(zip(closed.jaxpr.invars, operands))
  for equation in closed.jaxpr.eqns:
    arguments = [read(atom) for atom in equation.invars]
    name = equation.primitive.name
    if is_known(arguments) and name not in ('while', 'scan', 'cond'):
      results = _evaluate_known(equation, arguments)
    elif name in rules:
      results = rules[name](builder, equation, arguments)
    else:
      raise UnsupportedError(name)
    variables.update(zip(equation.outvars, results))
  return [read(atom) for atom in closed.jaxpr.outvars]


def check_dtype(aval: Any, dtypes: frozenset[np.dtype] = DTYPES) -> None:
  """Raises `UnsupportedError` on an array that a kernel has no numbers for."""
  dtype = getattr(aval, 'dtype', None)
  if dtype is None:
    raise UnsupportedError(f'values of type {aval}')
  if not is_key(dtype) and jnp.dtype(dtype) not in dtypes:
    raise UnsupportedError(f'numbers of type {dtype}')


# ----- known cells -----


def is_known(operands: Sequence[Cells]) -> bool:
  """Whether all cells are known while the program is built."""
  return all(
    is_known_cell(leaf)
    for operand in operands
    for leaf in jax.tree.leaves(operand.items)
  )


def is_known_cell(cell: Any) -> bool:
  """Whether the cell is known while the program is built."""
  return isinstance(cell, np.generic)


def from_known(value: Any, aval: Any) -> Cells:
  """Returns the cells of a constant; raises where it is traced."""
  if isinstance(value, jax.core.Tracer):
    raise UnsupportedError('a constant that is traced')
  if is_key(aval.dtype):
    data = np.asarray(jax.random.key_data(value)).reshape((-1, 2))
    return Cells(aval.shape, tuple((pair[0], pair[1]) for pair in data))
  array = np.asarray(value, aval.dtype)
  return Cells(array.shape, tuple(array.reshape(-1)))


def is_key(dtype: Any) -> bool:
  """Whether the type is a key of threefry2x32; raises on other keys."""
  if not jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key):
    return False
  if str(dtype) != 'key<fry>':
    raise UnsupportedError(f'random keys of type {dtype}')
  return True


def _to_known(cells: Cells, aval: Any) -> Any:
  """The inverse of `from_known`."""
  if is_key(aval.dtype):
    data = np.asarray(cells.items, np.uint32).reshape((*cells.shape, 2))
    return jax.random.wrap_key_data(jnp.asarray(data), impl='threefry2x32')
  return jnp.asarray(np.asarray(cells.items, aval.dtype).reshape(cells.shape))


def _evaluate_known(
  equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  with jax.ensure_compile_time_eval():
    values = [
      _to_known(cells, atom.aval)
      for cells, atom in zip(operands, equation.invars)
    ]
    return [
      from_known(value, variable.aval)
      for value, variable in zip(bind(equation, values), equation.outvars)
    ]


# ----- cells of one kind -----


def align(*cells: Any) -> list[Any]:
  """Brings cells to one shape, [] or [B]."""
  shape = max((np.shape(cell) for cell in cells), key=len)
  if not shape:
    return list(cells)
  return [spread(cell, shape[0]) for cell in cells]


def spread(cell: Any, size: int) -> Any:
  """Returns the cell, or both of a pair, as a vector [B]."""
  if isinstance(cell, tuple):
    return tuple(spread(half, size) for half in cell)
  return cell if np.ndim(cell) else lax.full((size,), cell)


def trace(cell: Any) -> Any:
  """Returns a cell that may be carried by a loop."""
  if isinstance(cell, tuple):
    return tuple(trace(half) for half in cell)
  return lax.full((), cell) if is_known_cell(cell) else cell
