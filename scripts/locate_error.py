r"""Where does a chain of thought go wrong?

Reads one math-rollouts problem folder: rollouts from every position of a
trace, each right or wrong. Says whether the rate of success falls at all
(DROP, NO_DROP or UNDECIDED, by e-values that hold at any stopping time), where
(the index of the first low accuracy; the guilty sentence is the one before),
how sure that is, what several changes look like, and what in the data speaks
against the answer. Writes report.md, positions.csv and trajectory.png.

  python -m scripts.locate_error \
    --trace=../shared/data/math_rollouts/raw/problem_2236
  python -m scripts.locate_error --trace=... --num_rollouts=100 --policy=eig

The second replays an active run: 100 rollouts, each drawn with the recorded
share of the position that the policy chooses.
"""

import math
from typing import Any

from absl import app, flags
import matplotlib.figure
import numpy as np

from scripts.shared import (
  changepoint_choices,
  experiments,
  launch,
  located,
  located_report,
  locating,
  memory,
  reports,
  tables,
)
from scripts.shared.grids import text_of
from scripts.shared.list_flags import define_list, number
from scripts.shared.located import Located
from scripts.shared.number_flags import (
  MOST_POINTS,
  define_float,
  define_integer,
  define_seed,
)
from scripts.shared.path_flags import define_path
from toyjax import manifest, statistics
from toyjax.inference.changepoint.evidence import Verdict
from toyjax.plots import located_errors
from toyjax.plots.texts import LINE, literal, printable

SCIENCE = (
  *('prior', 'policy', 'num_rollouts', 'none', 'numbers', 'level', 'alpha'),
  *('smallest_drop', 'concentration', 'max_segments', 'recovery'),
  *('num_draws', 'context', 'seed', 'skip_bad', 'max_rollouts'),
)


def parse_concentration(text: str) -> float:
  """Returns a number above zero, or infinity."""
  if text in ('inf', 'none'):
    return math.inf
  return number(float, 0.0, exclusive=True)(text)


define_path(
  'trace',
  None,
  'Folder of one math-rollouts problem, or one above it.',
  required=True,
)
flags.DEFINE_enum(
  'prior',
  'published',
  list(changepoint_choices.PRIORS),
  'Of the rates before and after the change. published: Beta(2, 2) and '
  'Beta(1, 19).',
)
define_integer(
  'num_rollouts',
  0,
  'Rollouts of a replay; 0 uses all that are recorded.',
  lower=0,
  upper=MOST_POINTS,
)
flags.DEFINE_enum(
  'policy',
  'eig',
  list(changepoint_choices.STEPWISE),
  'Where a replay rolls out next; eig: where it tells most about the change.',
)
flags.DEFINE_enum(
  'none',
  'left_out',
  ['left_out', 'wrong'],
  'What a rollout without an answer counts as. Published accuracies leave it '
  'out, which hides loops that never end.',
)
flags.DEFINE_enum(
  'numbers',
  'largest',
  ['largest', 'smallest'],
  'Where only an accuracy is recorded: the largest or the smallest number of '
  'rollouts, at most --max_rollouts, that it allows.',
)
define_float(
  'level', 0.8, 'Of credible intervals and bands; published: .8.', 0.01, 0.999
)
define_float(
  'alpha',
  0.05,
  'Rate of false DROP, of false NO_DROP, and of a confidence set that misses.',
  1e-9,
  0.5,
)
define_float(
  'smallest_drop',
  0.2,
  'The least fall of P(correct) that matters: NO_DROP denies falls of at least '
  'this, and several changes count falls above it. .2: the gap of pivotal-'
  'token search (Abdin et al. 2024).',
  0.0,
  0.99,
)
define_list(
  'concentration',
  [5.0, 10.0, 20.0, 50.0, 100.0, math.inf],
  parse_concentration,
  'Scatter of the rates of positions around their level, Beta(ρ p, ρ (1 - p)); '
  'inf is none. The one with most evidence is used.',
)
define_integer(
  'max_segments', 5, 'Most segments of the several-changes model.', 1, 20
)
define_float(
  'recovery',
  0.5,
  'A drop is recovered where the rate later regains this part of it.',
  0.01,
  1.0,
)
define_integer(
  'num_draws',
  2000,
  'Posterior draws for the three drops.',
  1,
  upper=100 * MOST_POINTS,
)
define_integer(
  'context', 2, 'Sentences shown before and after the guilty one.', 0
)
define_seed('Of replays and of posterior draws.')
flags.DEFINE_bool(
  'skip_bad', False, 'Leave out what cannot be read, and list it.'
)
reports.define_max_rollouts()
define_path('workdir', 'runs/locate_error', 'Folder for results.')


