"""Figures of replays: their shares, and the first one of each trace."""

from collections.abc import Mapping, Sequence
import math
from typing import Any

import jax
import jax.numpy as jnp
from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np

from toyjax.base import Array
from toyjax.data import traces
from toyjax.inference import changepoint
from toyjax.inference.changepoint import intervals, rivals
from toyjax.inference.changepoint.evidence import Verdict
from toyjax.plots import palette, sheets
from toyjax.plots.latent import trajectories
from toyjax.plots.texts import NAME, literal
from toyjax.runs import Runs
from toyjax.studies.changepoint_replay.recorded import Exhaustive, pad
from toyjax.studies.changepoint_replay.rows import TOTAL, sentences_text
from toyjax.tables import Row

_LEGEND_INCHES = 1.2
_VERDICT_COLORS = {
  'DROP': palette.VERMILION,
  'NO_DROP': palette.BLUE,
  'UNDECIDED': palette.GREY,
}


def draw_overview(blocks: Sequence[Sequence[Row]], *, level: float) -> Figure:
  """Draws how often each trace's change is found and covered, and verdicts.

  Args:
    blocks: rows of each policy and prior.
    level: of the credible sets.
  """
  first, several = blocks[0], len(blocks) > 1
  labels = [f'{b[0]["policy"]}, {b[0]["prior"]}' for b in blocks]
  names = [
    row['base']
    if row['problem'] == TOTAL
    else f'{row["problem"]} {row["base"]}'.strip()
    for row in first
  ]
  figure, (near, cover, verdicts) = sheets.panels(
    3,
    f'{first[0]["num_repeats"]} replays of each trace, at most '
    f'{max(row["mean_rollouts"] for b in blocks for row in b):.0f} rollouts: '
    'do they find the index of the change that all recorded rollouts give?\n'
    + ('' if several else f'{labels[0]} prior; ')
    + 'whiskers: 95 % Wilson intervals over replays',
    most=3,
    columns=3,
    width=4.3,
    height=1.2 + len(names) * (0.24 + 0.06 * len(blocks)),
    sharey=True,
  )

  def shares(rows: Sequence[Row], name: str) -> np.ndarray:
    ends = (name, f'{name}_lower', f'{name}_upper')
    return np.asarray([[row[end] for row in rows] for end in ends], float)

  within = first[0]['within_distance']
  found = {label: shares(b, 'within') for label, b in zip(labels, blocks)}
  trajectories.draw_shares(
    near,
    names=names,
    shares=found
    if several
    else {
      f'within {within}': shares(first, 'within'),
      'exactly': shares(first, 'exact'),
    },
    reference=None,
    xlabel='replays that name the index' + f' within {within}' * several,
  )
  trajectories.draw_shares(
    cover,
    names=names,
    shares={
      label: shares(b, 'central_covers') for label, b in zip(labels, blocks)
    },
    reference=level,
    xlabel='central intervals with that index',
  )
  trajectories.draw_stacked(
    verdicts,
    names=names,
    shares={
      code: np.asarray([row[code.lower()] for row in first])
      for code in _VERDICT_COLORS
    },
    colors=_VERDICT_COLORS,
    xlabel='verdicts' + f' ({labels[0]} prior)' * several,
  )
  for axes in (near, verdicts):
    axes.legend(
      loc='lower center',
      bbox_to_anchor=(0.5, 1.0),
      ncols=min(3, len(axes.get_legend_handles_labels()[1])),
      fontsize='small',
    )
  cover.set_title(f'dashed: {100 * level:g} %', fontsize='small')
  return figure


def draw_first(
  runs: Runs,
  found: Sequence[traces.Trace],
  exhaustive: Sequence[Exhaustive],
  *,
  level: float,
) -> Figure:
  """Draws the first replay of every trace, a panel each.

  Args:
    runs: of one policy and prior.
    found: the traces [R].
    exhaustive: [R], what is found with all recorded rollouts of each.
    level: of the credible sets.
  """
  order = sorted(
    range(len(found)), key=lambda i: (found[i].problem.zfill(12), found[i].base)
  )
  figure, panels = sheets.panels(
    len(order),
    f'One replay of each trace ({runs.label}, {100 * level:g} % '
    'interval and band) beside all recorded rollouts',
    most=len(order),
    columns=4,
    width=4.0,
    height=2.4 + _LEGEND_INCHES / math.ceil(len(order) / 4),
  )
  # All runs of the first seed come first.
  replays = {name: array[: len(found)] for name, array in runs.data.items()}
  replays |= _believed(runs.configuration['prior'], replays, found, level)
  for axes, i in zip(panels, order):
    replay = {name: array[i] for name, array in replays.items()}
    _draw_one(axes, found[i], exhaustive[i], replay)
  for axes in panels[::4]:
    axes.set_ylabel('P(right)')
  for axes in panels[-4:]:
    axes.set_xlabel('position (index of the next sentence)')
  figure.legend(
    *panels[0].get_legend_handles_labels(),
    loc='outside lower center',
    ncols=min(4, len(order)),
  )
  return figure


def _draw_one(
  axes: Axes,
  trace: traces.Trace,
  one: Exhaustive,
  replay: Mapping[str, np.ndarray],
) -> None:
  shown = trace.chunk_indices[trace.has_data]
  answered = trace.num_answered[trace.has_data]
  sentence = sentences_text(trace, one) or 'none'
  positions = np.arange(len(replay['rollouts_right']))
  trajectories.draw_trajectory(
    axes,
    positions=shown,
    recorded_rates=trace.num_correct[trace.has_data] / np.maximum(answered, 1),
    recorded_numbers=answered,
    mean=replay['mean'][shown],
    lower=replay['lower'][shown],
    upper=replay['upper'][shown],
    interval=(int(replay['central_lower']), int(replay['central_upper'])),
    right_at=np.repeat(positions, replay['rollouts_right']),
    wrong_at=np.repeat(positions, replay['rollouts_wrong']),
    reference=one.position,
    is_guilty=sentence != 'none',
  )
  axes.set_title(
    literal(f'#{trace.problem} {trace.base}', length=NAME)
    + f': index {one.position}, sentence {sentence}\nreplay: index '
    f'{replay["location"]}, {Verdict(int(replay["verdict"])).name}',
    fontsize='small',
    pad=11,
  )


def _believed(
  prior_name: str,
  replays: Mapping[str, np.ndarray],
  found: Sequence[traces.Trace],
  level: float,
) -> dict[str, np.ndarray]:
  """Returns posterior mean of the rate and the ends of its band, [R, T] each.

  They are computed from the stored counts.
  """

  def believe(counts: Any) -> tuple[Array, ...]:
    weights, *outcomes = counts
    prior = rivals.make_prior(prior_name, weights)
    state = changepoint.condition(prior, changepoint.Beta(*outcomes))
    band = intervals.trajectory_band(state, level=level)
    return changepoint.mean_trajectory(state), *band

  counts = (
    pad(found).num_answered > 0,
    replays['rollouts_right'],
    replays['rollouts_wrong'],
  )
  run = jax.jit(lambda counts: jax.lax.map(believe, counts))
  ends = run(tuple(jnp.asarray(each, float) for each in counts))
  return dict(zip(('mean', 'lower', 'upper'), map(np.asarray, ends)))
