"""Primitives that shape arrays, read them and write to them."""

import functools

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

from tests.lanes.primitives import (
  SHIFTS,
  SIGNED,
  booleans,
  close,
  exact,
  integers,
  normal,
  shared,
  special,
)

SHAPES = {
  'broadcast_scalar': exact(lambda x: jnp.broadcast_to(x, (2, 3)), normal()),
  'broadcast_row': exact(lambda x: jnp.broadcast_to(x, (2, 3)), normal(1, 3)),
  'broadcast_inner': exact(
    lambda x: lax.broadcast_in_dim(x, (2, 3, 4), (0, 2)), normal(2, 4)
  ),
  'reshape': exact(lambda x: x.reshape(3, 4), normal(2, 6)),
  'ravel': exact(jnp.ravel, normal(2, 3)),
  'reshape_no_entries': exact(lambda x: x.reshape(5, 0), normal(0, 3)),
  'transpose': exact(lambda x: x.transpose(2, 0, 1), normal(2, 3, 4)),
  'squeeze': exact(lambda x: jnp.squeeze(x, (0, 2)), normal(1, 3, 1)),
  'expand': exact(lambda x: x[:, None, :, None], normal(2, 3)),
  'slice': exact(lambda x: x[1:3, :2], normal(4, 3)),
  'slice_strided': exact(lambda x: x[::2, 1::2], normal(5, 4)),
  'slice_reversed': exact(lambda x: x[::-1, -1:0:-1], normal(5, 4)),
  'rev': exact(lambda x: lax.rev(x, (0, 1)), normal(2, 3)),
  'concatenate': exact(
    lambda x, y: jnp.concatenate([x, y, x], 1), normal(2, 3), normal(2, 1)
  ),
  'concatenate_literal': exact(
    lambda x: jnp.concatenate([x, jnp.zeros(2, x.dtype)]), normal(3)
  ),
  'stack': exact(lambda x, y: jnp.stack([x, y], -1), normal(3), normal(3)),
  'split': exact(lambda x: jnp.split(x, [1, 3], 1), normal(2, 5)),
  'tile_repeat_roll': exact(
    lambda x: (jnp.tile(x, (2, 1)), jnp.repeat(x, 2, 0), jnp.roll(x, 1, 1)),
    normal(2, 3),
  ),
  'pad': exact(
    lambda x, v: lax.pad(x, v, ((1, 2, 1), (0, -1, 0))), normal(2, 3), normal()
  ),
  'iota_and_constants': exact(
    lambda x: x + jnp.arange(3, dtype=x.dtype) + np.ones(3, x.dtype), normal(3)
  ),
  'triangle': exact(lambda x: (jnp.tril(x), jnp.diag(x)), normal(3, 3)),
}

SLICES = functools.partial(lax.dynamic_slice, slice_sizes=(2, 1))
RAW_SLICES = functools.partial(SLICES, allow_negative_indices=False)
INDEXING = {
  'dynamic_slice': exact(
    lambda x, i, j: SLICES(x, (i, j)),
    normal(4, 3),
    integers(0, 9),
    integers(0, 9),
  ),
  'dynamic_slice_shared_index': exact(
    lambda x, i: SLICES(x, (i, np.int32(1))),
    normal(4, 3),
    shared(integers(0, 4)),
  ),
  'dynamic_slice_far_below': exact(
    lambda x, i: SLICES(x, (i, np.int32(0))),
    normal(4, 3),
    shared(integers(-5, -4)),
  ),
  'dynamic_slice_clamped': exact(
    lambda x, i: RAW_SLICES(x, (i, np.int32(0))),
    normal(4, 3),
    shared(integers(-2, -1)),
  ),
  'dynamic_slice_of_shared': exact(
    lambda x, i: SLICES(x, (i, np.int32(0))),
    shared(normal(4, 3)),
    integers(0, 4),
  ),
  'dynamic_slice_of_scalar': exact(
    lambda x: lax.dynamic_slice(x, (), ()), normal()
  ),
  'dynamic_update': exact(
    lambda x, u, i: lax.dynamic_update_slice(x, u, (i, np.int32(1))),
    normal(4, 3),
    normal(2, 1),
    integers(0, 9),
  ),
  'dynamic_update_shared_index': exact(
    lambda x, u, i: lax.dynamic_update_slice(x, u, (i, np.int32(1))),
    normal(4, 3),
    normal(2, 1),
    shared(integers(0, 3)),
  ),
  'dynamic_update_far_below': exact(
    lambda x, u, i: lax.dynamic_update_slice(x, u, (i, np.int32(1))),
    normal(4, 3),
    normal(1, 1),
    shared(integers(-5, -4)),
  ),
  'dynamic_update_of_scalar': exact(
    lambda x, u: lax.dynamic_update_slice(x, u, ()), normal(), normal()
  ),
  'dynamic_index_in_dim': exact(
    lambda x, i: lax.dynamic_index_in_dim(x, i, 1), normal(2, 5), SIGNED()
  ),
  'gather': exact(lambda x, i: x[i], normal(5, 2), integers(0, 5, 3)),
  'gather_filled': exact(
    lambda x, i: x.at[i].get(mode='fill', fill_value=7.0),
    normal(5),
    integers(0, 9, 6),
  ),
  'gather_two_axes': exact(
    lambda x, i, j: x[i, :, j], normal(3, 2, 4), integers(0, 3, 5), SHIFTS(5)
  ),
  'take_along_axis': exact(
    lambda x, i: jnp.take_along_axis(x, i, 1),
    normal(2, 4),
    integers(0, 4, 2, 3),
  ),
  'embedding': exact(
    lambda table, tokens: table[tokens], normal(7, 2), integers(0, 7, 2, 3)
  ),
  'scatter': exact(
    lambda x, i, v: x.at[i].set(v), normal(5, 2), integers(0, 5), normal(2)
  ),
  'scatter_add': close(
    lambda x, i, v: x.at[i].add(v), normal(5), integers(0, 5, 7), normal(7)
  ),
  'scatter_max': exact(
    lambda x, i, v: x.at[i].max(v, mode='drop'),
    normal(5),
    integers(0, 9, 7),
    normal(7),
  ),
  'scatter_min': exact(
    lambda x, i, v: x.at[i].min(v), special(5), integers(0, 5, 7), special(7)
  ),
  'scatter_multiply': close(
    lambda x, i, v: x.at[i].multiply(v), normal(5), integers(0, 5, 7), normal(7)
  ),
  'scatter_subtract': close(
    lambda x, i, v: x.at[i].subtract(v), normal(5), integers(0, 5, 7), normal(7)
  ),
  'scatter_static': exact(
    lambda x, v: x.at[1, ::2].set(v), normal(3, 4), normal(2)
  ),
  'one_hot': exact(
    lambda i: jax.nn.one_hot(i, 4, dtype=jnp.float32), integers(0, 4, 3)
  ),
  'searchsorted': exact(
    lambda x, v: jnp.searchsorted(jnp.sort(x), v), normal(6), normal(3)
  ),
  'nonzero': exact(lambda b: jnp.nonzero(b, size=4, fill_value=9), booleans(6)),
}
