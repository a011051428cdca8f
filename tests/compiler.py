"""Options under which small programs that run once compile fast."""

import os

import jax


def _is_known(name: str, value: object) -> bool:
  """Whether the XLA at hand has an option."""
  try:
    jax.jit(lambda: 0, compiler_options={name: value}).lower().compile()
  except jax.errors.JaxRuntimeError:
    return False
  return True


# XLA's newer emitters of fused loops compile three times as slowly.
FAST = {
  name: value
  for name, value in {
    'xla_backend_optimization_level': 0,
    'xla_cpu_use_fusion_emitters': False,
  }.items()
  if _is_known(name, value)
}
# The same for processes of their own, beside what all tests were told.
ENVIRONMENT = {
  'XLA_FLAGS': ' '.join(
    [
      *os.environ.get('XLA_FLAGS', '').split(),
      *(f'--{name}={value}' for name, value in FAST.items()),
    ]
  )
}


def fast_jit(function, **options):
  """Returns `jax.jit` of a small program that runs a few times."""
  return jax.jit(function, compiler_options=FAST, **options)
