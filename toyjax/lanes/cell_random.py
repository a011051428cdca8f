"""Random keys as pairs of cells: threefry2x32 in a kernel."""

from collections.abc import Sequence
import itertools
from typing import Any

import jax
from jax.extend import core
import jax.extend.random
import jax.numpy as jnp

from toyjax import random_words
from toyjax.lanes.cells import Builder, Cells, align, is_key, rule
from toyjax.lanes.values import dtype_of, shape_of


@rule('random_wrap')
def _random_wrap(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  del builder
  is_key(dtype_of(equation.outvars[0]))
  halves = operands[0].items
  pairs = tuple(zip(halves[::2], halves[1::2]))
  return [Cells(operands[0].shape[:-1], pairs)]


@rule('random_unwrap')
def _random_unwrap(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  del builder, equation
  halves = tuple(itertools.chain.from_iterable(operands[0].items))
  return [Cells((*operands[0].shape, 2), halves)]


@rule('random_bits', 'random_fold_in', 'random_split')
def _random(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  """Interprets JAX's own definition on the two halves of each key."""
  threefry, params = jax.extend.random.threefry_prng_impl, equation.params
  keys, *messages = operands
  shape = shape_of(equation.outvars[0])
  function = {
    'random_bits': lambda key: threefry.random_bits(
      key, params['bit_width'], params['shape']
    ),
    'random_fold_in': threefry.fold_in,
    'random_split': lambda key: threefry.split(key, params['shape']),
  }[equation.primitive.name]
  key = jax.ShapeDtypeStruct((2,), jnp.uint32)
  one = jax.ShapeDtypeStruct((), jnp.uint32)
  closed = jax.make_jaxpr(function)(key, *[one] * len(messages))
  columns = [
    cells.broadcast(shape) for cells in (messages and [keys, *messages])
  ] or [keys.items]
  items: list[Any] = []
  for pair, *message in zip(*columns):
    arguments = [Cells((2,), pair), *(Cells((), (cell,)) for cell in message)]
    (result,) = builder.evaluate(closed, arguments)
    items += result.items
  if equation.primitive.name != 'random_bits':
    items = list(zip(items[::2], items[1::2]))
  return [Cells(shape, tuple(items))]


@rule('threefry2x32')
def _threefry2x32(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  """Threefry-2x32 with 20 rounds: Salmon et al. 2011, section 3.3."""
  del builder
  shape = shape_of(equation.outvars[0])
  columns = [operand.broadcast(shape) for operand in operands]
  pairs = [
    random_words.threefry_rounds(*align(*cells)) for cells in zip(*columns)
  ]
  return [Cells(shape, tuple(half)) for half in zip(*pairs)]
