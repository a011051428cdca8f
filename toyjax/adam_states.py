"""The whole state of a training by Adam or AdamW, as arrays by name.

state --arrays_of--> arrays, to be stored --state_of--> the state again
"""

from collections.abc import Mapping

from toyjax.base import Array
from toyjax.descent import DescentState


def names(params: tuple[str, ...]) -> tuple[str, ...]:
  """Returns the names of `arrays_of`, of parameters of these names."""
  moments = [f'{moment}_{name}' for moment in ('mu', 'nu') for name in params]
  return (*params, *moments, 'count')


def arrays_of(state: DescentState) -> dict[str, Array]:
  """Returns a state of Adam or AdamW as arrays by name, to be stored.

  Args:
    state: its parameters are a NamedTuple of arrays.

  Returns:
    Parameter p, its moments `mu_p` and `nu_p`, and Adam's `count` of steps.
  """
  adam = state.opt_state[0]
  leaves = (*state.params, *adam.mu, *adam.nu, adam.count)
  return dict(zip(names(state.params._fields), leaves, strict=True))


def state_of(like: DescentState, arrays: Mapping[str, Array]) -> DescentState:
  """Returns the state that `arrays_of` gave.

  Args:
    like: a state of the same training, such as its initial one.
    arrays: by name; others beside them are left alone.
  """
  make = type(like.params)
  fields = like.params._fields
  params, mu, nu = (
    make(*(arrays[f'{moment}{name}'] for name in fields))
    for moment in ('', 'mu_', 'nu_')
  )
  adam, *rest = like.opt_state
  adam = adam._replace(mu=mu, nu=nu, count=arrays['count'])
  return DescentState(params, (adam, *rest))
