"""Rows of the table of primitives: a function and how to draw its arguments."""

from collections.abc import Callable
import functools
from typing import NamedTuple

import jax
import numpy as np


class Argument(NamedTuple):
  """One argument of a row.

  Attributes:
    draw: (generator, leading shape, dtype of floats) -> array.
    mapped: whether it has a seed axis at all.
  """

  draw: Callable
  mapped: bool = True


class Row(NamedTuple):
  """One primitive, or one use of it.

  Attributes:
    function: of one seed.
    arguments: how its arguments are drawn.
    per_entry: whether each entry agrees by itself; else relative to the
      largest one.
  """

  function: Callable
  arguments: tuple[Argument, ...]
  per_entry: bool


def normal(*shape):
  return Argument(
    lambda rng, lead, dtype: rng.normal(size=lead + shape).astype(dtype)
  )


def uniform(low, high, *shape):
  return Argument(
    lambda rng, lead, dtype: rng.uniform(low, high, lead + shape).astype(dtype)
  )


def integers(low, high, *shape, dtype=np.int32):
  return Argument(
    lambda rng, lead, _: np.asarray(
      rng.integers(low, high, lead + shape), dtype
    )
  )


def booleans(*shape):
  return Argument(lambda rng, lead, _: rng.random(lead + shape) < 0.5)


def keys(*shape):
  return Argument(
    lambda rng, lead, _: (
      jax.random.split(jax.random.key(rng.integers(100)), lead + shape)
      if lead + shape
      else jax.random.key(rng.integers(100))
    )
  )


def symmetric_positive(n):
  def draw(rng, lead, dtype):
    a = rng.normal(size=(*lead, n, n))
    return (a @ np.swapaxes(a, -1, -2) + n * np.eye(n)).astype(dtype)

  return Argument(draw)


def special(*shape):
  values = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -2.0, 3.5]
  return Argument(
    lambda rng, lead, dtype: rng.choice(values, lead + shape).astype(dtype)
  )


def shared(argument):
  return argument._replace(mapped=False)


def exact(function, *arguments):
  return Row(function, arguments, True)


def close(function, *arguments):
  return Row(function, arguments, False)


WORDS = functools.partial(integers, 1, 2**31 - 1, dtype=np.uint32)


SIGNED = functools.partial(integers, -99, 99)
SHIFTS = functools.partial(integers, 0, 31, dtype=np.uint32)
