"""Signals that stop a script: the first is an exception, the second the end."""

from collections.abc import Iterator
import contextlib
import os
import signal
import socket
import threading
from typing import Any

_NAMES = ('SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK')
SIGNALS = tuple(
  getattr(signal, name) for name in _NAMES if hasattr(signal, name)
)


class Interrupted(KeyboardInterrupt):
  """Somebody, or the machine, wants the script to stop.

  Attributes:
    status: the exit status that shells give to this signal.
  """

  def __init__(self, number: int):
    super().__init__(signal.Signals(number).name)
    self.status = 128 + number


@contextlib.contextmanager
def raised() -> Iterator[None]:
  """Raises `Interrupted` at the first signal, ends the process at the second.

  Signals that are ignored, as under nohup, stay so.
  """
  if threading.current_thread() is not threading.main_thread():
    yield
    return
  earlier = {
    number: signal.getsignal(number)
    for number in SIGNALS
    if signal.getsignal(number) not in (signal.SIG_IGN, None)
  }
  with _watched(set(earlier)):
    for number in earlier:
      signal.signal(number, _stop)
    try:
      yield
    finally:
      for number, handler in earlier.items():
        signal.signal(number, handler)


def _stop(number: int, frame: Any) -> None:
  del frame
  raise Interrupted(number)


@contextlib.contextmanager
def _watched(numbers: set[int]) -> Iterator[None]:
  """Ends the process at the second of these signals, at once.

  Python calls handlers between two of its own instructions, so a chunk that is
  computed holds them up; what writes to the socket does not wait for it.
  """
  ours, theirs = socket.socketpair()
  theirs.setblocking(False)

  def watch() -> None:
    seen = 0
    while number := ours.recv(1):
      seen += number[0] in numbers
      if seen > 1:
        os._exit(128 + number[0])

  threading.Thread(target=watch, daemon=True).start()
  before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
  try:
    yield
  finally:
    signal.set_wakeup_fd(before)
    theirs.close()
