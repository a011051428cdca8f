"""Figures of replays: replay.png (shares) and trajectories.png (one each)."""

from collections.abc import Mapping, Sequence
import math
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.figure
import numpy as np

from scripts.shared import changepoint_choices as choices
from scripts.shared.changepoint_replay_report import (
  TOTAL,
  Combination,
  sentences_text,
)
from toyjax.base import Array
from toyjax.data import traces
from toyjax.inference import changepoint
from toyjax.inference.changepoint import intervals
from toyjax.inference.changepoint.evidence import Verdict
from toyjax.plots import trajectories
from toyjax.plots.texts import NAME, literal

_NUM_COLUMNS = 4
_PANEL_INCHES, _MARGIN_INCHES = 2.5, 2.0
_VERDICT_COLORS = {
  'DROP': '#D55E00',
  'NO_DROP': '#0072B2',
  'UNDECIDED': '#D9D9D9',
}


def draw_overview(
  path: pathlib.Path, rows: Sequence[Mapping[str, Any]], *, level: float
) -> None:
  """Draws how often each trace's change is found and covered, and verdicts."""
  combinations: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
  for row in rows:
    combinations.setdefault((row['policy'], row['prior']), []).append(row)
  blocks = list(combinations.values())
  names = [
    row['base']
    if row['problem'] == TOTAL
    else f'{row["problem"]} {row["base"]}'.strip()
    for row in blocks[0]
  ]
  height = 1.6 + len(names) * (0.24 + 0.06 * len(blocks))
  figure = matplotlib.figure.Figure((13.0, height), layout='constrained')
  near, cover, verdicts = figure.subplots(1, 3, sharey=True)
  within = blocks[0][0]['within_distance']
  for axes, names_of_shares, reference, xlabel in (
    (near, ('within', 'exact'), None, 'replays that name the index'),
    (cover, ('central_covers',), level, 'central intervals with that index'),
  ):
    shares = {}
    for (policy, prior), block in combinations.items():
      for name in names_of_shares if len(blocks) == 1 else names_of_shares[:1]:
        label = f'{policy}, {prior}'
        if len(blocks) == 1:
          label = {'within': f'within {within}', 'exact': 'exactly'}.get(
            name, label
          )
        shares[label] = np.asarray(
          [
            [row[column] for row in block]
            for column in (name, f'{name}_lower', f'{name}_upper')
          ],
          float,
        )
    if len(blocks) > 1 and axes is near:
      xlabel += f' within {within}'
    trajectories.draw_shares(
      axes, names=names, shares=shares, reference=reference, xlabel=xlabel
    )
  first = blocks[0]
  trajectories.draw_stacked(
    verdicts,
    names=names,
    shares={
      code: np.asarray([row[code.lower()] for row in first], float)
      for code in _VERDICT_COLORS
    },
    colors=_VERDICT_COLORS,
    xlabel='verdicts',
  )
  for axes in (near, verdicts):
    axes.legend(
      loc='lower center',
      bbox_to_anchor=(0.5, 1.0),
      ncols=min(3, len(axes.get_legend_handles_labels()[1])),
      frameon=False,
      fontsize='small',
    )
  cover.set_title(f'dashed: {100 * level:g} %', fontsize='small')
  names_of_first = f'{first[0]["policy"]}, {first[0]["prior"]} prior'
  if len(blocks) > 1:
    verdicts.set_xlabel(f'verdicts ({names_of_first})')
  figure.suptitle(
    f'{first[0]["num_repeats"]} replays of each trace, at most '
    f'{max(row["mean_rollouts"] for row in rows):.0f} rollouts: do they find '
    'the index of the change that all recorded rollouts give?\n'
    + (f'{names_of_first}; ' if len(blocks) == 1 else '')
    + 'whiskers: 95 % Wilson intervals over replays',
    fontsize='medium',
  )
  figure.savefig(path, dpi=140)