def position_rows(found: Located) -> list[dict[str, Any]]:
  """Returns a row for each position with data."""
  rows = []
  trace = found.trace
  for i, index in enumerate(trace.chunk_indices):
    correct, answered = int(trace.num_correct[i]), int(trace.num_answered[i])
    interval = statistics.wilson(correct, answered)
    rows.append(
      {
        'position': int(index),
        'num_correct': correct,
        'num_answered': answered,
        'is_number_known': int(trace.is_number_known[i]),
        'share': interval.estimate,
        'share_lower': interval.lower,
        'share_upper': interval.upper,
        'rollouts_used': int(found.counts[i].sum()),
        'p_first_low': float(found.posterior[i]),
        'mean': float(found.mean[i]),
        'lower': float(found.lower[i]),
        'upper': float(found.upper[i]),
        'mean_several_changes': float(found.many_mean[i]),
      }
    )
  return rows


def draw(path: Any, found: Located, level: float, title: str) -> None:
  """Draws the trajectory into a file."""
  rows = position_rows(found)

  def column(name: str) -> np.ndarray:
    return np.asarray([row[name] for row in rows], float)

  figure = matplotlib.figure.Figure((11.0, 5.2))
  axes = figure.subplots()
  positions = column('position')
  located_errors.draw_located_error(
    axes,
    positions=positions,
    shares=column('share'),
    share_lower=column('share_lower'),
    share_upper=column('share_upper'),
    mean=found.mean,
    lower=found.lower,
    upper=found.upper,
    many_mean=found.many_mean,
    interval=(
      int(positions[found.interval.lower]),
      int(positions[found.interval.upper]),
    ),
    place=int(positions[found.place]),
    level=level,
    is_drop=found.verdict == Verdict.DROP,
  )
  axes.set_title(
    '\n'.join(literal(line, length=LINE) for line in title.split('\n')),
    fontsize='medium',
    loc='left',
  )
  figure.legend(
    *axes.get_legend_handles_labels(),
    loc='lower center',
    bbox_to_anchor=(0.5, -0.1),
    ncols=2,
    frameon=False,
  )
  figure.savefig(path, dpi=160, bbox_inches='tight')


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  settings: dict[str, Any] = {name: FLAGS[name].value for name in SCIENCE}
  with experiments.one_line_errors('locate_error'), reports.flag_errors():
    experiments.setup_jax(num_devices=1, dtype='float64')
    read = reports.read_one_trace(
      FLAGS.trace,
      skip_bad=FLAGS.skip_bad,
      max_rollouts=FLAGS.max_rollouts,
    )
    trace = located.prepare(read.trace, none=FLAGS.none, numbers=FLAGS.numbers)
    if len(trace.chunk_indices) < 2:
      raise flags.Error(
        f'--trace={FLAGS.trace} has rollouts at '
        f'{len(trace.chunk_indices)} positions: at least 2 are needed'
      )
    memory.require(
      8 * FLAGS.num_draws * len(trace.chunk_indices),
      f'--num_draws={FLAGS.num_draws}',
    )
    with manifest.Workdir(
      FLAGS.workdir,
      script='locate_error',
      science={
        **settings,
        'concentration': [text_of(rho) for rho in FLAGS.concentration],
        'trace': reports.digest(reports.find_problem(FLAGS.trace), read.trace),
      },
      extent={},
      layout={},
      environment=experiments.environment(),
    ) as workdir:
      found = locating.locate(trace, settings)
      text = located_report.write(read, found, settings)
      text = printable(text, keep='\n')
      (workdir.path / 'report.md').write_text(text, encoding='utf-8')
      tables.write_csv(workdir.path / 'positions.csv', position_rows(found))
      draw(
        workdir.path / 'trajectory.png',
        found,
        settings['level'],
        located.headline(found),
      )
      workdir.note(summary=located.summary(found))
      print(text)


if __name__ == '__main__':
  launch.run(main)
