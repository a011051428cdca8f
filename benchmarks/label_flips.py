r"""Do labels depend on precision, instructions, chunks, order or company?

One configuration is trained again and again from the same seeds: as a baseline
in float32, then with one thing changed that should not matter. Final weights
are compared bit by bit, labels run by run, and the shares solved in pairs, by
Newcombe's interval. Each variant is a process of its own, so that no global
setting is shared.

  python -m benchmarks.label_flips --workdir=runs/label_flips
  python -m benchmarks.label_flips --num_seeds=64 --num_steps=500 --num_alone=4
  python -m benchmarks.label_flips --num_features=8 --num_steps=25000 \
    --num_seeds=100000 --compare=chunk_333 --compare=reversed
  python -m benchmarks.label_flips --num_features=8 --num_steps=25000 \
    --num_seeds=1024 --compare=avx2 --compare=avx --compare=sse4_2
"""

from collections import Counter
from collections.abc import Mapping, Sequence
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from absl import app, flags
import numpy as np

from benchmarks import adamw_runs, label_variants
from benchmarks.label_variants import VARIANTS, Runs
from toyjax import common_settings, parsers, statistics, tables
from toyjax.command import launch
from toyjax.command.flags import define
from toyjax.parsers import COUNT, FEATURES, SEVERAL
from toyjax.settings import fixed
from toyjax.statistics import Interval
from toyjax.tables import Column, Row, Table, column
from toyjax.toys.relu_autoencoder import Outcome

ROOT = pathlib.Path(__file__).parents[1]

SETTINGS = (
  fixed('num_features', 7, FEATURES, 'n, features.'),
  fixed('num_steps', 10_000, SEVERAL, 'Steps of each run.'),
  fixed('num_seeds', 1024, COUNT, 'Runs of each variant.'),
  fixed(
    'num_alone',
    32,
    COUNT,
    'Runs that are also made alone, spread over all seeds.',
  ),
  common_settings.seed('Of the sweep.'),
  fixed(
    'workdir', None, parsers.path, 'Folder for two CSV files; without it, none.'
  ),
  fixed('output', None, parsers.path, 'File (.npz) for the runs of --variant.'),
)

define(SETTINGS)
flags.DEFINE_multi_enum(
  'compare',
  [name for name in VARIANTS if name != 'baseline'],
  list(VARIANTS),
  'A variant to compare with the baseline; may be given several times. '
  'float64 is among them always.',
)
flags.DEFINE_enum(
  'variant', None, list(VARIANTS), 'Run only this one, into --output.'
)


def run_in_process(
  name: str, settings: Mapping[str, int], folder: pathlib.Path
) -> Runs:
  """Runs a variant in a process of its own; returns it in order of seeds."""
  path = folder / f'{name}.npz'
  subprocess.run(
    [
      sys.executable,
      '-m',
      'benchmarks.label_flips',
      f'--variant={name}',
      f'--output={path}',
      *(f'--{flag}={value}' for flag, value in settings.items()),
    ],
    cwd=ROOT,
    env=label_variants.environment(VARIANTS[name], os.environ),
    check=True,
  )
  with np.load(path) as saved:
    order = np.argsort(saved['indices'])
    return Runs(*(saved[field][order] for field in Runs._fields))


def compare(name: str, baseline: Runs, runs: Runs) -> dict[str, Any]:
  """Returns the row of a variant: weights and labels against the baseline."""
  same_seeds = Runs(*(field[runs.indices] for field in baseline))
  num_runs = len(runs.indices)

  def num_identical(*fields: str) -> int:
    pairs = [(getattr(same_seeds, f), getattr(runs, f)) for f in fields]
    same = [_same_bits(a, b).reshape(num_runs, -1) for a, b in pairs]
    return int(np.concatenate(same, axis=1).all(axis=1).sum())

  flips = int(np.sum(runs.outcomes != same_seeds.outcomes))
  solved = np.isin(runs.outcomes, adamw_runs.SOLVED)
  solved_before = np.isin(same_seeds.outcomes, adamw_runs.SOLVED)
  return {
    'variant': name,
    'num_runs': num_runs,
    'same_start': num_identical('initial_weights'),
    'identical': num_identical('weights', 'bias'),
    'largest_difference': max(
      float(np.max(np.abs(same_seeds.weights - runs.weights))),
      float(np.max(np.abs(same_seeds.bias - runs.bias))),
    ),
    'flips': flips,
    'fraction': statistics.wilson(flips, num_runs),
    'solved': int(solved.sum()),
    'solved_before': int(solved_before.sum()),
    'solved_difference:': tables.paired_difference(solved, solved_before),
  }


