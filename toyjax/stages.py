"""A stage of a study: one compiled program, one group of the store.

    rows, values --grid--> Stage --training--> group of results.zarr

A grid has a stage for each combination of its shapes and statics; traced
settings are the axes of a stage, run r being configuration r % C.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
import contextlib
import enum
import itertools
from typing import Any, NamedTuple

import jax
import numpy as np

from toyjax import chunks, memory, statistics, store, sweeps
from toyjax.settings import SHAPE, STATIC, TRACED, Setting, Values

_FEW = 1024  # Seeds that tell the speed of a stage.


class Stage(NamedTuple):
  """All runs of one compiled program: one group of the store.

  Attributes:
    name: of the group, such as n7_m2.
    values: all settings, shapes and statics with the one value of the stage.
    static: name -> value of each shape and static setting.
    axes: traced setting -> array [C], the configurations of the stage.
    make_trial: values -> trial. It is called with shorter runs, too.
    variables: a description of each result.
    coordinates: beside the seed index and the traced settings.
    attrs: of the group, beside the static settings.
    summarize: chunk of results -> counts, for the progress line.
    steps: name of the setting that holds the number of steps.
    num_seeds: seeds of this stage; None is what the sweep has.
    make_xs: (finished runs of stages before, number of seeds) -> runs; of no
      finished ones, some of the same shapes. None crosses seeds with `axes`.
      Runs without 'seed_index' are the configurations themselves.
    shorten: (values, number of steps) -> those of a run seen at its end only.
    large: names of settings beside the static ones that make a run large.
    labels: [C] of the configurations; () names them by what is swept.
  """

  name: str
  values: Values
  static: Mapping[str, Any]
  axes: Mapping[str, np.ndarray]
  make_trial: Callable[[Values], chunks.Trial]
  variables: Mapping[str, store.Variable]
  coordinates: Mapping[str, store.Coordinate]
  attrs: Mapping[str, Any]
  summarize: sweeps.Summarize
  steps: str = 'num_steps'
  num_seeds: int | None = None
  make_xs: Callable[[Sequence[Any], int], dict[str, Any]] | None = None
  shorten: Callable[[Values, int], Values] | None = None
  large: Sequence[str] = ()
  labels: Sequence[str] = ()

  @property
  def num_configurations(self) -> int:
    """C, the number of configurations each seed is run under."""
    return len(next(iter(self.axes.values())))

  @property
  def dtype(self) -> str:
    """Precision of the training."""
    return self.values['dtype']

  @property
  def sizes(self) -> list[Any]:
    """What decides whether a run may be too large for memory."""
    return [*self.static.values(), *(self.values[name] for name in self.large)]

  @property
  def num_steps(self) -> int:
    """Steps of a run."""
    return self.values[self.steps]

  @property
  def observe(self) -> str:
    """Name of the setting of the observed steps."""
    return _observe_of(self.steps)

  def group_attrs(self, xs: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all attributes of the group of some runs, or of their results."""
    number = {'num_configurations': self.num_configurations}
    number = number if 'seed_index' in xs else {}
    return {**self.static, **number, **self.attrs}

  @property
  def trial(self) -> chunks.Trial:
    """The trial of one run: x -> results by name."""
    return self.make_trial(self.values)

  def short_trial(self, num_steps: int) -> chunks.Trial:
    """Returns the trial of a shorter run, observed at its end only."""
    shorten = self.shorten or self._shorten
    return self.make_trial(shorten(self.values, num_steps))

  def _shorten(self, values: Values, num_steps: int) -> Values:
    return {**values, self.steps: num_steps, self.observe: [num_steps]}

  def num_runs(self, num_seeds: int) -> int:
    """Returns the number of runs; the most there can be of a later stage."""
    return (self.num_seeds or num_seeds) * self.num_configurations

  def few_xs(self, num_seeds: int) -> dict[str, Any]:
    """Returns some of the runs, enough to tell shapes and speed."""
    few = min(self.num_seeds or num_seeds, _FEW)
    return self._replace(num_seeds=few).xs(few)

  def xs(self, num_seeds: int, finished: Sequence[Any] = ()) -> dict[str, Any]:
    """Returns the runs.

    Args:
      num_seeds: of the sweep.
      finished: runs of the stages before.

    Raises:
      SettingError: where they are too many for this machine's memory.
    """
    num_seeds = self.num_seeds or num_seeds
    if self.make_xs is not None:
      return self.make_xs(finished, num_seeds)
    return seeds_by_axes(self, num_seeds)


