"""Damage of files: each record with each field replaced by what is no such."""

from collections.abc import Callable, Iterator
import copy
import json
from typing import Any

BAD_VALUES: tuple[Any, ...] = (
  *(None, True, -1, 7, 10**400, 1.5, float('nan'), float('inf')),
  *('', 'x', '\ud800', '\x1b[31m\u202e\x00', [], [None], [7], [[]]),
  *({}, {'text': 7}, {'a': None}),
)


def deep(depth: int = 100_000) -> bytes:
  """Returns a JSON text that is nested too deep to be read."""
  return b'[' * depth + b']' * depth


def paths(value: Any, path: tuple = ()) -> Iterator[tuple]:
  """Yields the path of every value inside a value, itself included."""
  yield path
  if isinstance(value, dict | list):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
      yield from paths(inner, (*path, key))


def replaced(value: Any, path: tuple, new: Any) -> Any:
  """Returns a copy with another value at a path."""
  if not path:
    return new
  value = copy.deepcopy(value)
  holder = value
  for key in path[:-1]:
    holder = holder[key]
  holder[path[-1]] = new
  return value


def removed(value: Any, path: tuple) -> Any:
  """Returns a copy without the value at a path."""
  value = copy.deepcopy(value)
  holder = value
  for key in path[:-1]:
    holder = holder[key]
  del holder[path[-1]]
  return value


def mutations(value: Any) -> Iterator[Any]:
  """Yields every copy with one value replaced, left out, or listed twice."""
  for path in paths(value):
    for new in BAD_VALUES:
      yield replaced(value, path, new)
    if path:
      yield removed(value, path)
      if isinstance(path[-1], int):
        holder = value
        for key in path[:-1]:
          holder = holder[key]
        yield replaced(value, path[:-1], [*holder, holder[path[-1]]])


def broken_bytes(content: bytes) -> Iterator[bytes]:
  """Yields a file cut short, in another encoding, or with signs between."""
  for part in range(1, 12):
    yield content[: part * len(content) // 12]
  yield content + 'é'.encode('latin-1')
  yield content.decode().encode('utf-16')
  yield b''
  yield b'\n \r\n'
  yield b'\x00' + content
  yield deep()
  yield content.replace(b'"', b'')


def as_json(value: Any) -> bytes:
  """Returns a JSON text, with NaN and infinity as Python writes them."""
  return json.dumps(value).encode()


def refusal(read: Callable[..., Any], *args: Any) -> ValueError | None:
  """Returns the ValueError that a reader ends in, or None; others pass."""
  try:
    read(*args)
  except ValueError as error:
    return error
  return None
