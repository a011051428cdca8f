"""Kernels as they are tested: interpreted here, and lowered for CUDA."""

import jax
from jax import lax
from jax.extend import core
from jax.sharding import AxisType
import numpy as np

from tests.lanes.agreement import assert_agree
from toyjax.lanes import lanes

NUM_SEEDS = 5
NUM_STEPS = 4
# A handful of operations, each rounded.
ULPS = 32
# Steps hand their rounding errors on.
TRAINED_ULPS = 500
# Whose kernels are lowered, with no such device at hand: Triton makes them.
A100 = jax.sharding.AbstractMesh(
  (1,),
  ('runs',),
  axis_types=(AxisType.Auto,),
  abstract_device=jax.sharding.AbstractDevice(
    device_kind='NVIDIA A100-SXM4-80GB', num_cores=None, platform='gpu'
  ),
)


def count_kernels(jaxpr):
  found = 0
  for equation in jaxpr.eqns:
    if equation.primitive.name == 'pallas_call':
      found += 1
      continue
    for inner in core.jaxprs_in_params(equation.params):
      found += count_kernels(inner)
  return found


def check(fun, *args, in_axes=0, ulps=ULPS, num_kernels=1):
  """Holds the interpreted kernel to jax.vmap, and lowers the compiled one."""
  inside = lanes(fun, in_axes, kernels='interpreted')
  assert count_kernels(jax.make_jaxpr(inside)(*args).jaxpr) == num_kernels
  found, expected = jax.jit(
    lambda *args: (inside(*args), jax.vmap(fun, in_axes)(*args)),
  )(*args)
  assert_agree(found, expected, ulps=ulps)
  with jax.sharding.use_abstract_mesh(A100):
    compiled = jax.jit(lanes(fun, in_axes, kernels='compiled')).trace(*args)
    lowered = compiled.lower(lowering_platforms=('cuda',))
  assert ('triton' in lowered.as_text()) == bool(num_kernels)


def normal(*shape, seed=0, dtype=np.float32):
  return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def looped(step, **options):
  """Makes a step x -> x of one array a loop of `NUM_STEPS`."""
  return lambda x: lax.scan(
    lambda carry, _: (step(carry), None), x, length=NUM_STEPS, **options
  )[0]
