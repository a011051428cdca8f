"""Arrays that a sweep without a store keeps in one file, to go on from there.

name, identity --load--> the arrays that `save` wrote under them, or None
"""

from collections.abc import Mapping
import json
import logging
import pathlib
from typing import Any

import numpy as np

from toyjax import checks

_CHECK = 'checksum'
_LOGGER = logging.getLogger(__name__)


def save(
  path: pathlib.Path, found: Mapping[str, np.ndarray], identity: Any
) -> None:
  """Writes arrays in one move, with a digest of what they are and hold.

  Args:
    path: of the file, which ends in .npz.
    found: name -> array.
    identity: what the arrays are of; JSON can hold it.
  """
  path.parent.mkdir(exist_ok=True)
  unfinished = path.with_name('unfinished.npz')
  check = np.asarray(_digest(found, path.name, identity))
  arrays: dict[str, Any] = {**found, _CHECK: check}
  np.savez_compressed(unfinished, **arrays)
  unfinished.replace(path)


def load(
  path: pathlib.Path, like: Mapping[str, Any], identity: Any
) -> dict[str, np.ndarray] | None:
  """Returns the arrays of a file, or None where they have to be made.

  The log says what is damaged, or from before there were digests.

  Args:
    path: of the file.
    like: name -> anything with the shape and dtype of the array.
    identity: as it was saved.
  """
  if not path.exists():
    return None
  try:
    with np.load(path, allow_pickle=False) as file:
      found = dict(file)
  except Exception as error:  # Damaged archives raise what they like.
    _LOGGER.warning(
      '%s cannot be read: %s; it is made again', path, checks.reason(error)
    )
    return None
  check = found.pop(_CHECK, None)
  if check is not None and str(check) != _digest(found, path.name, identity):
    what = 'does not hold what was written (checksum)'
  elif {n: (v.shape, v.dtype) for n, v in found.items()} != {
    n: (v.shape, v.dtype) for n, v in like.items()
  }:
    what = 'does not hold what is asked'
  else:
    if check is None:
      _LOGGER.warning(
        '%s is from before there were checksums: taken as it is', path
      )
    return found
  _LOGGER.warning('%s %s; it is made again', path, what)
  return None


def _digest(found: Mapping[str, np.ndarray], name: str, identity: Any) -> str:
  parts = [checks.digest(found[n], n) for n in sorted(found)]
  text = json.dumps([name, identity, parts], sort_keys=True)
  return checks.digest(np.frombuffer(text.encode(), np.uint8))
