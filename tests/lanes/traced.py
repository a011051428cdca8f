"""What a traced program is made of."""

from jax.extend import core


def primitives_of(jaxpr):
  """Returns the names of all primitives, inner programs' too, in order."""
  found = []
  for equation in jaxpr.eqns:
    found.append(equation.primitive.name)
    for inner in core.jaxprs_in_params(equation.params):
      found += primitives_of(inner)
  return found
