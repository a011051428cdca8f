"""Which compiler makes a kernel, and training in kernels of Mosaic GPU."""

import functools
import sys
import types

import jax
from jax.experimental import pallas
import jax.numpy as jnp
from jax.sharding import AxisType
import numpy as np
import optax
import pytest

from tests.lanes.agreement import assert_agree
from tests.lanes.interpreted import NUM_SEEDS, TRAINED_ULPS, looped, normal
from tests.lanes.mosaic import (
  check,
  count_kernels,
  has_mosaic,
  interpret,
  lower,
  mesh_of,
)
from toyjax import loops, sweeps
from toyjax.base import Dynamics
from toyjax.lanes import backends, lanes
from toyjax.lanes.kernel_rows import BLOCK
from toyjax.studies import optimization_failure
from toyjax.toys import text_mlp

# ----- which backend -----

LAPTOP, A100, H100, B200 = None, (8, 0), (9, 0), (10, 0)
H100_MESH = jax.sharding.AbstractMesh(
  (1,),
  ('runs',),
  axis_types=(AxisType.Auto,),
  abstract_device=jax.sharding.AbstractDevice(
    device_kind='NVIDIA H100 80GB HBM3', num_cores=None, platform='gpu'
  ),
)


@pytest.mark.parametrize(
  ('capability', 'has', 'is_mosaic'),
  [
    *((LAPTOP, True, False), (A100, True, False)),
    *((H100, True, True), (B200, True, True), (H100, False, False)),
  ],
)
def test_the_backend_fits_the_device_and_jax(
  monkeypatch, capability, has, is_mosaic
):
  monkeypatch.setattr(backends, 'capability', lambda: capability)
  monkeypatch.setattr(backends, 'has_mosaic', lambda: has)
  monkeypatch.setattr(backends, 'mosaic', lambda interpret: 'mosaic')
  monkeypatch.setattr(backends, 'in_blocks', lambda interpret: interpret)
  assert backends.choose(False) == ('mosaic' if is_mosaic else False)
  assert backends.choose(True) is True


@pytest.mark.parametrize('capability', ['8.0', '9.0', '10.3', 'gfx942'])
def test_the_device_of_the_mesh_tells_its_capability(capability):
  with jax.sharding.use_abstract_mesh(mesh_of(capability)):
    found = backends.capability()
  assert found == {'8.0': (8, 0), '9.0': (9, 0), '10.3': (10, 3)}.get(
    capability
  )
  assert backends.capability() is None  # The processor at hand.


def test_the_device_at_hand_tells_for_the_meshes_of_its_kind(monkeypatch):
  kind = H100_MESH.abstract_device.device_kind
  gpu = types.SimpleNamespace(device_kind=kind, compute_capability='9.0')
  with jax.sharding.use_abstract_mesh(H100_MESH):
    assert backends.capability() is None
    monkeypatch.setattr(jax, 'local_devices', lambda: [gpu])
    assert backends.capability() == (9, 0)
  other = types.SimpleNamespace(device_kind='other', compute_capability='8.0')
  monkeypatch.setattr(jax, 'local_devices', lambda: [other])
  assert backends.capability() == (8, 0)
  with jax.sharding.use_abstract_mesh(H100_MESH):
    assert backends.capability() is None


def test_what_no_backend_compiles_is_said(monkeypatch):
  monkeypatch.setitem(sys.modules, 'jax.experimental.pallas.triton', None)
  monkeypatch.delattr(pallas, 'triton', raising=False)
  fun, x = looped(lambda x: 0.5 * x + 1), normal(4, 2)
  with pytest.raises(
    RuntimeError, match=r'9.0 \(Hopper\).* the device has 8.0'
  ):
    lower(fun, x, compute_capability='8.0')
  if backends.has_mosaic():
    assert count_kernels(lower(fun, x)) == 1


# ----- training -----


def _autoencoder(**settings):
  study = optimization_failure.STUDY
  (stage,) = study.stages(study.resolve(num_features=3, **settings))
  return stage, stage.xs(NUM_SEEDS)


@has_mosaic
def test_the_trial_of_optimization_failure_is_one_kernel():
  stage, xs = _autoencoder(num_steps=100, observe_steps=[50, 100])
  text = lower(stage.trial, xs)
  assert count_kernels(text) == 1
  assert 'stablehlo.while' not in text


def _train(make_dynamics):
  """Makes the training a trial, given how a run starts: x['state']."""

  def trial(x):
    step = make_dynamics(x).step
    dynamics = Dynamics(init=lambda key: x['state'], step=step)
    return loops.unroll(
      x['key'], dynamics, 4, observe=lambda state, info: info.loss
    )

  return trial


def _started(make_dynamics, xs):
  init = lambda x: make_dynamics(x).init(x['key'])
  return {**xs, 'state': jax.jit(jax.vmap(init))(xs)}


@has_mosaic
def test_training_of_the_autoencoder():
  stage, xs = _autoencoder(num_steps=4, observe_steps=[4])
  make = functools.partial(
    optimization_failure.trial.make_dynamics, stage.values
  )
  trial, xs = _train(make), _started(make, xs)
  found = interpret(trial, xs)
  assert_agree(found, jax.jit(jax.vmap(trial))(xs), ulps=TRAINED_ULPS)


@has_mosaic
def test_training_of_the_text_net():
  pairs = np.asarray([[0, 1], [1, 2]])
  toy = text_mlp.make(
    vocabulary_size=3,
    pairs=pairs,
    embed_dim=1,
    hidden_dims=(2,),
    batch_size=2,
    init='torch',
    dtype=jnp.float32,
  )

  def make(x):
    return text_mlp.descend_in_epochs(
      toy, optax.sgd(x['rate']), pairs=pairs, batch_size=2, shuffle=False
    )

  rates = np.linspace(1e-3, 1e-1, NUM_SEEDS).astype(np.float32)
  xs = {'key': sweeps.seed_keys(1, np.arange(NUM_SEEDS)), 'rate': rates}
  check(_train(make), _started(make, xs), ulps=TRAINED_ULPS)


@has_mosaic
def test_a_sweep_spread_over_devices_is_one_kernel():
  mesh, spec = mesh_of('9.0'), jax.sharding.PartitionSpec('runs')
  mapped = lanes(looped(lambda x: 0.5 * x + 1), kernels='compiled')
  spread = jax.shard_map(
    mapped, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False
  )
  with jax.sharding.use_abstract_mesh(mesh):
    traced = jax.jit(spread).trace(normal(BLOCK, 2))
    text = traced.lower(lowering_platforms=('cuda',)).as_text()
  assert count_kernels(text) == 1
