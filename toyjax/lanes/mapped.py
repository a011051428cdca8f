"""`lanes`: what `jax.vmap` does, in another layout."""

from collections.abc import Callable
import functools
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

from toyjax.base import Array
from toyjax.lanes.axes import (
  closes_over_steps,
  common_size,
  is_sharded,
  speaks_over,
  spread_axes,
)
from toyjax.lanes.blocks import block_size, in_blocks, is_tiny, suits
from toyjax.lanes.control import find_varying
from toyjax.lanes.interpreter import evaluate, rules_with
from toyjax.lanes.values import Value, spread


def lanes(
  fun: Callable[..., Any],
  in_axes: Any = 0,
  out_axes: Any = 0,
  axis_name: Any = None,
  axis_size: int | None = None,
  spmd_axis_name: Any = None,
  *,
  kernels: Literal['compiled', 'interpreted'] | None = None,
  block: int | None = None,
) -> Callable[..., Any]:
  """Maps `fun` over an axis of its arguments: `jax.vmap` in another layout.

  The results are those of `jax.vmap` up to the last bits, since sums are added
  in another order. It composes with `jax.jit`, `jax.grad`, `jax.vmap` and
  `jax.shard_map`. A program that is not tiny is handed to `jax.vmap`, and so is
  one whose seeds speak with each other over the axis `axis_name`.

  On a CPU a program with a loop is computed in blocks of seeds, one after the
  other, whose numbers stay in the cache. `toyjax.map_runs` adds to that all
  cores, and options of the compiler: the speed of a sweep in one call.

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
    block: seeds that are computed at a time. None means 128 or 32 where that is
      faster, else all.

  Returns:
    The mapped function.

  Raises:
    TypeError: where axes are no integers, as `jax.vmap` does.
    ValueError: where `jax.vmap` raises one, such as on mapped sizes that
      differ; on another value of `kernels`, or a block < 1.
  """
  if kernels not in (None, 'compiled', 'interpreted'):
    raise ValueError(f"kernels is 'compiled' or 'interpreted': {kernels!r}")
  if block is not None and block < 1:
    raise ValueError(f'block must be >= 1: {block}')
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
  table = rules_with(kernels)
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
    # Seeds first, as blocks of them are taken.
    rows = [
      jnp.moveaxis(leaf, axis, 0)
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
    )(*map(_of_one_seed, rows))
    program = closed.jaxpr
    varies = find_varying(program, [True] * len(rows))
    out_leaves, out_structure = jax.tree.flatten(shapes)
    try:
      places = spread_axes(out_axes, shapes)
    except ValueError:
      return vmapped(*args, **kwargs)
    if (
      not is_tiny(program)
      or closes_over_steps(program)
      or (axis_name is not None and speaks_over(program, axis_name))
      or any(v and axis is None for v, axis in zip(varies, places))
    ):
      return vmapped(*args, **kwargs)

    def of_rows(rows: list[Array]) -> list[Array]:
      """Maps rows [B, ...] to results, [B, ...] where they are mapped."""
      num = len(rows[0]) if rows else size
      values = [Value(jnp.moveaxis(row, 0, -1), True) for row in rows]
      results = evaluate(num, closed, values, table)
      return [
        jnp.asarray(result.array)
        if axis is None
        else jnp.moveaxis(spread(result, leaf.shape, num), -1, 0)
        for result, axis, leaf in zip(results, places, out_leaves)
      ]

    at_a_time = block
    if at_a_time is None and kernels is None and suits(program):
      at_a_time = block_size(program)
    if at_a_time and rows and size > at_a_time and None not in places:
      results = in_blocks(of_rows, rows, at_a_time)
    else:
      results = of_rows(rows)
    arrays = [
      result if axis is None else jnp.moveaxis(result, 0, axis)
      for result, axis in zip(results, places)
    ]
    return jax.tree.unflatten(out_structure, arrays)

  return mapped


def _of_one_seed(array: Array) -> jax.ShapeDtypeStruct:
  """Returns the type of one seed's part of an array [S, ...]."""
  kind: Any = jax.typeof(array)
  return jax.ShapeDtypeStruct(
    kind.shape[1:],
    kind.dtype,
    weak_type=kind.weak_type,
    # Inside `jax.shard_map`, whether devices hold different values.
    sharding=NamedSharding(jax.sharding.get_abstract_mesh(), PartitionSpec()),
    manual_axis_type=kind.manual_axis_type,
  )
