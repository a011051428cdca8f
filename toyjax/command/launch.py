"""Starts a script: absl reads its flags, and its output holds any text."""

from collections.abc import Callable
import gc
import io
import sys

from absl import app


def run(main: Callable[[list[str]], None]) -> None:
  """Runs the main function of a script.

  Where the terminal's encoding lacks a letter, as in a C locale, it is printed
  as an escape, so that no text of a help page or of the data ends a run.
  """
  for stream in (sys.stdout, sys.stderr):
    if isinstance(stream, io.TextIOWrapper):
      stream.reconfigure(errors='backslashreplace')
  # Modules stay: to look for garbage among them takes a fifth of a trace.
  gc.freeze()
  app.run(main)
