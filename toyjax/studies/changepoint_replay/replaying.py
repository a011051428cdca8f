"""Replays recorded traces under every policy and prior, into a store.

recorded traces, values --replay--> all replays of each policy and prior
"""

from collections.abc import Iterator, Mapping, Sequence
import functools

import numpy as np

from toyjax import statistics, sweeps
from toyjax.inference.changepoint.evidence import Verdict
from toyjax.manifest import Workdir
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.stages import Stage
from toyjax.stored_runs import StoredRuns
from toyjax.studies.base import STORE, train
from toyjax.studies.changepoint_replay import trial
from toyjax.studies.changepoint_replay.recorded import Exhaustive, Recorded


def replay(
  recorded: Recorded,
  exhaustive: Mapping[str, Sequence[Exhaustive]],
  values: Values,
  workdir: Workdir,
) -> Iterator[Runs]:
  """Yields all replays of every policy under every prior.

  Args:
    recorded: of R traces.
    exhaustive: prior -> [R], what is found with all recorded rollouts.
    values: of all settings.
    workdir: the folder, whose store holds them.

  Yields:
    N replays of each trace, S = N R runs with 'trace' [S], the number of each.
  """
  positions = np.asarray(
    [[one.position for one in each] for each in exhaustive.values()], np.int32
  )
  num_priors, num_traces = positions.shape
  axes = sweeps.grid(prior=range(num_priors), trace=range(num_traces))
  axes = {name: places.astype(np.int32) for name, places in axes.items()}
  xs = sweeps.seeds_by_grid(
    seed=values['seed'], num_seeds=values['num_repeats'], configurations=axes
  )
  for policy in values['policy']:
    stage = Stage(
      name=policy,
      values=values,
      static={'policy': policy},
      axes=axes,
      make_trial=functools.partial(
        trial.make_trial, policy, recorded, positions
      ),
      variables=trial.VARIABLES,
      coordinates={},
      attrs={'priors': values['prior']},
      summarize=count_verdicts,
      steps='num_rollouts',
    )
    train(workdir, stage, xs)
    stored = StoredRuns(workdir.path / STORE, policy)
    names = ('seed_index', *axes, *trial.VARIABLES)
    data = {name: stored.read(name) for name in names}
    for k, prior in enumerate(exhaustive):
      yield Runs(
        label=f'{policy}, {prior} prior',
        configuration={'policy': policy, 'prior': prior},
        values=values,
        stage=policy,
        data={name: array[data['prior'] == k] for name, array in data.items()},
      )


def count_verdicts(chunk: Mapping[str, np.ndarray]) -> dict[str, int]:
  """Returns how often each verdict came, for the progress line."""
  counts = statistics.counts(chunk['verdict'], len(Verdict))
  return {code.name: int(counts[code]) for code in Verdict}
