"""What to ask of XLA's CPU compiler, by what the one at hand does.

`lanes` puts optimization barriers behind values that several others read. They
pay only where they stand until operations are fused: else each reader computes
the value again. Compilers differ in whether they stand by themselves, in what
keeps them, and in what refuses them. So a small program is compiled, once a
process, and its code is read.
"""

from collections.abc import Mapping
import functools
import os
import re
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp

from toyjax.base import Array

# LLVM's third level takes a quarter more time than the second to compile
# programs of `lanes`, which are as fast and equal to the last bit.
LEVEL, LEVEL_OPTION = 2, 'xla_backend_optimization_level'
OPTION = 'xla_disable_hlo_passes'
# Passes to leave out, the first choice that keeps barriers wins. The assigner
# cuts operations on a few hundred numbers into tasks for all threads, which
# costs more than it gains: spread devices over the cores instead. Until jaxlib
# 0.11 the expander drops barriers before fusion, and small loops that become
# one function must not hold any.
CHOICES = (
  'cpu-parallel-task-assigner',
  'cse_barrier_expander,cpu-parallel-task-assigner,small-while-loop-hoisting',
)


def cpu_compiler_options() -> dict[str, Any]:
  """Returns options under which programs of `lanes` are fast on a CPU.

  Returns:
    For `compiler_options` of `jax.jit`: the first choice that keeps barriers;
    else the first one that compiles; else none. With a choice the level of
    optimization, unless the environment's XLA_FLAGS says which.
  """
  options: dict[str, Any] = dict(choose(CHOICES))
  if options and LEVEL_OPTION not in os.environ.get('XLA_FLAGS', ''):
    options[LEVEL_OPTION] = LEVEL
  return options


@functools.cache
def choose(choices: tuple[str, ...]) -> dict[str, str]:
  """Returns the options of the best choice, in order of preference."""
  usable = []
  for passes in choices:
    options = {OPTION: passes}
    text = compile_probe(options)
    if text is not None and keeps_barriers(text):
      return options
    if text is not None:
      usable.append(options)
  return usable[0] if usable else {}


def compile_probe(options: Mapping[str, Any]) -> str | None:
  """Compiles a small loop with a product, a barrier and a minimum.

  Args:
    options: of the compiler.

  Returns:
    The compiled program as text, or None where the compiler refuses options or
    program.
  """

  def step(_: Array, x: Array) -> Array:
    return jnp.minimum(lax.optimization_barrier(x * x), 0.5)

  def loop(x: Array) -> Array:
    return lax.fori_loop(0, 3, step, x)

  device = jax.local_devices(backend='cpu')[0]
  # Whatever the caller's settings: the answer holds for the whole process.
  with jax.default_device(device), jax.disable_jit(False):
    lowered = jax.jit(loop).lower(jax.ShapeDtypeStruct((2,), jnp.float32))
    try:
      return lowered.compile(dict(options)).as_text()
    except (jax.errors.JaxRuntimeError, NotImplementedError, ValueError):
      return None


def keeps_barriers(text: str) -> bool:
  """Returns whether no fused function holds both sides of the barrier."""
  functions = re.split('^}', text, flags=re.MULTILINE)
  return not any(
    ' multiply(' in function and ' minimum(' in function
    for function in functions
  )
