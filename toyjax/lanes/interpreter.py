"""Walks a per-seed program with the seed axis last."""

from collections.abc import Callable, Mapping, Sequence
import functools
from typing import Any, Literal

import jax
from jax.extend import core
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec
import numpy as np

from toyjax.base import Array
from toyjax.lanes import control, customs, kernel, rules, slices, tables
from toyjax.lanes.cells import UnsupportedError
from toyjax.lanes.values import Context, Rule, Value, bind, by_vmap, spread

# Importing them registers their rules.
RULE_MODULES = (control, customs, rules, slices, tables)

# Multiplications in one contraction of one seed above which XLA's own dot may
# be faster. Lanes are 2.8 times faster at 12,500 (n = 50, M = 5) and 0.7 times
# at 40,960 (n = 64, M = 10).
MAX_PRODUCTS = 2**14


def lanes(
  fun: Callable[..., Any],
  in_axes: Any = 0,
  out_axes: Any = 0,
  *,
  kernels: Literal['compiled', 'interpreted'] | None = None,
) -> Callable[..., Any]:
  """Maps `fun` over an axis of its arguments: `jax.vmap` in another layout.

  The results are those of `jax.vmap` up to the last bits, since sums are added
  in another order. It composes with `jax.jit`, `jax.grad`, `jax.vmap` and
  `jax.shard_map`. A program that is not tiny is handed to `jax.vmap`.

  Args:
    fun: a function of arrays, written for one seed.
    in_axes: axis to map over in each argument, or None; a pytree prefix of the
      arguments, as in `jax.vmap`.
    out_axes: where the mapped axis goes in each result; a pytree prefix.
    kernels: 'compiled' makes one GPU kernel of each outermost scan, see
      `kernel`, so that all its steps run in registers; a scan that cannot be
      one stays XLA's loop. Such a program has no reverse mode. 'interpreted'
      does the same slowly on any device, for tests.

  Returns:
    The mapped function, of positional arguments.

  Raises:
    ValueError: where no argument is mapped, or mapped sizes differ; on another
      value of `kernels`.
  """
  if kernels not in (None, 'compiled', 'interpreted'):
    raise ValueError(f"kernels is 'compiled' or 'interpreted': {kernels!r}")
  table: Mapping[str, Rule] = rules.RULES
  if kernels is not None:
    scan = functools.partial(_scan_in_kernel, kernels == 'interpreted')
    table = {**table, 'scan': scan}

  def mapped(*args: Any) -> Any:
    axes = _broadcast_prefix(
      in_axes if isinstance(in_axes, int | None) else tuple(in_axes), args
    )
    leaves, structure = jax.tree.flatten(args)
    size = _mapped_size(leaves, axes)
    values = [
      Value(jnp.moveaxis(leaf, axis, -1), True)
      for leaf, axis in zip(leaves, axes)
      if axis is not None
    ]

    def of_mapped(*mapped_leaves: Array) -> Any:
      # As in `jax.vmap`, a Python number that is not mapped stays one.
      rest = iter(mapped_leaves)
      full = [
        leaf if axis is None else next(rest) for leaf, axis in zip(leaves, axes)
      ]
      return fun(*jax.tree.unflatten(structure, full))

    closed, shapes = jax.make_jaxpr(of_mapped, return_shape=True)(
      *(_of_one_seed(value.array) for value in values)
    )
    if not is_tiny(closed.jaxpr):
      return jax.vmap(fun, in_axes, out_axes)(*args)
    results = evaluate(size, closed, values, table)
    out_leaves, out_structure = jax.tree.flatten(shapes)
    arrays = [
      jnp.moveaxis(spread(result, leaf.shape, size), -1, axis)
      if axis is not None
      else _shared(result)
      for result, leaf, axis in zip(
        results, out_leaves, _broadcast_prefix(out_axes, shapes)
      )
    ]
    return jax.tree.unflatten(out_structure, arrays)

  return mapped


