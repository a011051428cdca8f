"""Signals: the first ends a script in order, the second at once."""

import gc
import multiprocessing
import os
import pathlib
import signal
import sys
import threading
import time

import pytest

from toyjax import manifest
from toyjax.command import errors, interruptions

_forks = multiprocessing.get_context('fork')


def _work(path: pathlib.Path, is_stubborn: bool) -> None:
  # Whoever started the tests may ignore them, as nohup does.
  signal.signal(signal.SIGINT, signal.default_int_handler)
  signal.signal(signal.SIGHUP, signal.SIG_DFL)
  sys.stderr = (path / 'stderr').open('w')
  with (
    errors.one_line_errors('study'),
    manifest.Workdir(
      path / 'folder',
      script='study',
      science={},
      extent={},
      layout={},
      environment={},
    ),
  ):
    try:
      (path / 'ready').touch()  # A signal may follow at once.
      time.sleep(60)
    finally:
      if is_stubborn:
        (path / 'stopping').touch()
        time.sleep(60)


def _start(path: pathlib.Path, *, is_stubborn: bool):
  process = _forks.Process(target=_work, args=(path, is_stubborn))
  process.start()
  _wait_for(path / 'ready')
  return process


def _wait_for(path: pathlib.Path) -> None:
  deadline = time.monotonic() + 60
  while not path.exists():
    assert time.monotonic() < deadline
    time.sleep(0.01)


@pytest.mark.parametrize(
  ('number', 'status'),
  [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_the_first_signal_is_noted_and_says_how_to_go_on(
  tmp_path, number, status
):
  process = _start(tmp_path, is_stubborn=False)
  os.kill(process.pid, number)
  process.join(60)
  assert process.exitcode == status
  (line,) = (tmp_path / 'stderr').read_text().strip().splitlines()
  assert line == 'study: stopped; the same command resumes where it was'
  found = manifest.read(tmp_path / 'folder')
  assert found['invocations'][-1]['status'] == 'stopped'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_ends_it_at_once(tmp_path, number):
  process = _start(tmp_path, is_stubborn=True)
  os.kill(process.pid, number)
  _wait_for(tmp_path / 'stopping')
  os.kill(process.pid, number)
  process.join(30)
  assert process.exitcode == 128 + number


def _interrupt_this() -> None:
  os.kill(os.getpid(), signal.SIGTERM)
  time.sleep(5)


def _collect_and_work() -> None:
  gc.collect()
  time.sleep(30)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('delay', [0.0, 0.1])
def test_a_signal_amid_garbage_collection_is_not_lost(
  monkeypatch, number, delay
):
  """Python drops what is raised in such a callback, here twice.

  With a delay it also comes while the first one is being noted.
  """
  phases = []

  def callback(phase, info):
    phases.append(phase)
    if len(phases) == 1:
      os.kill(os.getpid(), number)
    if len(phases) <= 2:
      time.sleep(0.2)

  delays = iter([delay])

  class Slow(threading.Timer):
    def start(self):
      super().start()
      time.sleep(next(delays, 0.0))

  monkeypatch.setattr(interruptions.threading, 'Timer', Slow)
  start = time.monotonic()
  # Jobs in the background of a shell ignore interruptions.
  earlier = signal.signal(number, signal.default_int_handler)
  gc.callbacks.append(callback)
  try:
    with (
      interruptions.raised(),
      pytest.raises(interruptions.Interrupted) as interrupted,
    ):
      _collect_and_work()
  finally:
    gc.callbacks.remove(callback)
    signal.signal(number, earlier)
  assert interrupted.value.status == 128 + number
  assert time.monotonic() - start < 20


def test_ignored_signals_stay_so_and_handlers_come_back():
  earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)
  before = signal.getsignal(signal.SIGTERM)
  try:
    with interruptions.raised():
      assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
      with pytest.raises(interruptions.Interrupted):
        _interrupt_this()
    assert signal.getsignal(signal.SIGTERM) is before
  finally:
    signal.signal(signal.SIGHUP, earlier)
