"""Signals that stop a script: the first is an exception, the second the end."""

import _thread
from collections.abc import Callable, Iterator
import contextlib
import os
import signal
import socket
import sys
import threading
from typing import Any

_NAMES = ('SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK')
SIGNALS = tuple(
  getattr(signal, name) for name in _NAMES if hasattr(signal, name)
)


class Interrupted(KeyboardInterrupt):
  """Somebody, or the machine, wants the script to stop.

  Attributes:
    number: of the signal.
    status: the exit status that shells give to it.
  """

  def __init__(self, number: int):
    super().__init__(signal.Signals(number).name)
    self.number = number
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
  with _watched(set(earlier)) as forgive, _raised_again(forgive):
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
def _raised_again(forgive: Callable[[], None]) -> Iterator[None]:
  """Raises `Interrupted` again where Python drops it.

  That is where the handler ran in a finalizer or in a callback of the garbage
  collector; JAX has one.

  Args:
    forgive: called before, since it looks like one more signal.
  """
  before = sys.unraisablehook

  def again(number: int) -> None:
    forgive()
    _thread.interrupt_main(signal.Signals(number))

  def hook(unraisable: Any) -> None:
    error = unraisable.exc_value
    if isinstance(error, Interrupted):
      # Not here, where it would be dropped, too.
      timer = threading.Timer(0.01, again, [error.number])
      timer.daemon = True
      timer.start()
    else:
      before(unraisable)

  sys.unraisablehook = hook
  try:
    yield
  finally:
    sys.unraisablehook = before


@contextlib.contextmanager
def _watched(numbers: set[int]) -> Iterator[Callable[[], None]]:
  """Ends the process at the second of these signals, at once.

  Python calls handlers between two of its own instructions, so a chunk that is
  computed holds them up; what writes to the socket does not wait for it.

  Yields:
    What says that one signal to come is none.
  """
  most = 1
  ours, theirs = socket.socketpair()
  theirs.setblocking(False)

  def watch() -> None:
    seen = 0
    while number := ours.recv(1):
      seen += number[0] in numbers
      if seen > most:
        os._exit(128 + number[0])

  def forgive() -> None:
    nonlocal most
    most += 1

  threading.Thread(target=watch, daemon=True).start()
  before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
  try:
    yield forgive
  finally:
    signal.set_wakeup_fd(before)
    theirs.close()
