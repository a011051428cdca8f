"""What large_trials prints: whether peers agree, a table, and verdicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from toyjax import tables

# Of the way that a seed's weights went, how far apart peers may end: Adam
# divides by the gradient's size, also where it is all rounding.
TOLERANCE = 1e-2

Row = Mapping[str, Any]
Weights = Mapping[str, Any]


def agree(name: str, start: Weights, ends: Mapping[str, Weights]) -> bool:
  """Prints how far peers end from the first, as a share of the way there."""
  first = next(iter(ends.values()))

  def way(a: Weights, b: Weights) -> np.ndarray:
    return sum(
      np.square(np.asarray(a[key]) - np.asarray(b[key]))
      .reshape((len(start[key]), -1))
      .sum(axis=1)
      for key in start
    )

  shares = {
    peer: float(np.sqrt(np.max(way(end, first) / way(first, start))))
    for peer, end in ends.items()
  }
  # Not finite counts as a difference.
  same = all(share <= TOLERANCE for share in shares.values())
  text = ', '.join(f'{peer} {share:.1e}' for peer, share in shares.items())
  verdict = 'agree' if same else 'DISAGREE'
  print(f'{name}: peers {verdict}; largest share of the way: {text}')
  return same


def table(rows: Sequence[Row]) -> str:
  """Returns the rows of all problems and peers."""
  return tables.align(
    (
      *('problem', 'weights', 'MFLOP', 'peer', 'block'),
      *('a core-second', 'range', 'a second', 'of peak'),
    ),
    [
      [
        row['problem'],
        f'{row["num_weights"]}',
        f'{row["flops_per_step"] / 1e6:.3g}',
        row['peer'],
        f'{row["block"]}',
        f'{row["seed_steps_per_core_second"]:.3g}',
        f'[{row["lowest"]:.3g}, {row["highest"]:.3g}]',
        f'{row["seed_steps_per_second"]:.3g}',
        f'{row["share_of_peak"]:.0%}',
      ]
      for row in rows
    ],
  )


def verdict(rows: Sequence[Row]) -> str:
  """Returns how toyjax's default compares with the fastest of PyTorch."""
  speed = {row['peer']: row['seed_steps_per_core_second'] for row in rows}
  others = {peer: x for peer, x in speed.items() if peer.startswith('torch_')}
  if 'default' not in speed or not others:
    return ''
  best = max(others, key=lambda peer: others[peer])
  ratio = speed['default'] / others[best]
  hit = 'HIT ' if ratio >= 1 else 'MISS'
  return f'{hit} {rows[0]["problem"]}: default / {best} = {ratio:.3g}'
