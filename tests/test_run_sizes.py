"""What a run takes, and the default chunk of large runs."""

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import chunks, run_sizes, sweeps


def _trial(x):
  key = jax.random.fold_in(jax.random.key(0), x['seed_index'])
  start = jax.random.normal(key, (30, 20))

  def step(carry, _):
    state, total = carry
    large = state[:, :, None] * jnp.ones((20, 10))[None]  # [30, 20, 10]
    return (state + 1e-3, total + large.sum()), None

  (state, total), _ = jax.lax.scan(step, (start, 0.0), length=3)
  return {'total': total, 'end': state}


def test_a_run_takes_results_loops_and_its_largest_array():
  x = {'seed_index': jnp.int32(3)}
  assert run_sizes.num_bytes(_trial(x)) == 4 * (1 + 600)
  closed = jax.make_jaxpr(_trial)(x)
  # The loop inside of the random bits carries less.
  assert run_sizes.carried_bytes(closed.jaxpr) == 4 * (1 + 600)
  assert run_sizes.run_bytes(_trial, x) == 2 * 4 * 601 + 2 * 4 * 6000


def test_large_runs_come_in_smaller_chunks():
  mesh = chunks.local_mesh()
  tiny = chunks.default_size(mesh)
  assert chunks.default_size(mesh, 100) == tiny
  half = chunks.default_size(mesh, 2 * chunks.CHUNK_BYTES // tiny)
  assert half == tiny // 2
  assert chunks.default_size(mesh, 10 * chunks.CHUNK_BYTES) == mesh.size
  for run_bytes in (10**5, 10**6, 10**7, 10**8):
    size = chunks.default_size(mesh, run_bytes)
    assert size == mesh.size or size * run_bytes <= chunks.CHUNK_BYTES


def test_a_sweep_takes_chunks_that_fit(monkeypatch):
  written = []

  class Store:
    """Notes the size of each chunk."""

    def is_finished(self, start, stop):
      return False

    def write(self, start, chunk):
      written.append(len(chunk['total']))

    def read(self, start, stop):
      raise NotImplementedError

  num_devices = jax.local_device_count()
  monkeypatch.setattr(chunks, 'CHUNK_BYTES', 60_000 * 4 * num_devices)
  xs = {'seed_index': np.arange(9 * num_devices)}
  sweeps.sweep(_trial, xs, store=Store(), map_name='vmap')
  assert written == [4 * num_devices, 4 * num_devices, num_devices]
