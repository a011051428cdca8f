"""Makes what comes next in threads, while what came before is used."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
import itertools
from typing import TypeVar

Item = TypeVar('Item')
Made = TypeVar('Made')


def made_ahead(
  make: Callable[[Item], Made], items: Iterable[Item], *, num_threads: int
) -> Iterator[tuple[Item, Made]]:
  """Yields each item and what is made of it, the next ones in the making.

  XLA compiles outside of the interpreter's lock: programs are compiled on
  several cores, and while another one runs. JAX's settings must be those of the
  process, not of a `with` block, which threads do not see.

  Args:
    make: called in a thread, in the order of the items.
    items: taken one by one, at most `num_threads` ahead.
    num_threads: made at a time, >= 1.

  Yields:
    (item, made) in order. What `make` raises is raised at its item.
  """
  rest = iter(items)
  waiting: deque[tuple[Item, Future[Made]]] = deque()
  with ThreadPoolExecutor(num_threads) as pool:

    def fill(num: int) -> None:
      for item in itertools.islice(rest, num):
        waiting.append((item, pool.submit(make, item)))

    try:
      fill(num_threads)
      while waiting:
        item, future = waiting.popleft()
        made = future.result()
        fill(1)
        yield item, made
    finally:
      pool.shutdown(wait=False, cancel_futures=True)