def draw_trajectories(
  path: pathlib.Path,
  combination: Combination,
  found: Sequence[traces.Trace],
  *,
  level: float,
) -> None:
  """Draws the first replay of every trace, a panel each."""
  order = sorted(
    range(len(found)), key=lambda i: (found[i].problem.zfill(12), found[i].base)
  )
  num_rows = math.ceil(len(order) / _NUM_COLUMNS)
  columns = min(_NUM_COLUMNS, len(order))
  height = _PANEL_INCHES * num_rows + _MARGIN_INCHES
  figure = matplotlib.figure.Figure((4.0 * max(columns, 3), height))
  figure.subplots_adjust(
    left=0.045,
    right=0.99,
    top=1.0 - 0.55 * _MARGIN_INCHES / height,
    bottom=0.6 * _MARGIN_INCHES / height,
    hspace=0.62,
    wspace=0.14,
  )
  panels = figure.subplots(num_rows, columns, squeeze=False).ravel()
  means, bands = _believed(combination, level)
  for axes, i in zip(panels, order):
    _draw_one(axes, combination, found[i], i, means[i], [b[i] for b in bands])
  for axes in panels[len(order) :]:
    axes.set_axis_off()
  for axes in panels[::columns]:
    axes.set_ylabel('P(right)')
  for axes in panels[max(len(order) - columns, 0) : len(order)]:
    axes.set_xlabel('position (index of the next sentence)')
  figure.suptitle(
    f'One replay of each trace ({combination.label}, {100 * level:g} % '
    'interval and band) beside all recorded rollouts',
    fontsize='large',
    y=1.0 - 0.1 / height,
    va='top',
  )
  figure.legend(
    *panels[0].get_legend_handles_labels(),
    loc='lower center',
    ncols=4,
    frameon=False,
  )
  figure.savefig(path, dpi=130)


def _draw_one(
  axes: Any,
  combination: Combination,
  trace: traces.Trace,
  i: int,
  mean: np.ndarray,
  band: Sequence[np.ndarray],
) -> None:
  """Draws the first replay of trace i."""
  results, one = combination.results, combination.exhaustive[i]
  shown = trace.chunk_indices[trace.has_data]
  answered = trace.num_answered[trace.has_data]
  sentence = sentences_text(trace, one) or 'none'
  positions = np.arange(results['rollouts_right'].shape[-1])
  right, wrong = (
    np.repeat(positions, results[name][i, 0])
    for name in ('rollouts_right', 'rollouts_wrong')
  )
  trajectories.draw_trajectory(
    axes,
    positions=shown,
    recorded_rates=trace.num_correct[trace.has_data] / np.maximum(answered, 1),
    recorded_numbers=answered,
    mean=mean[shown],
    lower=band[0][shown],
    upper=band[1][shown],
    interval=(
      int(results['central_lower'][i, 0]),
      int(results['central_upper'][i, 0]),
    ),
    right_at=right,
    wrong_at=wrong,
    reference=one.position,
    is_guilty=sentence != 'none',
  )
  verdict = Verdict(int(results['verdict'][i, 0])).name
  axes.set_title(
    literal(f'#{trace.problem} {trace.base}', length=NAME)
    + f': index {one.position}, sentence {sentence}'
    f'\nreplay: index {results["location"][i, 0]}, {verdict}',
    fontsize='small',
    pad=11,
  )


def _believed(
  combination: Combination, level: float
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
  """Returns posterior mean [R, T] and band of every trace's first replay.

  They are computed from the stored counts.
  """
  before, after = choices.PRIORS[combination.prior]

  def believe(weights: Array, right: Array, wrong: Array) -> tuple:
    prior = changepoint.make_prior(before=before, after=after, weights=weights)
    state = changepoint.condition(prior, changepoint.Beta(right, wrong))
    band = intervals.trajectory_band(state, level=level)
    return changepoint.mean_trajectory(state), tuple(band)

  right, wrong = (
    jnp.asarray(combination.results[name][:, 0], float)
    for name in ('rollouts_right', 'rollouts_wrong')
  )
  weights = jnp.asarray(combination.has_data, float)
  run = jax.jit(lambda xs: jax.lax.map(lambda x: believe(*x), xs))
  mean, band = run((weights, right, wrong))
  return np.asarray(mean), tuple(np.asarray(end) for end in band)
