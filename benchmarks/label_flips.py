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
from scripts.shared import launch, tables
from scripts.shared.number_flags import (
  MOST_FEATURES,
  define_integer,
  define_seed,
)
from scripts.shared.path_flags import define_path
from toyjax import statistics
from toyjax.toys.relu_autoencoder import Outcome

ROOT = pathlib.Path(__file__).parents[1]

define_integer('num_features', 7, 'n, features.', 2, upper=MOST_FEATURES)
define_integer('num_steps', 10_000, 'Steps of each run.', 2)
define_integer('num_seeds', 1024, 'Runs of each variant.', 1)
define_integer(
  'num_alone', 32, 'Runs that are also made alone, spread over all seeds.', 1
)
define_seed('Of the sweep.')
define_path('workdir', None, 'Folder for two CSV files; without it, none.')
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
define_path('output', None, 'File (.npz) for the runs of --variant.')


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
  interval = statistics.wilson(flips, num_runs)
  solved = np.isin(runs.outcomes, adamw_runs.SOLVED)
  solved_before = np.isin(same_seeds.outcomes, adamw_runs.SOLVED)
  difference = tables.paired_difference(solved, solved_before)
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
    'fraction': interval.estimate,
    'lower': interval.lower,
    'upper': interval.upper,
    'solved': int(solved.sum()),
    'solved_before': int(solved_before.sum()),
    'solved_difference': difference.estimate,
    'solved_difference_lower': difference.lower,
    'solved_difference_upper': difference.upper,
  }


def _same_bits(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  """Where numbers are equal to the last bit; of two dtypes, in value."""
  if a.dtype != b.dtype:
    return a == b
  bits = np.dtype(f'u{a.dtype.itemsize}')
  return np.ascontiguousarray(a).view(bits) == np.ascontiguousarray(b).view(
    bits
  )


def print_flips(rows: Sequence[Mapping[str, Any]]) -> None:
  """Prints how far each variant's weights and labels differ."""

  def cells(row: Mapping[str, Any]) -> list[str]:
    total = row['num_runs']
    return [
      VARIANTS[row['variant']].description,
      f'{row["same_start"]}/{total}',
      f'{row["identical"]}/{total}',
      f'{row["largest_difference"]:.2g}',
      f'{row["flips"]}/{total}',
      tables.percent(row['fraction']),
      tables.percent_interval(row['lower'], row['upper']),
      f'{row["solved"]}/{total}',
      f'{100.0 * row["solved_difference"]:+.2f}%',
      tables.percent_interval(
        row['solved_difference_lower'], row['solved_difference_upper']
      ),
    ]

  print(
    tables.format_table(
      (
        'changed',
        'same start',
        'same end',
        'largest',
        'labels flipped',
        'share',
        '95 %',
        'solved',
        'more',
        '95 %',
      ),
      map(cells, rows),
    )
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


def outcome_rows(single: Runs, double: Runs) -> list[dict[str, Any]]:
  """Returns the shares of each outcome that occurs in either precision."""
  rows = []
  for code in Outcome:
    a, b = single.outcomes == code, double.outcomes == code
    if not (a.any() or b.any()):
      continue
    row: dict[str, Any] = {'outcome': code.name}
    for side, counted in (('float32', a), ('float64', b)):
      interval = statistics.wilson(int(counted.sum()), len(counted))
      row |= {
        f'{side}_count': int(counted.sum()),
        f'{side}_total': len(counted),
        f'{side}_fraction': interval.estimate,
        f'{side}_lower': interval.lower,
        f'{side}_upper': interval.upper,
      }
    difference = tables.paired_difference(b, a)
    row |= {
      'difference': difference.estimate,
      'difference_lower': difference.lower,
      'difference_upper': difference.upper,
    }
    rows.append(row)
  return rows


def print_outcomes(rows: Sequence[Mapping[str, Any]]) -> None:
  """Prints the shares in both precisions and their paired difference."""

  def cells(row: Mapping[str, Any]) -> list[str]:
    cells = [row['outcome']]
    for side in ('float32', 'float64'):
      cells += [
        f'{row[f"{side}_count"]}/{row[f"{side}_total"]}',
        tables.percent_interval(row[f'{side}_lower'], row[f'{side}_upper']),
      ]
    return [
      *cells,
      f'{100.0 * row["difference"]:+.2f}%',
      tables.percent_interval(row['difference_lower'], row['difference_upper']),
    ]

  header = ('outcome', 'float32', '95 %', 'float64', '95 %', 'less', '95 %')
  print(tables.format_table(header, map(cells, rows)))


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
  flip_rows = [compare(name, baseline, other) for name, other in runs.items()]
  print_flips(flip_rows)
  print()
  for name, other in runs.items():
    print_kinds(name, baseline, other)
  print('\nShares in both precisions, and float64 less float32, paired:\n')
  shares = outcome_rows(baseline, runs['float64'])
  print_outcomes(shares)
  if workdir is not None:
    path = pathlib.Path(workdir)
    path.mkdir(parents=True, exist_ok=True)
    tables.write_csv(path / 'label_flips.csv', flip_rows)
    tables.write_csv(path / 'label_flips_outcomes.csv', shares)


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
