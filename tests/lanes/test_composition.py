"""`lanes` under, over and beside other transformations."""

import jax
from jax import lax
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec
import numpy as np
import pytest

from tests.lanes.agreement import assert_agree
from tests.lanes.small_program import (
  ULPS,
  X,
  Y,
  check,
  check_compiled,
  loss,
  small,
)
from toyjax.lanes import lanes

COMPOSITIONS = {
  'jit_of': lambda m: jax.jit(m(small)),
  'of_jit': lambda m: m(jax.jit(small)),
  'grad_of': lambda m: jax.grad(
    lambda x, y: jnp.sum(m(loss)(x, y) ** 2), argnums=(0, 1)
  ),
  'of_grad': lambda m: m(jax.grad(loss, argnums=(0, 1))),
  'grad_of_grad_of': lambda m: jax.grad(
    lambda x, y: jnp.sum(
      jax.grad(lambda x: jnp.sum(m(loss)(x, y) ** 2))(x) ** 2
    )
  ),
  'grad_of_of_grad': lambda m: jax.grad(
    lambda x, y: jnp.sum(m(jax.grad(loss))(x, y) ** 2)
  ),
  'jacfwd_of': lambda m: jax.jacfwd(m(loss)),
  'jacrev_of': lambda m: jax.jacrev(m(loss)),
  'of_jacfwd': lambda m: m(jax.jacfwd(small)),
  'of_hessian': lambda m: m(jax.hessian(loss)),
  'jvp_of': lambda m: lambda x, y: jax.jvp(m(small), (x, y), (x, y)),
  'of_checkpoint': lambda m: m(jax.grad(jax.checkpoint(loss))),
  'checkpoint_of': lambda m: jax.grad(
    lambda x, y: jnp.sum(jax.checkpoint(m(loss))(x, y))
  ),
  'linearize_of': lambda m: lambda x, y: jax.linearize(m(loss), x, y)[1](x, y),
  'of_vmap': lambda m: (
    lambda x, y: m(jax.vmap(small, (None, 0)))(x, jnp.stack([y, y * 2], 1))
  ),
  'vmap_of': lambda m: (
    lambda x, y: jax.vmap(m(small), (None, 2))(x, jnp.stack([y, y * 2], 2))
  ),
  'vmap_of_unmapped': lambda m: (
    lambda x, y: jax.vmap(m(small, (0, None)), (None, 0))(x, y)
  ),
  'twice': lambda m: (
    lambda x, y: m(m(small), (None, 0))(x, jnp.stack([y, y * 2]))
  ),
  'closed_over': lambda m: jax.jit(
    lambda x, y: m(lambda x: small(x, y[0] * 2))(x)
  ),
  'in_a_scan': lambda m: (
    lambda x, y: lax.scan(
      lambda c, _: (m(small)(c, y)['final'], None), x, length=3
    )[0]
  ),
  'in_a_map': lambda m: (
    lambda x, y: lax.map(
      lambda xy: m(small)(*xy),
      (x.reshape(2, 2, 3), y.reshape(2, 2, 2, 3)),
    )
  ),
}


@pytest.mark.parametrize('name', COMPOSITIONS)
def test_composition(name):
  check_compiled(COMPOSITIONS[name], X, Y)


def _mesh(kind):
  devices = jax.devices()[:2]
  return jax.make_mesh(
    (len(devices),), ('runs',), axis_types=(kind,), devices=devices
  )


@pytest.mark.parametrize('check_vma', [False, True])
def test_shard_map(check_vma):
  split = PartitionSpec('runs')

  def make(mapper):
    return jax.jit(
      jax.shard_map(
        mapper(jax.value_and_grad(loss)),
        mesh=_mesh(AxisType.Auto),
        in_specs=split,
        out_specs=split,
        check_vma=check_vma,
      )
    )

  check(make, X, Y)
  assert_agree(
    make(lanes)(X, Y), jax.vmap(jax.value_and_grad(loss))(X, Y), ulps=ULPS
  )


@pytest.mark.parametrize('kind', [AxisType.Auto, AxisType.Explicit])
def test_sharded_arguments(kind):
  sharding = NamedSharding(_mesh(kind), PartitionSpec('runs'))
  args = jax.device_put((X, Y), sharding)
  found = jax.jit(lanes(loss))(*args)
  assert_agree(found, jax.vmap(loss)(X, Y), ulps=ULPS)
  assert found.devices() == set(jax.devices()[:2])


def test_the_second_call_does_not_retrace():
  traces = []

  @jax.jit
  @lanes
  def fun(x):
    traces.append(1)
    return x * 2

  fun(X)
  fun(X + 1)
  assert len(traces) == 1


def test_a_seed_does_not_depend_on_the_others():
  fun = jax.jit(lanes(small))
  full = fun(X, Y)
  for other in (X[::-1] * 1e3, jnp.full_like(X, jnp.nan)):
    changed = fun(other.at[2].set(X[2]), Y)
    jax.tree.map(
      lambda a, b: np.testing.assert_array_equal(a[2], b[2]), full, changed
    )
