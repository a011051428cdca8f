"""Stacks of dense layers in one neutral form, read from many.

    users' parameters --read_stack--> Stack(embedding, ((W_1, b_1), ...))

The neutral form is a list of pairs (W [outputs, inputs], b [outputs]), from
input to output, with a ReLU between two layers; before it may stand an
embedding [V, inputs], whose rows are the inputs. Nothing here imports flax: a
module is known by its attributes.
"""

from collections.abc import Iterator, Mapping, Sequence
import re
from typing import Any, NamedTuple

import numpy as np


class Layer(NamedTuple):
  """One dense layer z = Wa + b.

  Attributes:
    weight: W, [outputs, inputs].
    bias: b, [outputs].
  """

  weight: np.ndarray
  bias: np.ndarray


class Stack(NamedTuple):
  """A stack of dense layers, a ReLU after each but the last.

  Attributes:
    embedding: [V, inputs] one row a token, or None where the input is a vector.
    layers: one or more.
  """

  embedding: np.ndarray | None
  layers: tuple[Layer, ...]


def read_stack(params: Any, *, names: Sequence[str] | None = None) -> Stack:
  """Reads a stack of dense layers.

  Args:
    params: one of
      a `Stack`, or a toy's parameters with `layers` (and `embedding`), each a
      pair (W, b) or a record of `kernel` [inputs, outputs] and `bias`;
      a sequence of pairs (W [outputs, inputs], b [outputs]);
      a flax.linen tree {'params': {'Dense_0': {'kernel', 'bias'}, ...}}, whose
      kernels are [inputs, outputs], with or without the outer level, and an
      'embedding' at most once;
      a flax.nnx module made of nnx.Linear and nnx.Embed.
    names: the keys of a linen tree, or the attributes of a module, from input
      to output, the embedding's among them. Without, attributes stand in the
      order they were set, and keys in the order of the numbers at their ends
      (jax.tree.map sorts keys: Dense_10 before Dense_2).

  Returns:
    The `Stack`, its arrays NumPy, dtypes unchanged. A layer without a bias has
    zeros.

  Raises:
    ValueError: if the layers are none, do not fit each other, have no order, or
      hold something else than dense layers.
  """
  if hasattr(params, 'layers') and not hasattr(params, '_pytree__state'):
    embedding = getattr(params, 'embedding', None)
    pairs = [
      _pair(*layer) if hasattr(layer, 'kernel') else layer
      for layer in params.layers
    ]
  elif isinstance(params, Mapping):
    embedding, pairs = _split(_tree_parts(params, names))
  elif isinstance(params, Sequence):
    embedding, pairs = None, list(params)
  else:
    embedding, pairs = _split(_module_parts(params, names))
  layers = tuple(Layer(np.asarray(w), np.asarray(b)) for w, b in pairs)
  table = None if embedding is None else np.asarray(embedding)
  _check(table, layers)
  return Stack(table, layers)


def _check(embedding: np.ndarray | None, layers: Sequence[Layer]) -> None:
  if not layers:
    raise ValueError('there is no dense layer')
  if embedding is not None and embedding.ndim != 2:
    raise ValueError(f'an embedding has shape [V, inputs]: {embedding.shape}')
  size = None if embedding is None else embedding.shape[1]
  for k, layer in enumerate(layers):
    weight, bias = layer
    if weight.ndim != 2 or bias.shape != weight.shape[:1]:
      raise ValueError(
        f'layer {k}: weight {weight.shape} and bias {bias.shape} are not '
        '[outputs, inputs] and [outputs]'
      )
    if size is not None and weight.shape[1] != size:
      raise ValueError(
        f'layer {k} takes {weight.shape[1]} inputs, but {size} come in: '
        'name the layers from input to output'
      )
    size = weight.shape[0]
  arrays = [array for layer in layers for array in layer]
  if not all(np.isfinite(array).all() for array in arrays):
    raise ValueError('weights and biases must be finite')


