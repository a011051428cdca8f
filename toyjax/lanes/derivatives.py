"""Gives a function of arrays the derivatives of another function.

`lanes` computes some things in another way than `jax.vmap`. Where the other way
has other derivatives (a chain of maxima shares them out otherwise among equal
entries), those of `jax.vmap`'s way are attached to it. The functions hold no
traced array, since JAX keeps them for longer than a trace.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.custom_derivatives import CustomVJPPrimal, SymbolicZero
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array

Function = Callable[..., list[Array]]


def with_jvp_of(function: Function, other: Function) -> Function:
  """Returns `function` with the derivatives of `other`, which equals it."""
  custom = jax.custom_jvp(function)

  def push_forward(primals: Sequence[Array], tangents: Sequence[Any]) -> Any:
    moved = [k for k, tangent in enumerate(tangents) if not _is_zero(tangent)]
    return jax.jvp(
      _of_some(other, primals, moved),
      [primals[k] for k in moved],
      [tangents[k] for k in moved],
    )

  custom.defjvp(push_forward, symbolic_zeros=True)
  return custom


def with_vjp_of(function: Function, other: Function) -> Function:
  """As `with_jvp_of`, where `other` can be differentiated backward only."""
  custom = jax.custom_vjp(function)

  def forward(*primals: CustomVJPPrimal) -> Any:
    arrays = [primal.value for primal in primals]
    moved = [k for k, primal in enumerate(primals) if primal.perturbed]
    results, pull_back = jax.vjp(
      _of_some(other, arrays, moved), *(arrays[k] for k in moved)
    )
    is_moved = [primal.perturbed or None for primal in primals]
    return results, (pull_back, is_moved)

  def backward(saved: Any, cotangents: Sequence[Any]) -> tuple[Any, ...]:
    pull_back, is_moved = saved
    found = iter(pull_back([_instantiate(c) for c in cotangents]))
    return tuple(None if k is None else next(found) for k in is_moved)

  custom.defvjp(forward, backward, symbolic_zeros=True)
  return custom


def _of_some(
  function: Function, arrays: Sequence[Array], places: Sequence[int]
) -> Function:
  """Returns the function of the arrays at some places, the others fixed."""

  def of_some(*some: Array) -> list[Array]:
    full = list(arrays)
    for k, array in zip(places, some):
      full[k] = array
    return function(*full)

  return of_some


def _is_zero(tangent: Any) -> bool:
  return isinstance(tangent, SymbolicZero) or (
    tangent.dtype == jax.dtypes.float0
  )


def _instantiate(cotangent: Any) -> Any:
  if not isinstance(cotangent, SymbolicZero):
    return cotangent
  if cotangent.dtype == jax.dtypes.float0:
    return np.zeros(cotangent.shape, jax.dtypes.float0)
  return jnp.zeros(cotangent.shape, cotangent.dtype)