def is_tiny(jaxpr: core.Jaxpr) -> bool:
  """Whether `lanes` pays for a per-seed program: no contraction is large."""
  return largest_contraction(jaxpr) <= MAX_PRODUCTS


def largest_contraction(jaxpr: core.Jaxpr) -> float:
  """Returns the multiplications of a per-seed program's largest contraction.

  Where a program has loops, those outside of them are few and do not count. A
  contraction over an axis too long to be unrolled counts as infinite.
  """
  found = control.contractions(jaxpr)
  looped = [products for in_loop, products in found if in_loop]
  return max(looped or [products for _, products in found], default=0)


def _scan_in_kernel(
  interpret: bool,
  context: Context,
  equation: core.JaxprEqn,
  values: Sequence[Value],
) -> list[Value]:
  try:
    return kernel.scan_in_kernel(context, equation, values, interpret)
  except UnsupportedError:
    return rules.RULES['scan'](context, equation, values)


def evaluate(
  size: int,
  closed: core.ClosedJaxpr,
  values: Sequence[Value],
  table: Mapping[str, Rule],
) -> list[Value]:
  """Evaluates a per-seed program on values that may end in a seed axis.

  Args:
    size: number of seeds S.
    closed: the program for one seed.
    values: its arguments.
    table: the rule of each primitive that has one.

  Returns:
    Its results. What depends on nothing that varies does not vary.
  """
  context = Context(
    size,
    lambda program, arguments: evaluate(size, program, arguments, table),
  )
  known: dict[core.Var, Value] = {}

  def read(atom: core.Var | core.Literal) -> Value:
    if isinstance(atom, core.Literal):
      return Value(atom.val, False)
    return known[atom]

  known.update(
    zip(closed.jaxpr.constvars, (Value(c, False) for c in closed.consts))
  )
  known.update(zip(closed.jaxpr.invars, values))
  for equation in closed.jaxpr.eqns:
    operands = [read(atom) for atom in equation.invars]
    if any(operand.varies for operand in operands):
      apply = table.get(equation.primitive.name, by_vmap)
      results = apply(context, equation, operands)
    else:
      arrays = bind(equation, [operand.array for operand in operands])
      results = [Value(array, False) for array in arrays]
    known.update(zip(equation.outvars, results))
  return [read(atom) for atom in closed.jaxpr.outvars]


def _of_one_seed(array: Array) -> jax.ShapeDtypeStruct:
  """Returns the type of one seed's part of an array [..., S]."""
  kind: Any = jax.typeof(array)
  return jax.ShapeDtypeStruct(
    kind.shape[:-1],
    kind.dtype,
    weak_type=kind.weak_type,
    # Inside `jax.shard_map`, whether devices hold different values.
    sharding=NamedSharding(kind.sharding.mesh, PartitionSpec()),
    manual_axis_type=kind.manual_axis_type,
  )


def _shared(result: Value) -> Any:
  if result.varies:
    raise ValueError('a result that varies has out_axes None')
  return jnp.asarray(result.array)


def _broadcast_prefix(axes: Any, tree: Any) -> list[int | None]:
  """Returns one axis for each leaf of the tree."""
  full = jax.tree.broadcast(axes, tree, is_leaf=lambda axis: axis is None)
  return jax.tree.leaves(full, is_leaf=lambda axis: axis is None)


def _mapped_size(leaves: Sequence[Any], axes: Sequence[int | None]) -> int:
  for leaf, axis in zip(leaves, axes):
    if axis is not None and not -np.ndim(leaf) <= axis < np.ndim(leaf):
      raise ValueError(
        f'axis {axis} to map over, of an argument of shape {np.shape(leaf)}'
      )
  sizes = {
    np.shape(leaf)[axis] for leaf, axis in zip(leaves, axes) if axis is not None
  }
  if len(sizes) != 1:
    raise ValueError(
      f'mapped arguments must share one size, found {sorted(sizes)}'
    )
  return sizes.pop()
