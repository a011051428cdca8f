"""What the library has to say while a script runs, as lines on stderr."""

from collections.abc import Iterator
import contextlib
import logging
import sys


class _Lines(logging.Handler):
  """Writes each remark once, after the name of the script."""

  def __init__(self, script: str):
    super().__init__(logging.WARNING)
    self._script = script
    self._seen: set[str] = set()

  def emit(self, record: logging.LogRecord) -> None:
    text = record.getMessage()
    if text not in self._seen:
      self._seen.add(text)
      print(f'{self._script}: {text}', file=sys.stderr, flush=True)


@contextlib.contextmanager
def shown(script: str) -> Iterator[None]:
  """Shows what the library logs."""
  logger, handler = logging.getLogger('toyjax'), _Lines(script)
  logger.addHandler(handler)
  propagate, logger.propagate = logger.propagate, False
  try:
    yield
  finally:
    logger.propagate = propagate
    logger.removeHandler(handler)
