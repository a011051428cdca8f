"""JSON as files of this library have it: each key once.

text --json.loads(..., object_pairs_hook=each_key_once)--> objects
"""

from collections.abc import Callable
from typing import Any


def each_key_once(
  pairs: list[tuple[str, Any]], shown: Callable[[str], str] = repr
) -> dict[str, Any]:
  """Returns the object of some pairs, for `object_pairs_hook`.

  Args:
    pairs: as they stand in the text.
    shown: key -> how an error names it.

  Raises:
    ValueError: naming a key that stands twice; Python would take the last one.
  """
  found = dict(pairs)
  if len(found) < len(pairs):
    keys = [key for key, _ in pairs]
    twice = next(key for key in found if keys.count(key) > 1)
    raise ValueError(f'the key {shown(twice)} stands twice')
  return found
