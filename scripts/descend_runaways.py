r"""Does every descent of the toy ReLU autoencoder follow its valley for ever?

Reads a folder of scripts.optimization_failure that scripts.certify_failure has
certified. Runs that are runaways fail for good under AdamW and under gradient
flow: F falls towards an infimum above 0 while the norms grow. From the very
states that training left, this script descends F by L-BFGS in float64, and
follows gradient flow from a few of them as a control.

Into WORKDIR/descents it writes results.zarr (where every descent ended),
descents.csv (how they ended, with 95 % Wilson intervals, steps and norms),
flows.csv (gradient flow at several times) and paths.png: F against |W| along a
few descents, beside the floor of the valley.

  python -m scripts.optimization_failure --num_features=8 --workdir=runs/eight
  python -m scripts.certify_failure --workdir=runs/eight
  python -m scripts.descend_runaways --workdir=runs/eight
"""

import pathlib

from absl import app, flags

from scripts.shared import (
  descending,
  descending_report,
  experiments,
  launch,
  stored_folder,
)
from scripts.shared.number_flags import (
  define_float,
  define_integer,
  define_num_devices,
)
from scripts.shared.path_flags import define_path

define_path(
  'workdir',
  'runs/optimization_failure',
  'Folder of scripts.optimization_failure, certified.',
)
define_path('output', '', "Folder for the results; '' is WORKDIR/descents.")
flags.DEFINE_string('group', '', "Group of the folder; '' is the only one.")
define_integer('num_pairs', 5, 'Steps that L-BFGS remembers.', 1, 100)
define_integer(
  'max_evaluations',
  5000,
  'Most evaluations of F and its gradient.',
  2,
  upper=100_000,
)
define_float('solved_sse', 1e-20, 'A descent has solved below it.', 0.0)
define_float(
  'gradient_tolerance', 1e-12, 'A descent is at a critical point below.', 0.0
)
define_integer('num_flows', 8, 'Runaways whose gradient flow is followed.', 0)
define_float('flow_time', 1e5, 'For so long, in units of 1 / F.', 1.0)
define_integer(
  'num_paths', 6, 'Descents of either kind that are drawn.', 0, upper=100
)
define_integer('chunk_size', 1024, 'Descents stored at a time.', 1)
define_num_devices('Host (CPU) devices; 0 means one for each core.')

SCIENCE = (
  'num_pairs',
  'max_evaluations',
  'solved_sse',
  'gradient_tolerance',
  'num_flows',
  'flow_time',
)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  with experiments.one_line_errors('descend_runaways'):
    found, groups = stored_folder.read(FLAGS.workdir)
    group = stored_folder.choose_group(groups, FLAGS.group)
    experiments.setup_jax(num_devices=FLAGS.num_devices, dtype='float64')
    settings = {name: FLAGS[name].value for name in SCIENCE}
    runaways = descending.read_runaways(FLAGS.workdir, group, found['science'])
    default = pathlib.Path(FLAGS.workdir) / 'descents'
    path = pathlib.Path(FLAGS.output) if FLAGS.output else default
    with stored_folder.output(
      path,
      script='descend_runaways',
      science={
        **found['science'],
        **found['extent'],
        'group': group.name,
        **settings,
      },
      extent={},
      layout={'chunk_size': FLAGS.chunk_size},
    ) as workdir:
      descending.run(
        runaways,
        settings,
        path=workdir.path,
        identity=workdir.identity,
        chunk_size=FLAGS.chunk_size,
      )
      descending_report.write(
        path, runaways, settings, num_paths=FLAGS.num_paths
      )


if __name__ == '__main__':
  launch.run(main)
