"""How tests compile: in haste, since most of their programs run a few times.

Code that is not optimized is the same program with other last bits, and the
whole of the tests takes half the time with it. TOYJAX_TEST_CODE=optimized
compiles as for users; so do `make test-matrix` and part of `.ci/run`.
"""

import functools
import os

import jax
import jax.numpy as jnp
import pytest

CODES = ('hasty', 'optimized')
HASTE = (
  '--xla_backend_optimization_level=0',
  '--xla_llvm_disable_expensive_passes=true',
  '--xla_cpu_parallel_codegen_split_count=1',
  # An emitter of fused loops that is slow; later ones know no such flag.
  *['--xla_cpu_use_fusion_emitters=false'] * (jax.__version_info__ < (0, 11)),
)


def flags_of_users() -> list[str]:
  """Returns what XLA was told, without our haste."""
  asked = os.environ.get('XLA_FLAGS', '').split()
  return [flag for flag in asked if flag not in HASTE]


def set_up() -> None:
  """Chooses the code of this process and of those that it starts.

  Before anything is compiled: XLA reads its flags once.

  Raises:
    ValueError: for another TOYJAX_TEST_CODE than one of `CODES`.
  """
  code = os.environ.get('TOYJAX_TEST_CODE', CODES[0])
  if code not in CODES:
    raise ValueError(f'TOYJAX_TEST_CODE is {code!r}, not one of {CODES}')
  haste = HASTE if code == 'hasty' else ()
  os.environ['XLA_FLAGS'] = ' '.join([*flags_of_users(), *haste])


@functools.cache
def _converts(dtype: str) -> bool:
  run = jax.jit(lambda x: (2 * x.astype(dtype)).astype('float32'))
  try:
    run(jnp.ones(4, 'float32'))
  except jax.errors.JaxRuntimeError:
    return False
  return True


def require_conversions(dtype: str) -> None:
  """Skips a test of a type that XLA has no code for on this processor.

  For SSE4.2 it calls functions for float16, and through it for smaller types,
  that it does not bring: "Symbols not found: __extendhfsf2".
  """
  if not _converts(dtype):
    pytest.skip(f'XLA cannot convert {dtype} with these instructions')
