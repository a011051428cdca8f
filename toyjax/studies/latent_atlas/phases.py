"""The phase diagram of a sweep: outcomes over learning rate and init scale."""

from collections.abc import Sequence
import functools

import matplotlib.figure
import numpy as np

from toyjax import roles, settings, statistics
from toyjax.plots import phase, sheets
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.latent_atlas.classes import at_step
from toyjax.studies.optimization_failure.settings import SETTINGS
from toyjax.tables import Share
from toyjax.toys.relu_autoencoder import Outcome

AXES = ('learning_rate', 'init_scale')


def phases(found: Sequence[Runs], values: Values, step: int) -> list[Sheet]:
  """Returns a diagram for each combination of all other settings.

  Args:
    found: the configurations of the sweep.
    values: of all settings.
    step: one of the observed steps.

  Returns:
    Sheets; none where neither axis has two values.
  """
  if max(len(values[name]) for name in AXES) < 2:
    return []
  others = [
    row.name
    for row in settings.swept(SETTINGS)
    if row.name not in AXES and len(values[row.name]) > 1
  ]
  facets: dict[tuple[str, ...], list[Runs]] = {}
  for runs in found:
    if not runs.num_runs:
      continue
    key = tuple(f'{runs.configuration[name]}' for name in others)
    facets.setdefault(key, []).append(runs)
  return [
    Sheet(
      '_'.join(['phase', *(f'{n}{v}' for n, v in zip(others, key))]),
      functools.partial(
        _draw,
        members,
        values,
        step,
        ', '.join(f'{n} = {v}' for n, v in zip(others, key)),
      ),
    )
    for key, members in facets.items()
  ]


def _draw(
  members: Sequence[Runs], values: Values, step: int, title: str
) -> matplotlib.figure.Figure:
  rates, scales = (values[name] for name in AXES)
  fractions = np.zeros((len(scales), len(rates), len(Outcome)))
  texts = [[''] * len(rates) for _ in scales]
  for runs in members:
    r = scales.index(runs.configuration['init_scale'])
    c = rates.index(runs.configuration['learning_rate'])
    (codes,) = at_step(runs, step, 'outcome')
    fractions[r, c] = statistics.counts(codes, len(Outcome)) / len(codes)
    solved = Share(int(roles.are(codes, Outcome).sum()), len(codes)).interval
    texts[r][c] = (
      f'{100 * solved.estimate:.0f} % solved\n'
      f'[{100 * solved.lower:.0f}, {100 * solved.upper:.0f}]'
    )
  fixed = f'n = {values["num_features"][0]}, m = {values["num_hidden"][0]}'
  figure, axes = sheets.single(
    1.28 * len(rates) + 1.6,
    0.95 * len(scales) + 2.0,
    f'How runs stand after {step:,} steps ({title or fixed}): each cell is '
    f'{sheets.sizes([runs.num_runs for runs in members])} seeds,\nfilled by '
    'the shares of all outcomes; in numbers the share solved with its 95 % '
    'Wilson interval',
  )
  handles = phase.draw_phase(
    axes,
    columns=[f'{rate:g}' for rate in rates],
    rows=[f'{scale:g}' for scale in scales],
    outcomes=list(Outcome),
    fractions=fractions,
    texts=texts,
  )
  axes.set_xlabel(f'learning rate ({"/".join(values["optimizer"])})')
  axes.set_ylabel("init scale (times\nthe init's standard deviation)")
  sheets.legend_beside(
    axes, handles=handles, handlelength=1.6, handleheight=1.4
  )
  return figure
