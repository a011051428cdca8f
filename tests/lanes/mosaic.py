"""Mosaic GPU's kernels as they are tested: interpreted here, and lowered."""

import dataclasses
from unittest import mock

import jax
from jax.sharding import AxisType
import pytest

from tests.lanes.agreement import assert_agree
from tests.lanes.interpreted import ULPS
from toyjax.lanes import backends, lanes

has_mosaic = pytest.mark.skipif(
  not backends.has_mosaic(),
  reason=f'JAX {jax.__version__} is older than 0.11.2, from which on toyjax '
  'makes kernels with Mosaic GPU: Triton makes them, see test_kernel.py',
)


@dataclasses.dataclass(frozen=True)
class Device(jax.sharding.AbstractDevice):
  """A device that is not at hand, and tells what it can do, as a GPU does."""

  compute_capability: str


def mesh_of(compute_capability):
  device = Device(
    device_kind='some GPU',
    num_cores=None,
    platform='gpu',
    compute_capability=compute_capability,
  )
  return jax.sharding.AbstractMesh(
    (1,), ('runs',), axis_types=(AxisType.Auto,), abstract_device=device
  )


def lower(fun, *args, in_axes=0, compute_capability='9.0'):
  """Returns the program with compiled kernels, as text, for such a GPU."""
  with jax.sharding.use_abstract_mesh(mesh_of(compute_capability)):
    compiled = jax.jit(lanes(fun, in_axes, kernels='compiled')).trace(*args)
    return compiled.lower(lowering_platforms=('cuda',)).as_text()


def count_kernels(text):
  return text.count('custom_call @mosaic_gpu')


def interpret(fun, *args, in_axes=0):
  """Runs it in the interpreter of Mosaic GPU, not in that of all Pallas."""
  choose = mock.Mock(return_value=backends.mosaic(interpret=True))
  with mock.patch.object(backends, 'choose', choose):
    results = jax.jit(lanes(fun, in_axes, kernels='interpreted'))(*args)
  choose.assert_called_with(True)
  return results


def check(fun, *args, in_axes=0, ulps=ULPS, num_kernels=1):
  """Holds the interpreted kernel to jax.vmap, and lowers the compiled one."""
  assert count_kernels(lower(fun, *args, in_axes=in_axes)) == num_kernels
  found = interpret(fun, *args, in_axes=in_axes)
  assert_agree(found, jax.jit(jax.vmap(fun, in_axes))(*args), ulps=ulps)
