"""Compiled programs, kept for the next start in the user's cache folder.

processor --folder--> ~/.cache/toyjax/programs/CODE --keep--> JAX fills it

TOYJAX_CACHE names another folder than ~/.cache/toyjax; empty, it keeps none.
"""

import os
import pathlib
from typing import Any

import jax

from toyjax import processors

MOST_BYTES = 2**28  # The least used programs make room for others.


def folder() -> pathlib.Path | None:
  """Returns where programs of this processor are kept, None for nowhere.

  Code is made for one processor, which JAX's own names of programs leave out;
  homes are shared by machines of many kinds.
  """
  home = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
  root = os.environ.get('TOYJAX_CACHE', os.path.join(home, 'toyjax'))
  return pathlib.Path(root) / 'programs' / processors.code() if root else None


def keep() -> None:
  """Has JAX keep what takes a second or more to compile, and take it again.

  Whoever told JAX of a folder keeps that one. Where there can be none, as in a
  home that is read-only, nothing is kept.
  """
  path = folder()
  config: Any = jax.config
  if path is None or config.jax_compilation_cache_dir is not None:
    return
  try:
    path.mkdir(parents=True, exist_ok=True)
  except OSError:
    return
  if not os.access(path, os.W_OK):
    return
  config.update('jax_compilation_cache_dir', str(path))
  config.update('jax_compilation_cache_max_size', MOST_BYTES)
