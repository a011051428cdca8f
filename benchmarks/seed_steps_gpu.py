"""What share of a GPU's float32 peak a training reaches."""

import jax
import numpy as np

from benchmarks import seed_steps_problems as problems

# Float32 operations a second outside of tensor cores, a multiply-add being two:
# NVIDIA's data sheets.
PEAK_FLOPS = {'H100 80GB HBM3': 66.9e12, 'H200': 66.9e12, 'A100': 19.5e12}


def on_gpu() -> bool:
  """Whether JAX runs on a GPU here."""
  return jax.default_backend() == 'gpu'


def flops_per_step(problem: problems.Problem) -> float:
  """Returns XLA's count of the operations of one step of one seed."""
  params = problems.draw(problem, num_seeds=1, seed=0)
  dynamics = problems.make_dynamics(problem, [leaf[0] for leaf in params])
  key = jax.random.key(0)
  state = dynamics.init(key)
  cpu = jax.local_devices(backend='cpu')[0]
  arguments = jax.device_put((key, state), cpu)
  step = jax.jit(lambda key, state: dynamics.step(key, state)[0])
  costs = step.lower(*arguments).compile().cost_analysis() or {}
  return float(costs['flops'])


def share_of_peak(
  problem: problems.Problem, seed_steps_per_second: float
) -> float:
  """Returns a speed as a share of all GPUs' peak; NaN for an unknown GPU."""
  kind = jax.local_devices()[0].device_kind
  peaks = [peak for name, peak in PEAK_FLOPS.items() if name in kind]
  if not peaks:
    return float(np.nan)
  flops = flops_per_step(problem) * seed_steps_per_second
  return flops / (peaks[0] * len(jax.local_devices()))
