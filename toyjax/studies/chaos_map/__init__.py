r"""From a failed state, which learning rates recover - and is the edge fractal?

The toy ReLU autoencoder (n features, two hidden dimensions, X = I) starts in
symmetric failure: row 0 dead at b = 1/n, the others a regular polygon that
solves their features. The biases of two rows are raised by Delta and plain
gradient descent runs on. One pixel is one run: learning rate across, Delta
upwards, colour the sum of |W_i|. The script writes

  map.png, summary.csv, edges.csv   the map, its endings, its edges row by row
  zooms.png, zooms.csv              windows that close in on both edges
  dimensions.png, dimensions.csv    box-counting dimension, against a smooth
                                    null, a float64 control and nudged starts
  lyapunov.png, lyapunov.csv        how far neighbouring starts are driven apart
  scan.csv                          variants of what the source leaves open

A run recovers when its SSE stays below --solved_sse for the last --window
steps. Each stage is stored chunk by chunk: the same command resumes.

  python -m scripts.chaos_map --workdir=runs/chaos_map
  python -m scripts.chaos_map --learning_rate_range=2.1,2.3 \
    --delta_range=0.09,0.11 --zoom_levels=0 --workdir=runs/window
  python -m scripts.chaos_map --size=2048 --dry_run
"""

from collections.abc import Iterator
import functools
import pathlib

from toyjax import memory, runs
from toyjax.manifest import Workdir
from toyjax.runs import Lazy, Runs
from toyjax.settings import Values
from toyjax.stages import Stage
from toyjax.studies.base import STORE, Plan, Report, Task, train
from toyjax.studies.chaos_map import points
from toyjax.studies.chaos_map.report import report
from toyjax.studies.chaos_map.settings import SETTINGS, complete, dtypes


def prepare(values: Values) -> Plan:
  """Returns what is done in the folder: each stage in turn, then the report."""
  most = max(points.num_runs(values).values())
  return Plan(
    folder=pathlib.Path(values['workdir']),
    science=STUDY.science(values),
    run=functools.partial(_run, values),
    extent={'zoom_levels': values['zoom_levels']},
    layout={name: values[name] for name in ('chunk_size', 'map')},
    dtype='float64',  # Both precisions share a process; stages say which.
    num_devices=values['num_devices'],
    check=lambda: memory.require_runs(most, 24),
    forecast=list(points.forecast(values)) if values['dry_run'] else None,
  )


def _run(values: Values, workdir: Workdir) -> Iterator[Report]:
  def compute(stage: Stage) -> Runs:
    if not values['from_store']:
      train(workdir, stage, stage.xs(1))
    stored = runs.open_finished(workdir.path / STORE, stage, 1)
    data = Lazy(stored.names, stored.read)
    return Runs(stage.name, dict(stage.static), stage.values, stage.name, data)

  return report(compute, values)


STUDY = Task('chaos_map', SETTINGS, prepare, complete=complete, dtypes=dtypes)
