"""Which axes of arguments and results `lanes` maps over: `jax.vmap`'s rules."""

from collections.abc import Sequence
from typing import Any

import jax
from jax.extend import core
import numpy as np

from toyjax.base import ArrayTree
from toyjax.lanes.values import equations_within


def spread_axes(axes: Any, tree: ArrayTree) -> list[Any]:
  """Returns one axis for each leaf of a tree, given a prefix of the tree.

  Args:
    axes: axes and Nones; each stands for all leaves below its place.
    tree: where None is no leaf but an empty tree, as everywhere in JAX.

  Returns:
    The axis of each leaf.

  Raises:
    ValueError: where `axes` is no prefix of the tree.
  """
  found: list[Any] = []
  jax.tree.map(
    lambda axis, part: found.extend([axis] * len(jax.tree.leaves(part))),
    axes,
    tree,
    is_leaf=lambda axis: axis is None,
  )
  return found


def common_size(
  leaves: Sequence[Any], axes: Sequence[Any], axis_size: int | None
) -> int | None:
  """Returns the size of the mapped axis; None where there is no one size.

  Args:
    leaves: the arguments.
    axes: the axis of each, or None.
    axis_size: the size that the caller named, or None.
  """
  sizes = set() if axis_size is None else {axis_size}
  for leaf, axis in zip(leaves, axes):
    if axis is None:
      continue
    if type(axis) is not int or not -np.ndim(leaf) <= axis < np.ndim(leaf):
      return None
    sizes.add(np.shape(leaf)[axis])
  return sizes.pop() if len(sizes) == 1 else None


def is_sharded(leaf: Any) -> bool:
  """Whether the array's type says how it lies on an explicit mesh."""
  try:
    kind: Any = jax.typeof(leaf)
  except TypeError:  # Any object may be an argument that is not mapped.
    return False
  sharding = getattr(kind, 'sharding', None)
  return sharding is not None and any(
    names is not None for names in sharding.spec
  )


def speaks_over(jaxpr: core.Jaxpr, axis_name: Any) -> bool:
  """Whether a program's seeds may speak with each other over a named axis.

  A function with derivatives of its own may do so in its derivatives.
  """

  def is_named(names: Any) -> bool:
    several = isinstance(names, tuple | list | set | frozenset)
    return axis_name in names if several else names == axis_name

  return any(
    equation.primitive.name.startswith('custom_')
    or any(
      is_named(value)
      for name, value in equation.params.items()
      if name.startswith(('axis', 'axes'))
    )
    for equation in equations_within(jaxpr)
  )


def closes_over_steps(jaxpr: core.Jaxpr) -> bool:
  """Whether a derivative rule may know a value of the program by itself.

  It would look for the value after the program is traced, and not find it.
  """
  known = {*jaxpr.constvars}
  return any(
    not isinstance(atom, core.Literal) and atom not in known
    for equation in jaxpr.eqns
    if equation.primitive.name.startswith('custom_')
    for atom in equation.invars[: equation.params.get('num_consts', 0)]
  )