def _split(parts: Sequence[Any]) -> tuple[Any, list[tuple[Any, Any]]]:
  """Splits parts into the embedding, which comes first, and the layers."""
  tables = [k for k, part in enumerate(parts) if not isinstance(part, tuple)]
  if tables and tables != [0]:
    raise ValueError('an embedding must come first, and only once')
  return (parts[0] if tables else None), list(parts[len(tables) :])


def _pair(kernel: Any, bias: Any) -> tuple[np.ndarray, np.ndarray]:
  """Turns flax's kernel [inputs, outputs] and bias, or None, into (W, b)."""
  weight = np.asarray(kernel).T
  if bias is None:
    return weight, np.zeros(len(weight), weight.dtype)
  return weight, np.asarray(bias)


def _tree_parts(tree: Mapping, names: Sequence[str] | None) -> list[Any]:
  """Returns the embedding and the pairs of a flax.linen tree, in order."""
  if set(tree) == {'params'}:
    tree = tree['params']
  missing = set(names or ()) - set(tree)
  if missing:
    raise ValueError(f'no layer {sorted(missing)}: there are {sorted(tree)}')
  parts: list[Any] = []
  for name in names or _ordered(tree):
    leaf = tree[name]
    if isinstance(leaf, Mapping) and set(leaf) == {'embedding'}:
      parts.append(np.asarray(leaf['embedding']))
    elif isinstance(leaf, Mapping) and {'kernel'} <= set(leaf) <= {
      'kernel',
      'bias',
    }:
      parts.append(_pair(leaf['kernel'], leaf.get('bias')))
    else:
      raise ValueError(f'{name!r} is neither a dense layer nor an embedding')
  return parts


def _ordered(tree: Mapping) -> list[str]:
  """Returns the keys: embeddings first, then by the number at their end."""
  tables = [
    name
    for name, leaf in tree.items()
    if isinstance(leaf, Mapping) and set(leaf) == {'embedding'}
  ]
  dense = [name for name in tree if name not in tables]
  parts = [re.fullmatch(r'(.*?)(\d+)', name) for name in dense]
  if len(dense) > 1 and len({part and part[1] for part in parts}) > 1:
    raise ValueError(f'the order of {dense} is not known: give names')
  if len(dense) > 1 and None in parts:
    raise ValueError(f'the order of {dense} is not known: give names')
  numbers = {
    name: int(part[2]) if part else 0 for name, part in zip(dense, parts)
  }
  return tables + sorted(dense, key=numbers.__getitem__)


def _module_parts(module: Any, names: Sequence[str] | None) -> list[Any]:
  """Returns the embedding and the pairs of a flax.nnx module, in order."""
  if not hasattr(module, '__dict__'):
    raise ValueError(f'{type(module).__name__} holds no dense layers')
  if names is not None:
    missing = [name for name in names if not hasattr(module, name)]
    if missing:
      raise ValueError(f'no layer {missing} in {type(module).__name__}')
    return [
      part for name in names for part in _parts_of(getattr(module, name), name)
    ]
  return list(_parts_of(module, type(module).__name__))


def _parts_of(node: Any, name: str) -> Iterator[Any]:
  """Yields the embedding and the pairs below one node of an nnx module."""
  kernel = _value(node, 'kernel')
  if kernel is not None:
    if kernel.ndim != 2:
      raise ValueError(f'{name!r} is no dense layer: kernel {kernel.shape}')
    yield _pair(kernel, _value(node, 'bias'))
  elif _value(node, 'embedding') is not None:
    yield _value(node, 'embedding')
  elif isinstance(node, Sequence) and not isinstance(node, str):
    for k, child in enumerate(node):
      yield from _parts_of(child, f'{name}[{k}]')
  elif type(node).__module__.partition('.')[0] not in ('jax', 'numpy'):
    for key, child in getattr(node, '__dict__', {}).items():
      if not key.startswith('_') and hasattr(child, '__dict__'):
        yield from _parts_of(child, key)


def _value(node: Any, name: str) -> np.ndarray | None:
  """Returns the array of a flax.nnx variable, None where there is none."""
  variable = getattr(node, name, None)
  if variable is None or not hasattr(variable, 'shape'):
    return None
  value = np.asarray(variable)
  return None if value.dtype == object else value
