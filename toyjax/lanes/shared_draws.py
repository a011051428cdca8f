"""Random keys whose draws depend on which keys are mapped together."""

from typing import Any

from jax.extend import core

from toyjax.lanes.values import equations_within

# Kinds of keys that `jax.vmap` draws for together, from the first of them.
_KINDS = ('key<rbg>', 'key<urbg>')


def has_shared_draws(jaxpr: core.Jaxpr) -> bool:
  """Whether a seed's draws would depend on the seeds it is computed with.

  Args:
    jaxpr: the program of one seed.

  Returns:
    Whether it holds keys of the kinds rbg or unsafe_rbg, or XLA's own generator
    of random bits. Keys of the kind threefry2x32 are drawn for one by one.
  """
  equations = list(equations_within(jaxpr))
  if any(
    equation.primitive.name in ('rng_bit_generator', 'rng_uniform')
    for equation in equations
  ):
    return True
  variables: list[Any] = [*jaxpr.invars, *jaxpr.constvars]
  for equation in equations:
    variables += [*equation.invars, *equation.outvars]
  return any(
    str(getattr(variable.aval, 'dtype', '')) in _KINDS for variable in variables
  )
