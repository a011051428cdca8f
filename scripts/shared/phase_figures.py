"""The phase diagram of a sweep: outcomes over learning rate and init scale."""

from collections.abc import Mapping, Sequence
import pathlib
from typing import Any

import matplotlib.figure
import numpy as np

from scripts.shared import failure_grid, tables
from scripts.shared.failure_runs import Configuration
from toyjax import statistics
from toyjax.plots import phase
from toyjax.toys.relu_autoencoder import Outcome

AXES = ('learning_rate', 'init_scale')
_SOLVED = (Outcome.SOLVED_REGULAR, Outcome.SOLVED_IRREGULAR)


def rows(
  found: Sequence[Configuration], settings: Mapping[str, Any], step: int
) -> list[dict[str, Any]]:
  """Returns the counts and intervals of all outcomes at one step, by cell."""
  at = settings['observe_steps'].index(step)
  return [
    row
    for configuration in found
    for row in tables.outcome_rows(
      configuration.flags, [step], configuration.outcomes[:, [at]], Outcome
    )
  ]


def draw_all(
  path: pathlib.Path,
  found: Sequence[Configuration],
  settings: Mapping[str, Any],
  step: int,
) -> list[str]:
  """Draws a diagram for each combination of all other flags.

  Args:
    path: folder of the figures.
    found: the configurations of the sweep.
    settings: all scientific flags.
    step: one of the observed steps.

  Returns:
    Names of the files; none where neither axis has two values.
  """
  if max(len(settings[name]) for name in AXES) < 2:
    return []
  others = [
    name
    for name in failure_grid.LISTS
    if name not in AXES and len(settings[name]) > 1
  ]
  facets: dict[tuple, list[Configuration]] = {}
  for configuration in found:
    key = tuple(configuration.flags[name] for name in others)
    facets.setdefault(key, []).append(configuration)
  names = []
  for key, members in facets.items():
    own = '_'.join(f'{n}{v}' for n, v in zip(others, key))
    names.append(f'phase_{own}.png' if own else 'phase.png')
    title = ', '.join(f'{n} = {v}' for n, v in zip(others, key))
    _draw(path / names[-1], members, settings, step, title)
  return names


def _draw(
  path: pathlib.Path,
  members: Sequence[Configuration],
  settings: Mapping[str, Any],
  step: int,
  title: str,
) -> None:
  rates, scales = (settings[name] for name in AXES)
  at = settings['observe_steps'].index(step)
  shape = (len(scales), len(rates))
  fractions = np.zeros((*shape, len(Outcome)))
  texts = [[''] * len(rates) for _ in scales]
  for configuration in members:
    # The store may round a rate to the precision of the training.
    r, c = (
      int(np.argmin(np.abs(np.asarray(values) - configuration.flags[name])))
      for values, name in ((scales, 'init_scale'), (rates, 'learning_rate'))
    )
    codes = configuration.outcomes[:, at]
    counts = statistics.counts(codes, len(Outcome))
    fractions[r, c] = counts / len(codes)
    solved = statistics.wilson(int(counts[list(_SOLVED)].sum()), len(codes))
    texts[r][c] = (
      f'{100 * solved.estimate:.0f} % solved\n'
      f'[{100 * solved.lower:.0f}, {100 * solved.upper:.0f}]'
    )
  figure = matplotlib.figure.Figure(
    (1.28 * len(rates) + 3.6, 0.95 * len(scales) + 2.0), layout='constrained'
  )
  axes = figure.subplots()
  handles = phase.draw_phase(
    axes,
    columns=[f'{rate:g}' for rate in rates],
    rows=[f'{scale:g}' for scale in scales],
    outcomes=[code.name for code in Outcome],
    fractions=fractions,
    texts=texts,
  )
  axes.set_xlabel(f'learning rate ({"/".join(settings["optimizer"])})')
  axes.set_ylabel("init scale (times the init's standard deviation)")
  figure.legend(
    handles=handles,
    loc='outside right center',
    frameon=False,
    handlelength=1.6,
    handleheight=1.4,
  )
  fixed = f'n = {settings["num_features"][0]}, m = {settings["num_hidden"][0]}'
  sizes = sorted({len(m.outcomes) for m in members})
  figure.suptitle(
    f'How runs stand after {step:,} steps ({title or fixed}): each cell is '
    f'{" to ".join(f"{s:,}" for s in sizes)} seeds,\nfilled by the shares of '
    'all outcomes; in numbers the share solved with its 95 % Wilson interval',
    fontsize=10,
  )
  figure.savefig(path, dpi=110)
