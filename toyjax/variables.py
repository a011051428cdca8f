"""Descriptions of results for a store, by their names: each entered once.

long names --described, coded--> name -> store.Variable
"""

import enum

from toyjax import store


def described(*dims: str, **long_names: str) -> dict[str, store.Variable]:
  """Returns a description of each result of the same dimensions.

  Args:
    *dims: names of the dimensions after `run`.
    **long_names: name of a result -> what it is.
  """
  return {
    name: store.Variable(dims, {'long_name': text})
    for name, text in long_names.items()
  }


def coded(
  codes: type[enum.IntEnum], long_name: str, *dims: str
) -> store.Variable:
  """Returns the description of a result that holds codes of an `IntEnum`."""
  return store.Variable(
    dims, {'long_name': long_name, **store.flag_attrs(codes)}
  )
