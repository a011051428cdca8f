"""Runs the parts of the study of simulated traces and reports them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
import pathlib
from typing import Any

import jax
import numpy as np

from scripts.shared import (
  changepoint_studies,
  changepoint_study_figures,
  changepoint_study_rows,
  changepoint_study_tables,
  kept_arrays,
  memory,
  tables,
)
from scripts.shared.changepoint_studies import CONSTANTS, RISES
from scripts.shared.changepoint_study_rows import Row
from toyjax import chunks, manifest, sweeps

Settings = Mapping[str, Any]
Sweep = Callable[[chunks.Trial, Sequence[dict], str], list]


def run(
  settings: Settings, chunk_size: int, workdir: manifest.Workdir
) -> list[Row]:
  """Returns the rows of all parts; what the folder holds is not run again."""

  def sweep(trial: chunks.Trial, parts: Sequence[dict], name: str) -> list:
    return _sweep(trial, parts, chunk_size, name, workdir)

  rows = [
    *_policies(settings, sweep),
    *_alarms(settings, sweep),
    *_batches(settings, sweep),
  ]
  for rates in _number_pairs(settings):
    rows += changepoint_study_rows.limit_rows(
      rates, num_positions=settings['num_positions'], mass=settings['mass']
    )
  return rows


def require_room(settings: Settings) -> None:
  """Refuses traces that have no room in memory, before they have a folder.

  Raises:
    flags.Error: saying how much they take.
  """
  pairs = changepoint_studies.rate_pairs(settings['p1'], settings['p2'])
  # Rates in float64 and float32, and where each policy was after each rollout.
  trace_bytes = 12 * settings['num_positions'] + 4 * settings['num_rollouts']
  kinds = {
    'num_traces': len(pairs) * len(settings['priors']),
    'num_null_traces': len(pairs) + len(CONSTANTS) + len(RISES),
  }
  for name, num_kinds in kinds.items():
    memory.require(
      num_kinds * settings[name] * trace_bytes,
      f'--{name}={settings[name]} of {num_kinds} kinds',
    )


def report(path: pathlib.Path, rows: list[Row], settings: Settings) -> None:
  """Writes study.csv and the figures, and prints the tables."""
  tables.write_csv(path / 'study.csv', rows)
  changepoint_study_figures.draw_all(path, rows, settings)
  print(changepoint_study_tables.text(rows, settings))


def _number_pairs(settings: Settings) -> list[tuple[float, float]]:
  pairs = changepoint_studies.rate_pairs(settings['p1'], settings['p2'])
  return [
    (float(before), float(after))
    for before, after in pairs
    if changepoint_studies.DRAWN not in (before, after)
  ]


def _sweep(
  trial: chunks.Trial,
  parts: Sequence[dict],
  chunk_size: int,
  name: str,
  workdir: manifest.Workdir,
) -> list:
  """Returns the results of each part, run together in one sweep, or stored."""
  stored = workdir.path / 'sweeps' / f'{_file_name(name)}.npz'
  xs = changepoint_studies.join(parts)
  like = jax.eval_shape(jax.vmap(trial), xs)
  found = kept_arrays.load(stored, like, workdir.identity)
  if found is None:
    found = sweeps.sweep(
      trial, xs, chunk_size=chunk_size, progress=name, map_name='vmap'
    )
    kept_arrays.save(stored, found, workdir.identity)
  ends = np.cumsum([len(part['change']) for part in parts])[:-1]
  split = {name: np.split(values, ends) for name, values in found.items()}
  return [
    {name: values[i] for name, values in split.items()}
    for i in range(len(parts))
  ]


def _file_name(sweep_name: str) -> str:
  return sweep_name.replace(' ', '_').replace(',', '')


def _policies(settings: Settings, sweep: Sweep) -> Iterator[Row]:
  pairs = changepoint_studies.rate_pairs(settings['p1'], settings['p2'])
  cases = [(prior, pair) for prior in settings['priors'] for pair in pairs]
  parts = [
    changepoint_studies.simulated(
      seed=settings['seed'],
      num_traces=settings['num_traces'],
      num_positions=settings['num_positions'],
      rates=pair,
      prior=prior,
    )
    for prior, pair in cases
  ]
  for policy in settings['policies']:
    trial = changepoint_studies.make_trial(
      policy,
      num_positions=settings['num_positions'],
      num_rollouts=settings['num_rollouts'],
      level=settings['level'],
      mass=settings['mass'],
    )
    found = sweep(trial, parts, policy)
    for (prior, pair), part, results in zip(cases, parts, found):
      rows = changepoint_study_rows.policy_rows(
        _where('policies', policy, prior, pair, settings),
        results,
        part['change'],
        num_positions=settings['num_positions'],
        mass=settings['mass'],
      )
      # Curves of one prior are enough, and keep the file small.
      is_first = prior == settings['priors'][0]
      yield from (
        row for row in rows if is_first or row['measure'] != 'exact_after'
      )


def _where(
  part: str, policy: str, prior: str, pair: Any, settings: Settings
) -> Row:
  return changepoint_study_rows.where(
    part, policy, prior, pair, settings['num_rollouts']
  )


def _alarms(settings: Settings, sweep: Sweep) -> Iterator[Row]:
  """Yields false alarms on traces that never fall, and power on drops.

  A trace whose first low position is 0 has nothing to fall and is no drop:
  there power means nothing, and an alarm is false.
  """
  prior = settings['priors'][0]
  common = {
    'seed': settings['seed'] + 1,
    'num_traces': settings['num_null_traces'],
    'num_positions': settings['num_positions'],
    'prior': prior,
  }
  kinds = [*CONSTANTS, *RISES]
  parts = [changepoint_studies.null(kind=kind, **common) for kind in kinds]
  pairs = _number_pairs(settings)
  parts += [
    changepoint_studies.simulated(rates=pair, **common) for pair in pairs
  ]
  for policy in settings['policies']:
    trial = changepoint_studies.make_alarm_trial(
      policy,
      num_positions=settings['num_positions'],
      num_rollouts=settings['num_rollouts'],
    )
    found = sweep(trial, parts, f'{policy}, alarms')
    for kind, results in zip(kinds, found):
      at = _where('alarms', policy, prior, ('', ''), settings)
      yield from changepoint_study_rows.alarm_rows(
        at, results, kind=kind, alpha=settings['alpha']
      )
    for pair, part, results in zip(
      pairs, parts[len(kinds) :], found[len(kinds) :]
    ):
      drops = part['change'] > 0
      yield from changepoint_study_rows.alarm_rows(
        _where('power', policy, prior, pair, settings),
        jax.tree.map(lambda values, drops=drops: values[drops], results),
        kind='drops',
        alpha=settings['alpha'],
      )


def _batches(settings: Settings, sweep: Sweep) -> Iterator[Row]:
  """Yields rounds and rollouts of batches, first prior, first pair of rates."""
  prior = settings['priors'][0]
  every = changepoint_studies.rate_pairs(settings['p1'], settings['p2'])
  pair = (_number_pairs(settings) or every)[0]
  part = changepoint_studies.simulated(
    seed=settings['seed'],
    num_traces=settings['num_traces'],
    num_positions=settings['num_positions'],
    rates=pair,
    prior=prior,
  )
  for size in settings['batch_sizes']:
    trial = changepoint_studies.make_batch_trial(
      size, num_rollouts=settings['num_rollouts'], mass=settings['mass']
    )
    (results,) = sweep(trial, [part], f'batches of {size}')
    yield from changepoint_study_rows.batch_rows(
      _where('batches', f'q={size}', prior, pair, settings),
      size,
      results,
      part['change'],
    )
