"""Parameters of one net as one row of numbers, and back.

Params --flatten--> [number of parameters] --unflatten--> Params
"""

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array, Params, Toy


def flatten(params: Params) -> Array:
  """Returns all parameters of one net in one row, in the order of its leaves.

  Each leaf row by row.
  """
  return jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(params)])


def unflatten(rows: np.ndarray, toy: Toy) -> Params:
  """Returns the parameters of stored nets.

  Args:
    rows: [..., number of parameters], as `flatten` gives.
    toy: whose `init` gives the shapes.

  Returns:
    Parameters of NumPy arrays with the same leading axes.
  """
  shapes = jax.eval_shape(toy.init, jax.random.key(0))
  leaves, tree = jax.tree.flatten(shapes)
  ends = np.cumsum([leaf.size for leaf in leaves])
  parts = np.split(rows, ends[:-1], axis=-1)
  return jax.tree.unflatten(
    tree,
    [
      part.reshape(*rows.shape[:-1], *leaf.shape)
      for part, leaf in zip(parts, leaves)
    ],
  )
