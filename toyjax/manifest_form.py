"""What a manifest must say to be used: names, types, a known format.

text of `manifest.json` --parse--> manifest
"""

import json
from typing import Any

from toyjax.json_text import each_key_once

# From 2 on, stores hold checksums; folders from before say no format.
FORMAT = 2
_KINDS = {
  'script': (str, 'a name'),
  'science': (dict, 'an object'),
  'extent': (dict, 'an object'),
  'layout': (dict, 'an object'),
  'invocations': (list, 'a list'),
}
_COUNTS = ('chunk_size', 'num_seeds')  # Of the layout, where it has them.


def parse(text: str) -> dict[str, Any]:
  """Returns what a manifest says.

  Raises:
    ValueError: saying in one line what is missing or wrong.
  """
  found = json.loads(
    text, object_pairs_hook=each_key_once, parse_constant=_refuse
  )
  _require_form(found)
  return found


def _refuse(text: str) -> Any:
  raise ValueError(f'{text} is no number of JSON')


def _require_form(found: Any) -> None:
  """Raises ValueError unless all is there that a folder is used by."""
  if not isinstance(found, dict):
    raise ValueError('it is no object of JSON')
  for name, (kind, text) in _KINDS.items():
    if not isinstance(found.get(name), kind):
      raise ValueError(f'{name!r} is missing, or not {text}')
  version = found.get('format', 1)
  if not _is_count(version) or version > FORMAT:
    raise ValueError(
      f'it has format {version}, this version of toyjax reads up to {FORMAT}'
    )
  counts = [('extent', name) for name in found['extent']]
  counts += [('layout', name) for name in _COUNTS if name in found['layout']]
  for section, name in counts:
    if not _is_count(found[section][name]):
      raise ValueError(
        f'{name!r} in {section!r} is no count: {found[section][name]!r}'
      )
  for invocation in found['invocations']:
    if not isinstance(invocation, dict) or not isinstance(
      invocation.get('status'), str
    ):
      raise ValueError("an entry of 'invocations' has no status")
    if not isinstance(invocation.get('versions', {}), dict):
      raise ValueError("'versions' of an invocation are no object")


def _is_count(value: Any) -> bool:
  return isinstance(value, int) and not isinstance(value, bool) and value >= 0
