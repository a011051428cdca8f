"""The optimizers of the studies by name, with every constant spelled out.

PyTorch's and optax's defaults differ (AdamW's decay, RMSprop's constants), so
nothing here has a default. Every number may be traced, and so be swept.
"""

from collections.abc import Mapping

import jax.numpy as jnp
import optax

from toyjax.base import Array

# The hyperparameters each optimizer reads beside its learning rate.
HYPERPARAMETERS: Mapping[str, tuple[str, ...]] = {
  'sgd': (),
  'momentum': ('momentum',),
  'adam': ('b1', 'b2', 'eps'),
  'adamw': ('b1', 'b2', 'eps', 'weight_decay'),
  'rmsprop': ('decay', 'eps'),
}

SCHEDULES = ('constant', 'warmup_cosine')


def make(
  name: str,
  *,
  learning_rate: float | Array,
  schedule: optax.Schedule | None,
  **hyperparameters: float | Array,
) -> optax.GradientTransformation:
  """Builds an optimizer from its name and all of its numbers.

  * sgd: θ ← θ - η g.
  * momentum: v ← μ v + g; θ ← θ - η v (heavy ball, as PyTorch writes it).
  * adam: Kingma and Ba 2015, algorithm 1; ε outside the root.
  * adamw: adam with decoupled decay of all parameters, θ ← θ - η (adam + λ θ).
  * rmsprop: v ← ρ v + (1 - ρ) g²; θ ← θ - η g / (√v + ε), as PyTorch has it.

  Args:
    name: one of `HYPERPARAMETERS`.
    learning_rate: η > 0, may be traced.
    schedule: step -> factor of the learning rate, or None for a constant.
    **hyperparameters: exactly those that `HYPERPARAMETERS[name]` lists:
      momentum μ in [0, 1), b1 and b2 in [0, 1), eps ε >= 0, decay ρ in [0, 1),
      weight_decay λ >= 0. Each may be traced.

  Returns:
    An optax gradient transformation.

  Raises:
    ValueError: on an unknown name, or a hyperparameter missing or unused.

  References:
    Kingma and Ba 2015, Adam, algorithm 1. Loshchilov and Hutter 2019, Decoupled
    weight decay regularization, algorithm 2.
  """
  if name not in HYPERPARAMETERS:
    raise ValueError(
      f'unknown optimizer {name!r}: choose from {", ".join(HYPERPARAMETERS)}'
    )
  expected, given = set(HYPERPARAMETERS[name]), set(hyperparameters)
  if expected != given:
    raise ValueError(f'{name} takes {sorted(expected)}, not {sorted(given)}')
  h = hyperparameters
  if name == 'sgd':
    rule = optax.identity()
  elif name == 'momentum':
    rule = optax.trace(decay=h['momentum'], nesterov=False)
  elif name == 'rmsprop':
    rule = optax.scale_by_rms(
      decay=h['decay'], eps=h['eps'], eps_in_sqrt=False, bias_correction=False
    )
  else:
    rule = optax.scale_by_adam(
      b1=h['b1'], b2=h['b2'], eps=h['eps'], eps_root=0.0, nesterov=False
    )
  stages = [rule]
  if name == 'adamw':
    stages.append(optax.add_decayed_weights(h['weight_decay']))
  if schedule is not None:
    stages.append(optax.scale_by_schedule(schedule))
  stages.append(optax.scale_by_learning_rate(learning_rate))
  return optax.chain(*stages)


def make_schedule(
  name: str, *, warmup_steps: int, num_steps: int
) -> optax.Schedule | None:
  """Builds a schedule of unit peak, to be multiplied by a traced rate.

  Args:
    name: one of `SCHEDULES`. 'constant' is None; 'warmup_cosine' rises linearly
      from 0 to 1 in `warmup_steps` and falls as a half cosine to 0 at
      `num_steps`.
    warmup_steps: 0 <= warmup_steps < num_steps.
    num_steps: length of the run.

  Returns:
    step -> factor in [0, 1], or None for a constant rate.

  Raises:
    ValueError: on an unknown name or a warm-up that does not end in the run.
  """
  if name == 'constant':
    return None
  if name != 'warmup_cosine':
    raise ValueError(
      f'unknown schedule {name!r}: choose from {", ".join(SCHEDULES)}'
    )
  if not 0 <= warmup_steps < num_steps:
    raise ValueError(
      f'warmup_steps must lie in [0, num_steps={num_steps}): {warmup_steps}'
    )

  def schedule(step: Array) -> Array:
    step = jnp.asarray(step, jnp.result_type(float))
    rise = step / max(warmup_steps, 1)
    phase = (step - warmup_steps) / (num_steps - warmup_steps)
    fall = 0.5 * (1.0 + jnp.cos(jnp.pi * jnp.clip(phase, 0.0, 1.0)))
    return jnp.where(step < warmup_steps, rise, fall)

  return schedule