def _same_bits(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  """Where numbers are equal to the last bit; of two dtypes, in value."""
  if a.dtype != b.dtype:
    return a == b
  bits = np.dtype(f'u{a.dtype.itemsize}')
  return np.ascontiguousarray(a).view(bits) == np.ascontiguousarray(b).view(
    bits
  )


def _of_all(name: str, header: str) -> Column:
  return Column(header, lambda row: f'{row[name]}/{row["num_runs"]}')


def _share(interval: Interval) -> str:
  return tables.percent(interval.estimate)


def _difference(interval: Interval) -> str:
  return tables.percent(interval.estimate, '+.2f')


def flips_table(rows: Sequence[Row]) -> Table:
  """Returns how far each variant's weights and labels differ."""
  return Table(
    'label_flips',
    rows,
    shown=(
      column('variant', 'changed', lambda name: VARIANTS[name].description),
      _of_all('same_start', 'same start'),
      _of_all('identical', 'same end'),
      column('largest_difference', 'largest', '.2g'),
      _of_all('flips', 'labels flipped'),
      column('fraction', 'share', _share),
      column('fraction', '95 %', tables.percent_interval),
      _of_all('solved', 'solved'),
      column('solved_difference:', 'more', _difference),
      column('solved_difference:', '95 %', tables.percent_interval),
    ),
  )


def print_kinds(name: str, baseline: Runs, runs: Runs) -> None:
  """Prints which labels turned into which, where any did."""
  before = baseline.outcomes[runs.indices]
  kinds = Counter(
    (Outcome(a).name, Outcome(b).name)
    for a, b in zip(before, runs.outcomes)
    if a != b
  )
  if kinds:
    parts = (f'{n} {a} to {b}' for (a, b), n in kinds.most_common())
    print(f'{VARIANTS[name].description}: {", ".join(parts)}')


def outcomes_table(single: Runs, double: Runs) -> Table:
  """Returns the shares of each outcome in both precisions, and how they differ.

  Outcomes that occur in neither are left out.
  """
  rows = []
  for code in Outcome:
    sides = {
      'float32': single.outcomes == code,
      'float64': double.outcomes == code,
    }
    if not any(is_of.any() for is_of in sides.values()):
      continue
    row: dict[str, Any] = {'outcome': code.name}
    for side, is_of in sides.items():
      count, total = int(is_of.sum()), len(is_of)
      row |= {
        f'{side}_count': count,
        f'{side}_total': total,
        f'{side}:fraction': statistics.wilson(count, total),
      }
    row['difference:'] = tables.paired_difference(
      sides['float64'], sides['float32']
    )
    rows.append(row)

  def shown(side: str) -> tuple[Column, Column]:
    return (
      Column(
        side, lambda row: f'{row[f"{side}_count"]}/{row[f"{side}_total"]}'
      ),
      column(f'{side}:fraction', '95 %', tables.percent_interval),
    )

  return Table(
    'label_flips_outcomes',
    rows,
    shown=(
      column('outcome'),
      *shown('float32'),
      *shown('float64'),
      column('difference:', 'less', _difference),
      column('difference:', '95 %', tables.percent_interval),
    ),
  )


def compare_all(
  settings: Mapping[str, int], names: Sequence[str], workdir: str | None
) -> None:
  """Runs the named variants, prints the tables, writes them as CSV files."""
  with tempfile.TemporaryDirectory() as folder:
    runs = {
      name: run_in_process(name, settings, pathlib.Path(folder))
      for name in VARIANTS
      if name in names or name in ('baseline', 'float64')
    }
  baseline = runs.pop('baseline')
  print(
    f'n={settings["num_features"]}, AdamW, {settings["num_steps"]} steps, '
    f'seed {settings["seed"]}; baseline: {VARIANTS["baseline"].description}\n'
  )
  flips = flips_table(
    [compare(name, baseline, other) for name, other in runs.items()]
  )
  print(f'{flips.body()}\n')
  for name, other in runs.items():
    print_kinds(name, baseline, other)
  print('\nShares in both precisions, and float64 less float32, paired:\n')
  shares = outcomes_table(baseline, runs['float64'])
  print(shares.body())
  if workdir is not None:
    path = pathlib.Path(workdir)
    path.mkdir(parents=True, exist_ok=True)
    for table in (flips, shares):
      table.write(path)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  if (FLAGS.variant is None) != (FLAGS.output is None):
    raise app.UsageError('--variant and --output go together')
  settings: dict[str, Any] = {
    name: FLAGS[name].value
    for name in ('num_features', 'num_steps', 'num_seeds', 'num_alone', 'seed')
  }
  if FLAGS.variant is None:
    compare_all(settings, FLAGS.compare, FLAGS.workdir)
  else:
    runs = label_variants.run(VARIANTS[FLAGS.variant], settings)
    np.savez(FLAGS.output, **runs._asdict())


if __name__ == '__main__':
  launch.run(main)
