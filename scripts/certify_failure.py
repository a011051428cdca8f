r"""What does every run of the toy ReLU autoencoder lead to, and why?

Reads a folder of scripts.optimization_failure. Each run's weights after --step
steps are polished in float64 and given a verdict: global_minimum (every feature
learned, F = 0), local_minimum, saddle or flat (a critical point, by its second
order on all adjoining ReLU pieces), runaway (F falls towards an infimum as the
norms grow, along a known valley), or unresolved. A catalogue of exact solutions
explains the sum of squared errors F to 1e-9; what it does not explain is listed
run by run in unexplained.csv.

The verdict is about what exact descent leads to. A run with SSE .6 and verdict
global_minimum was on its way: it had not arrived when its training ended.

Into WORKDIR/certificates it writes certificates.zarr (polished weights and
numbers of every run), certificates.csv (counts by label, verdict and entry, and
how many were solved at the folder's last step, which tests the verdicts where
--step is an earlier one), totals.csv (shares with 95 % Wilson intervals) and
valleys.png: unsolved runs, and the floors of the valleys they creep along.

  python -m scripts.optimization_failure --num_features=7,8 --workdir=runs/eight
  python -m scripts.certify_failure --workdir=runs/eight
"""

import pathlib

from absl import app, flags
import numpy as np

from scripts.shared import (
  certified_figures,
  certified_report,
  certifying,
  experiments,
  failure_grid,
  failure_runs,
  grids,
  launch,
  stored_folder,
  tables,
)
from scripts.shared.number_flags import define_integer
from scripts.shared.path_flags import define_path
from toyjax import manifest
from toyjax.analysis import settling

define_path(
  'workdir',
  'runs/optimization_failure',
  'Folder of scripts.optimization_failure.',
)
define_path('output', '', "Folder for the results; '' is WORKDIR/certificates.")
define_integer(
  'step', 0, 'Observed step to certify; 0 means the last.', lower=0
)
define_integer(
  'chunk_size', 512, 'Runs certified and stored at a time.', lower=1
)


def certify_group(
  group: grids.Group, settings: dict, workdir: manifest.Workdir, step: int
) -> list[certified_report.Certified]:
  """Certifies a group; returns its configurations."""
  FLAGS = flags.FLAGS
  runs = stored_folder.open_group(FLAGS.workdir, group)
  at = settings['observe_steps'].index(step)
  if not runs.is_whole:
    raise flags.Error(
      f'{group.name} has {len(runs.runs)} of {runs.num_runs} runs; finish '
      'scripts.optimization_failure first'
    )
  outcomes, last_outcomes = runs.read('outcome')[:, (at, -1)].T
  weights = runs.read('weights')[:, at]
  found = certifying.certify(
    group,
    weights,
    runs.read('bias')[:, at],
    path=workdir.path,
    identity=workdir.identity,
    chunk_size=FLAGS.chunk_size,
    step=step,
  )
  norms = np.linalg.norm(weights.astype(float), axis=(1, 2))
  number = np.arange(len(outcomes)) % group.num_configurations
  configurations = failure_runs.points(group, settings, failure_grid.LISTS)
  return [
    certified_report.Certified(
      label=label,
      flags=point,
      num_features=group.static['num_features'],
      num_hidden=group.static['num_hidden'],
      runs=np.flatnonzero(number == c),
      outcomes=outcomes[number == c],
      last_outcomes=last_outcomes[number == c],
      norms=norms[number == c],
      found={name: values[number == c] for name, values in found.items()},
    )
    for c, (point, label) in enumerate(configurations)
  ]


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  with experiments.one_line_errors('certify_failure'):
    found, groups = stored_folder.read(FLAGS.workdir)
    settings = found['science']
    steps = settings['observe_steps']
    step = FLAGS.step or steps[-1]
    if step not in steps:
      raise flags.Error(
        f'--step={step} was not observed: choose one of {steps}'
      )
    experiments.setup_jax(num_devices=1, dtype='float64')
    default = pathlib.Path(FLAGS.workdir) / 'certificates'
    path = pathlib.Path(FLAGS.output) if FLAGS.output else default
    with stored_folder.output(
      path,
      script='certify_failure',
      science={
        **settings,
        'step': step,
        **found['extent'],
        **settling.SETTINGS._asdict(),
      },
      extent={},
      layout={'chunk_size': FLAGS.chunk_size},
    ) as workdir:
      certified = [
        configuration
        for group in groups
        for configuration in certify_group(group, settings, workdir, step)
      ]
      rows = [
        row
        for configuration in certified
        for row in certified_report.rows(configuration, step)
      ]
      tables.write_csv(path / 'certificates.csv', rows)
      tables.write_csv(
        path / 'totals.csv',
        [certified_report.totals(one, step) for one in certified],
      )
      unexplained = [
        row
        for configuration in certified
        for row in certified_report.unexplained(configuration)
      ]
      if unexplained:
        tables.write_csv(path / 'unexplained.csv', unexplained)
      certified_report.print_tables(certified, rows, step)
      drawn = certified_figures.draw_valleys(
        path / 'valleys.png', certified, step
      )
    if not drawn:
      print('no run is unsolved: valleys.png has nothing to show')
    print(f'\nall of it is in {path}')


if __name__ == '__main__':
  launch.run(main)
