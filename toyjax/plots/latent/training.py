"""One run through its training: the loss, and something of each feature."""

from collections.abc import Sequence

from matplotlib.axes import Axes
import numpy as np

from toyjax.plots.latent import latent_plane

_LINES = ('-', '--', '-.')


def scale_steps(axes: Axes, last_step: int) -> None:
  """Gives an axis of steps from 0 a square-root scale.

  Runs start fast and end slowly, yet may jump late: a logarithmic axis would
  squeeze the end, an even one the start.
  """
  axes.set_xscale('function', functions=(_sqrt, np.square))
  ticks = [round(last_step * (k / 5) ** 2) for k in range(6)]
  axes.set_xticks(ticks, [f'{tick:,}' for tick in ticks])
  axes.set_xlim(0, last_step)


def _sqrt(values: np.ndarray) -> np.ndarray:
  return np.sqrt(np.maximum(values, 0.0))


def draw_sse(
  axes: Axes,
  *,
  steps: Sequence[int] | np.ndarray,
  sse: np.ndarray,
  solved_sse: float,
  num_features: int,
) -> None:
  """Draws the sum of squared errors over the n samples on a logarithmic axis.

  Args:
    axes: where to draw.
    steps: [T] optimizer steps, >= 1.
    sse: [T], NaN where the run has diverged.
    solved_sse: where a run counts as solved.
    num_features: n; a line at 1 - 1/n marks one dead feature.
  """
  # Below this float32 holds nothing but rounding.
  shown = np.maximum(np.asarray(sse, float), 1e-14)
  axes.plot(steps, shown, color='black', linewidth=1.5)
  axes.axhline(1.0 - 1.0 / num_features, color='#8C8C8C', lw=0.8, ls=':')
  axes.axhline(solved_sse, color='#0072B2', lw=0.8, ls='--')
  for value, text, color, above in (
    (1.0 - 1.0 / num_features, '1 - 1/n: one dead feature', '#6A6A6A', False),
    (solved_sse, f'solved: below {solved_sse:g}', '#0072B2', True),
  ):
    axes.annotate(
      text,
      xy=(0.01, value),
      xycoords=('axes fraction', 'data'),
      xytext=(0, 2 if above else -2),
      textcoords='offset points',
      va='bottom' if above else 'top',
      fontsize=7.5,
      color=color,
    )
  scale_steps(axes, steps[-1])
  axes.set_yscale('log')
  axes.set_ylabel('SSE')
  axes.grid(alpha=0.25)


def draw_features(
  axes: Axes,
  *,
  steps: Sequence[int] | np.ndarray,
  values: np.ndarray,
  ylabel: str,
) -> None:
  """Draws one curve for each feature, named at its right end.

  Args:
    axes: where to draw.
    steps: [T] optimizer steps, >= 1.
    values: [T, N].
    ylabel: what the values are.
  """
  num_features = values.shape[1]
  colors = latent_plane.feature_colors(num_features)
  for i, color in enumerate(colors):
    line = _LINES[i % len(_LINES)]
    axes.plot(steps, values[:, i], color=color, linestyle=line, linewidth=1.4)
  low, high = axes.get_ylim()
  places = _spread(values[-1], 0.055 * (high - low))
  for i, color in enumerate(colors):
    axes.annotate(
      str(i),
      xy=(1.0, places[i]),
      xycoords=('axes fraction', 'data'),
      xytext=(4, 0),
      textcoords='offset points',
      va='center',
      color=color,
      fontsize=8,
      fontweight='bold',
      annotation_clip=False,
    )
  scale_steps(axes, steps[-1])
  axes.set_ylabel(ylabel)
  axes.grid(alpha=0.25)


def _spread(values: np.ndarray, distance: float) -> np.ndarray:
  """Moves labels apart to `distance`, in their order, about where they were."""
  order = np.argsort(values, kind='stable')
  places = np.nan_to_num(np.asarray(values, float))[order]
  for k in range(1, len(places)):
    places[k] = max(places[k], places[k - 1] + distance)
  places -= (places - np.sort(np.nan_to_num(values))).mean()
  spread = np.empty_like(places)
  spread[order] = places
  return spread