def seeds_by_axes(stage: Stage, num_seeds: int) -> dict[str, Any]:
  """Returns the configurations of a stage crossed with seeds.

  Raises:
    SettingError: where they are too many for this machine's memory.
  """
  memory.require_runs(
    num_seeds * stage.num_configurations,
    len(stage.axes) * np.dtype(stage.dtype).itemsize,
  )
  axes = {name: axis.astype(stage.dtype) for name, axis in stage.axes.items()}
  seed = stage.values['seed']
  return sweeps.seeds_by_grid(
    seed=seed, num_seeds=num_seeds, configurations=axes
  )


def grid(
  rows: Sequence[Setting],
  values: Values,
  *,
  make_trial: Callable[[Values], chunks.Trial],
  variables: Mapping[str, store.Variable],
  attrs: Callable[[Values], Mapping[str, Any]],
  outcome: type[enum.IntEnum] | None = None,
  summarize: sweeps.Summarize = lambda chunk: {},
  steps: str = 'num_steps',
  shorten: Callable[[Values, int], Values] | None = None,
  large: Sequence[str] = (),
) -> Iterator[Stage]:
  """Splits a grid into stages, one for each combination of static settings.

  Args:
    rows: the settings; those that need a value of another, such as those of
      one optimizer, are axes only where it has that value.
    values: of all settings; lists of the swept ones.
    make_trial: see `Stage`.
    variables: see `Stage`.
    attrs: values of a stage -> attributes of its group.
    outcome: codes of the result 'outcome' [K], which are counted at its end.
    summarize: what counts where there is no `outcome`, see `Stage`.
    steps: see `Stage`; observed ones, if any, are in a setting named alike.
    shorten: see `Stage`.
    large: see `Stage`.

  Yields:
    Stages in the order of the values, the last setting fastest.
  """
  shapes = [row for row in rows if row.role == SHAPE]
  fixed = [*shapes, *(row for row in rows if row.role == STATIC)]
  observe = _observe_of(steps)
  dim = observe.removeprefix('observe_').removesuffix('s')
  for combination in itertools.product(*(values[row.name] for row in fixed)):
    static = dict(zip((row.name for row in fixed), combination))
    parts = [f'{row.letter}{static[row.name]}' for row in shapes]
    choices = [row.name for row in fixed[len(shapes) :]]
    parts += [static[name] for name in choices if len(values[name]) > 1]
    traced = [
      row.name for row in rows if row.role == TRACED and _is_used(row, static)
    ]
    own = {**values, **static}
    yield Stage(
      name='_'.join(parts) or 'runs',  # A group of the store needs a name.
      values=own,
      static=static,
      axes=sweeps.grid(**{name: values[name] for name in traced}),
      make_trial=make_trial,
      variables=variables,
      coordinates={dim: store.Coordinate(dim, np.asarray(values[observe]))}
      if observe in values
      else {},
      attrs=attrs(own),
      summarize=counter(outcome) if outcome else summarize,
      steps=steps,
      shorten=shorten,
      large=large,
    )


def _observe_of(steps: str) -> str:
  return steps.replace('num_', 'observe_')


def _is_used(row: Setting, static: Mapping[str, Any]) -> bool:
  return row.needs is None or static[row.needs[0]] in row.needs[1]


def counter(
  codes: type[enum.IntEnum], name: str = 'outcome'
) -> sweeps.Summarize:
  """Returns what counts the codes [S] of a chunk; of [S, K] the last ones."""

  def count(chunk: Mapping[str, np.ndarray]) -> dict[str, int]:
    counts = statistics.counts(np.atleast_2d(chunk[name].T)[-1], len(codes))
    return {code.name.lower(): int(counts[code]) for code in codes}

  return count


@contextlib.contextmanager
def precision_of(stage: Stage) -> Iterator[None]:
  """Float64 where the stage trains in it, whatever the process does."""
  is_wide = stage.dtype == 'float64'
  with jax.enable_x64(True) if is_wide else contextlib.nullcontext():
    yield


def one_x(stage: Stage, seed_index: int) -> dict[str, Any]:
  """Returns the run [1] of one seed index of a stage of one configuration."""
  indices = np.asarray([seed_index], np.int32)
  keys = sweeps.seed_keys(stage.values['seed'], indices)
  return {**seeds_by_axes(stage, 1), 'key': keys, 'seed_index': indices}
