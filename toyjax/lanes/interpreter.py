"""Walks a per-seed program with the seed axis last."""

from collections.abc import Callable, Mapping, Sequence
import functools
from typing import Any, Literal

import jax
from jax.extend import core
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

from toyjax.base import Array
from toyjax.lanes import (
  branches,
  control,
  customs,
  kernel,
  lookups,
  rules,
  slices,
)
from toyjax.lanes.axes import (
  closes_over_steps,
  common_size,
  is_sharded,
  speaks_over,
  spread_axes,
)
from toyjax.lanes.cells import UnsupportedError
from toyjax.lanes.values import Context, Rule, Value, bind, by_vmap, spread

# Importing them registers their rules.
RULE_MODULES = (branches, control, customs, rules, slices, lookups)

# Multiplications in one contraction of one seed above which XLA's own dot may
# be faster. Lanes are 2.8 times faster at 12,500 (n = 50, M = 5) and 0.7 times
# at 40,960 (n = 64, M = 10).
MAX_PRODUCTS = 2**14


def lanes(
  fun: Callable[..., Any],
  in_axes: Any = 0,
  out_axes: Any = 0,
  axis_name: Any = None,
  axis_size: int | None = None,
  spmd_axis_name: Any = None,
  *,
  kernels: Literal['compiled', 'interpreted'] | None = None,
) -> Callable[..., Any]:
  """Maps `fun` over an axis of its arguments: `jax.vmap` in another layout.

  The results are those of `jax.vmap` up to the last bits, since sums are added
  in another order. It composes with `jax.jit`, `jax.grad`, `jax.vmap` and
  `jax.shard_map`. A program that is not tiny is handed to `jax.vmap`, and so is
  one whose seeds speak with each other over the axis `axis_name`.

  Draws by keys of the kinds rbg and unsafe_rbg depend on which keys are mapped
  together, as under `jax.vmap`; `sweep` refuses them.

  Args:
    fun: a function of arrays, written for one seed.
    in_axes: axis to map over in each argument, or None; a pytree prefix of the
      positional arguments, as in `jax.vmap`. Keyword arguments are mapped over
      their first axis.
    out_axes: where the mapped axis goes in each result; a pytree prefix.
    axis_name: of the mapped axis, for collectives such as `jax.lax.psum`.
    axis_size: size of the mapped axis, where no argument need tell it.
    spmd_axis_name: as in `jax.vmap`, to which such a program is handed.
    kernels: 'compiled' makes one GPU kernel of each outermost scan, see
      `kernel`, so that all its steps run in registers; a scan that cannot be
      one stays XLA's loop. Such a program has no reverse mode. 'interpreted'
      does the same slowly on any device, for tests.

  Returns:
    The mapped function.

  Raises:
    TypeError: where axes are no integers, as `jax.vmap` does.
    ValueError: where `jax.vmap` raises one, such as on mapped sizes that
      differ; on another value of `kernels`.
  """
  if kernels not in (None, 'compiled', 'interpreted'):
    raise ValueError(f"kernels is 'compiled' or 'interpreted': {kernels!r}")
  vmapped = jax.vmap(
    fun,
    in_axes,
    out_axes,
    axis_name=axis_name,
    axis_size=axis_size,
    spmd_axis_name=spmd_axis_name,
  )
  if spmd_axis_name is not None:
    return vmapped
  table: Mapping[str, Rule] = rules.RULES
  if kernels is not None:
    scan = functools.partial(_scan_in_kernel, kernels == 'interpreted')
    table = {**table, 'scan': scan}
  prefix = tuple(in_axes) if isinstance(in_axes, list) else in_axes

  @functools.wraps(fun)
  def mapped(*args: Any, **kwargs: Any) -> Any:
    arguments = (args, kwargs)
    leaves, structure = jax.tree.flatten(arguments)
    try:
      axes = spread_axes((prefix, 0), arguments)
    except ValueError:
      return vmapped(*args, **kwargs)  # Which raises an error of its own.
    size = common_size(leaves, axes, axis_size)
    if size is None or any(map(is_sharded, leaves)):
      return vmapped(*args, **kwargs)
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
      args, kwargs = jax.tree.unflatten(structure, full)
      return fun(*args, **kwargs)

    closed, shapes = jax.make_jaxpr(
      of_mapped,
      axis_env=None if axis_name is None else [(axis_name, size)],
      return_shape=True,
    )(*(_of_one_seed(value.array) for value in values))
    program = closed.jaxpr
    if (
      not is_tiny(program)
      or closes_over_steps(program)
      or (axis_name is not None and speaks_over(program, axis_name))
    ):
      return vmapped(*args, **kwargs)
    results = evaluate(size, closed, values, table)
    out_leaves, out_structure = jax.tree.flatten(shapes)
    try:
      places = spread_axes(out_axes, shapes)
    except ValueError:
      return vmapped(*args, **kwargs)
    if any(
      axis is None and result.varies for result, axis in zip(results, places)
    ):
      return vmapped(*args, **kwargs)
    arrays = [
      jnp.asarray(result.array)
      if axis is None
      else jnp.moveaxis(spread(result, leaf.shape, size), -1, axis)
      for result, leaf, axis in zip(results, out_leaves, places)
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
  except (UnsupportedError, NotImplementedError):
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
