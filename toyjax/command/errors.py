"""How a script ends that cannot go on: one line on stderr, and a status."""

from collections.abc import Iterator
import contextlib
import os
import sys

from absl import flags
import jax

from toyjax import manifest
from toyjax.checks import StoreError
from toyjax.command import interruptions, remarks
from toyjax.parsers import SettingError
from toyjax.plots import style
from toyjax.texts import printable


@contextlib.contextmanager
def one_line_errors(script: str) -> Iterator[None]:
  """Turns foreseeable ends into one line on stderr and an exit status.

  Figures within have the house's style.
  """
  try:
    with (
      interruptions.raised(),
      remarks.shown(script),
      style.house_style(),
    ):
      yield
  except (
    manifest.WorkdirError,
    SettingError,
    StoreError,
    flags.Error,
  ) as error:
    sys.exit(printable(f'{script}: {error}'))
  except OSError as error:
    message = f'{script}: {error}; finished chunks are kept, run it again'
    sys.exit(printable(message))
  except (MemoryError, jax.errors.JaxRuntimeError) as error:
    is_of_memory = isinstance(error, MemoryError)
    if not is_of_memory and 'RESOURCE_EXHAUSTED' not in str(error):
      raise
    sys.exit(
      f'{script}: out of memory; a smaller --chunk_size or a smaller problem '
      'takes less; finished chunks are kept'
    )
  except KeyboardInterrupt as error:
    print(
      f'\n{script}: stopped; the same command resumes where it was',
      file=sys.stderr,
      flush=True,
    )
    # The chunk in flight would hold up a normal exit, and is lost anyway.
    os._exit(getattr(error, 'status', 130))
