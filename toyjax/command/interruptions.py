"""Signals that stop a script: the first is an exception, the second the end."""

import _thread
from collections.abc import Callable, Iterator
import contextlib
import os
import signal
import socket
import sys
import threading
import types
from typing import Any, Self

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
  with _watched(set(earlier)) as forgive, _Handler(forgive) as handler:
    for number in earlier:
      signal.signal(number, handler.stop)
    try:
      yield
    finally:
      for number, before in earlier.items():
        signal.signal(number, before)


class _Handler:
  """Raises `Interrupted`, and again where Python drops it.

  That is where a signal comes amid a finalizer or a callback of the garbage
  collector; JAX has one.
  """

  def __init__(self, forgive: Callable[[], None]):
    """`forgive` is called before what looks like one more signal."""
    self._forgive = forgive
    self._timer: threading.Timer | None = None

  def __enter__(self) -> Self:
    self._before = sys.unraisablehook
    sys.unraisablehook = self.dropped
    return self

  def __exit__(self, *error: object) -> None:
    sys.unraisablehook = self._before
    if self._timer is not None:
      self._timer.cancel()

  def stop(self, number: int, frame: types.FrameType | None) -> None:
    """Handles a signal."""
    while frame is not None:
      if frame.f_code is _Handler.dropped.__code__:
        self._send_later(number)  # Python would drop what is raised there.
        return
      frame = frame.f_back
    raise Interrupted(number)

  def dropped(self, unraisable: Any) -> None:
    """Learns of an exception that Python drops."""
    if isinstance(unraisable.exc_value, Interrupted):
      self._send_later(unraisable.exc_value.number)
    else:
      self._before(unraisable)

  def _send_later(self, number: int) -> None:
    self._timer = threading.Timer(0.01, self._send, [number])
    self._timer.daemon = True
    self._timer.start()

  def _send(self, number: int) -> None:
    self._forgive()
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, 'pthread_kill'):
      signal.pthread_kill(main, number)
    else:
      _thread.interrupt_main(signal.Signals(number))


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
