"""Takes final states of the autoencoder to what they lead to.

v --settle--> critical point or floor of a valley, with its catalogue entry
"""

from typing import Any, NamedTuple

import numpy as np

from toyjax.analysis.autoencoder import batches, catalogue, polishing
from toyjax.analysis.autoencoder.catalogue import Entry


class Settings(NamedTuple):
  """The numbers behind a certificate.

  Attributes:
    gradient_tolerance: a point is critical where |∇F| is below.
    zero_sse: F counts as 0 below: residuals of 1e-9.
    floor_tolerance: a valley's floor is reached where the gradient within the
      sphere is below; rounding grows with the squared norm.
    near: a critical point is at hand if it is reached without moving by more
      than this fraction of |v|.
    rise: and F there is above the state's by no more than this fraction. Weight
      decay leaves runs a little below the saddle that holds them; one that is
      further down has left it.
    kink_tolerance: an output is on a kink where |z| is at most this. Newton's
      method ends within the root of the rounding of a singular Hessian.
    zero_curvature: an eigenvalue counts as 0 within this of 0.
    explained: F agrees with a catalogue entry to this.
    weak_norm: rows shorter than this are weak; learned ones are longer than 1
      but for the last few of an unfinished descent.
    num_newton: most steps towards a critical point.
    num_short_descent: most steps of the first descent.
    num_long_descent: most steps of the descent of those in no known valley.
    num_relax: most steps to the floor of a valley.
    num_starts: of the search for negative curvature across kinks.
    num_iterations: of that search.
  """

  gradient_tolerance: float = 1e-12
  zero_sse: float = 1e-18
  floor_tolerance: float = 1e-10
  near: float = 0.05
  rise: float = 0.01
  kink_tolerance: float = 1e-7
  zero_curvature: float = 1e-7
  explained: float = 1e-9
  weak_norm: float = 0.5
  num_newton: int = 60
  num_short_descent: int = 60
  num_long_descent: int = 4000
  num_relax: int = 200
  num_starts: int = 4
  num_iterations: int = 20


SETTINGS = Settings()


class Settled(NamedTuple):
  """Where states lead to: [S, ...] each.

  Attributes:
    end: the state and its error.
    found: what the catalogue says of it.
    solved: bool, F = 0.
    critical: bool, ∇F = 0, solved ones included.
  """

  end: polishing.Polished
  found: catalogue.Found
  solved: np.ndarray
  critical: np.ndarray


def settle(v: np.ndarray, num_features: int, settings: Settings) -> Settled:
  """Takes each state to what it leads to."""
  sizes: Any = {
    'num_features': num_features,
    'tolerance': settings.gradient_tolerance,
  }
  near = polishing.find_critical(v, max_steps=settings.num_newton, **sizes)
  moved = np.linalg.norm(near.v - v, axis=1)
  at_hand = (
    (near.gradient_norm < settings.gradient_tolerance)
    & (moved <= settings.near * np.linalg.norm(v, axis=1))
    & (near.sse <= (1.0 + settings.rise) * batches.errors(v, num_features))
  )
  end = polishing.descend(
    np.where(at_hand[:, None], near.v, v),
    max_steps=settings.num_short_descent,
    **sizes,
  )
  solved = end.sse < settings.zero_sse
  critical = solved | (end.gradient_norm < settings.gradient_tolerance)
  found = catalogue.nothing(len(v))

  # A descent that takes long may have no end: judged at the norm it came from.
  (long,) = np.nonzero(~critical)
  floor = polishing.relax(v[long], max_steps=settings.num_relax, **sizes)
  valley = catalogue.find_valleys(
    floor.v,
    weak_norm=settings.weak_norm,
    explained=settings.explained,
    max_steps=settings.num_relax,
    **sizes,
  )
  endless = (valley.entry != Entry.NONE) & (
    floor.gradient_norm < settings.floor_tolerance
  )
  _put(end, long[endless], floor, endless)
  _put(found, long[endless], valley, endless)

  far = long[~endless]
  down = polishing.descend(
    end.v[far], max_steps=settings.num_long_descent, **sizes
  )
  done = (down.sse < settings.zero_sse) | (
    down.gradient_norm < settings.gradient_tolerance
  )
  # What has no end within the steps stays on its floor, unresolved.
  _put(end, far[done], down, done)
  _put(end, far[~done], floor, np.flatnonzero(~endless)[~done])
  solved[far[done]] = down.sse[done] < settings.zero_sse
  critical[far[done]] = True

  found.entry[solved], found.sse[solved], found.infimum[solved] = (
    Entry.SOLVED,
    0.0,
    0.0,
  )
  (stuck,) = np.nonzero(critical & ~solved)
  if len(stuck):
    levels = catalogue.find_levels(
      end.v[stuck],
      num_features=num_features,
      on_tolerance=settings.kink_tolerance,
      explained=settings.explained,
    )
    _put(found, stuck, levels, slice(None))
  return Settled(end, found, solved, critical)


def _put(into: NamedTuple, at: np.ndarray, values: NamedTuple, which) -> None:
  """Writes values[which] into the arrays of `into` at `at`."""
  for there, here in zip(into, values):
    there[at] = here[which]
