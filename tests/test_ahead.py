"""What comes next is made while what came before is used."""

import threading

import pytest

from toyjax.ahead import made_ahead

WAIT = 30.0  # Seconds after which a test fails rather than hangs.


def test_items_come_in_order_each_with_what_was_made_of_it():
  for num_threads in (1, 2, 9):
    found = list(made_ahead(lambda i: i * i, range(5), num_threads=num_threads))
    assert found == [(i, i * i) for i in range(5)]
  assert list(made_ahead(str, [], num_threads=2)) == []


def test_so_many_are_made_at_a_time_and_no_more():
  started = [threading.Event() for _ in range(5)]
  both = threading.Barrier(2)

  def make(i):
    started[i].set()
    if i < 2:
      both.wait(WAIT)  # Passes only where the first two are made together.
    return i

  ahead = made_ahead(make, range(5), num_threads=2)
  assert next(ahead) == (0, 0)
  # While the first is used two more are made, and the last two are not.
  assert started[1].wait(WAIT)
  assert started[2].wait(WAIT)
  assert not started[3].is_set()
  ahead.close()
  assert not started[4].is_set()


def test_an_error_is_raised_at_its_item():
  def make(i):
    if i == 1:
      raise ValueError('one')
    return i

  ahead = made_ahead(make, range(3), num_threads=3)
  assert next(ahead) == (0, 0)
  with pytest.raises(ValueError, match='one'):
    next(ahead)


def test_who_stops_early_waits_for_no_more_than_what_is_begun():
  made = []
  goes_on = threading.Event()

  def make(i):
    if i:
      goes_on.wait(WAIT)
    made.append(i)
    return i

  ahead = made_ahead(make, range(100), num_threads=1)
  next(ahead)
  goes_on.set()
  ahead.close()
  assert made in ([0], [0, 1])
