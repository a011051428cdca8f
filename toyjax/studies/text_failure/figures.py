"""Sheets of the text net's sweep: losses, and where generation leads.

runs, tables --> losses.png, generation.png
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
import numpy as np

from toyjax.plots import palette, quantiles, sheets, stacked
from toyjax.plots.sheets import Sheet
from toyjax.plots.texts import LINE, literal
from toyjax.runs import Runs
from toyjax.studies.text_failure import rows
from toyjax.tables import LABEL, Table

_MAX_PANELS = 6
_MAX_CYCLES = 4  # Cycles with a colour of their own.
_FLOOR = 1e-4  # Lowest loss drawn, nats.


def losses(
  found: Sequence[Runs], printed: Mapping[int, float], about: str
) -> Sheet:
  """Returns the spread of the loss, and the printed run, by configuration."""

  def draw() -> Figure:
    figure, panels = sheets.panels(
      len(found), f'Loss of tiny text nets {about}', most=_MAX_PANELS
    )
    for axes, runs in zip(panels, found):
      own, epochs = rows.losses(runs), (0, *runs.values['observe_epochs'])
      quantiles.draw_spread(axes, x=epochs, values=own, floor=_FLOOR)
      if seen := [epoch for epoch in epochs if epoch in printed]:
        axes.plot(
          seen,
          [printed[epoch] for epoch in seen],
          'D--',
          color=palette.VERMILION,
          label='printed by the source',
        )
      axes.set_yscale('log')
      axes.set_ylim(*_limits([*own.ravel(), *printed.values()]))
      axes.set_xlabel('epochs')
      axes.set_ylabel('cross entropy, nats')
      axes.set_title(literal(runs.label, length=LINE))
      axes.grid(alpha=0.25)
    panels[0].legend(fontsize='small', loc='lower left')
    return figure

  return Sheet('losses', draw, is_cropped=False)


def _limits(values: Sequence[float]) -> tuple[float, float]:
  """Returns limits that hold the middle of the finite losses and a legend."""
  finite = np.asarray(values)[np.isfinite(values)]
  if not finite.size:
    return _FLOOR, 10.0
  low, high = np.quantile(finite, (0.001, 0.999))
  return max(_FLOOR, low / 10.0), max(10.0, 2.0 * high)


def generation(found: Sequence[Runs], table: Table, about: str) -> Sheet:
  """Returns where greedy generation leads from each word, by configuration."""

  def draw() -> Figure:
    figure, panels = sheets.panels(
      len(found),
      'Where greedy generation from each word leads, after '
      f'{table.rows[0]["epoch"]:,} epochs {about}',
      most=_MAX_PANELS,
      height=3.0,
    )
    for axes, runs in zip(panels, found):
      end = runs.values['end']
      own = [
        row
        for row in table.rows
        if row[LABEL] == runs.label and row['class'] != f'never {end}'
      ]
      totals: Counter[str] = Counter()
      for row in own:
        totals[row['class']] += row[''].count
      cycles = [name for name, _ in totals.most_common() if name != end]
      classes = (end, *cycles[:_MAX_CYCLES])
      words = list(dict.fromkeys(row['start'] for row in own))
      fractions = np.zeros((len(words), len(classes) + 1))
      for row in own:
        is_named = row['class'] in classes
        place = classes.index(row['class']) if is_named else -1
        share = row[''].count / row[''].total
        fractions[words.index(row['start']), place] += share
      stacked.draw_stacked(
        axes,
        labels=words,
        classes=[f"ends at '{end}'", *classes[1:], 'others'],
        fractions=fractions,
      )
      axes.set_title(literal(runs.label, length=LINE))
      axes.set_xlabel('share of runs')
      sheets.legend_beside(axes, fontsize='small')
    return figure

  return Sheet('generation', draw, is_cropped=False)
