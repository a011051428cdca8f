"""How long generated texts are: exact chances as bars, sampled as points."""

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter
import numpy as np

from toyjax import statistics
from toyjax.plots import palette

EXACT, SAMPLED = '#9CC9E6', palette.VERMILION  # A pale blue below the points.


def draw_lengths(
  axes: Axes,
  *,
  exact: np.ndarray,
  counts: np.ndarray,
  num_samples: int,
) -> None:
  """Draws the chance of each length, and of texts that are longer.

  The last bar, set apart, is that of all texts that have not ended after L
  tokens. Points are shares of sampled texts with 95 % Wilson intervals.

  Args:
    axes: where to draw.
    exact: [L + 1], chance of the lengths 0..L.
    counts: int [L + 1], sampled texts of these lengths.
    num_samples: sampled texts, >= 1; those that are longer included.
  """
  most = len(exact) - 1
  places = np.append(np.arange(most + 1), most + 2)
  chances = np.append(exact, max(0.0, 1.0 - float(np.sum(exact))))
  counts = np.append(counts, num_samples - np.sum(counts))
  axes.bar(places, chances, color=EXACT, width=0.85, label='exact')
  shares = [statistics.wilson(int(count), num_samples) for count in counts]
  middle, lower, upper = np.asarray(shares).T
  axes.errorbar(
    places,
    middle,
    yerr=np.maximum([middle - lower, upper - middle], 0.0),
    fmt='o',
    markersize=3.0,
    elinewidth=1.0,
    color=SAMPLED,
    label=f'{num_samples:,} sampled texts',
  )
  locator = MaxNLocator(5, integer=True)
  ticks = [tick for tick in locator.tick_values(0, most) if 0 <= tick < most]
  axes.set_xticks(
    [*ticks, most + 2], [*(f'{tick:g}' for tick in ticks), f'> {most}']
  )
  axes.set_ylim(bottom=0.0)
  axes.yaxis.set_major_formatter(PercentFormatter(1.0))
  axes.set_xlabel('tokens up to the end')
