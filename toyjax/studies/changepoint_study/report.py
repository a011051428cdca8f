"""What the study of simulated traces shows: study.csv, five tables, figures."""

from collections.abc import Callable, Mapping, Sequence
import math
from typing import Any

from toyjax.settings import Values
from toyjax.studies.base import Report
from toyjax.studies.changepoint_study import figures
from toyjax.studies.changepoint_study.measures import Measure, rows_of
from toyjax.studies.changepoint_study.settings import (
  DRAWN,
  number_pairs,
  pairs_to_show,
  rate_pairs,
)
from toyjax.studies.changepoint_study.traces import CONSTANTS, RISES
from toyjax.tables import Column, Row, Table, column

Cases = Mapping[tuple[Any, ...], Row]


def report(found: Sequence[Row], values: Values) -> Report:
  """Returns all tables and sheets.

  Args:
    found: cases, see `measures`.
    values: of all settings.
  """
  names = ('part', 'policy', 'prior', 'p1', 'p2')
  cases = {tuple(case[name] for name in names): case for case in found}
  pairs = pairs_to_show(values)
  left_out = (DRAWN in values['p1']) != (DRAWN in values['p2'])
  return Report(
    (
      *['"prior" stands in one of --p1 and --p2 only: left out'] * left_out,
      Table('study', [row for case in found for row in rows_of(case)]),
      *(_policies(cases, values, pair) for pair in pairs),
      _coverage(cases, values),
      _alarms(cases, values),
      _limits(cases, values),
      _batches(cases, values, pairs[0]),
    ),
    figures.sheets_of(cases, values, pairs[0]),
  )


def _share_text(measure: Measure | None) -> str:
  if measure is None or not measure.total:
    return 'none'
  share, lower, upper = (100 * end for end in measure.estimate)
  return f'{share:.1f} [{lower:.1f}, {upper:.1f}]'


def _share(name: str, header: str = '') -> Column:
  return Column(header or name, lambda case: _share_text(case.get(name)))


def _number(name: str, header: str = '', digits: int = 1) -> Column:
  def text(case: Row) -> str:
    if name not in case:
      return ''
    value = case[name].estimate.estimate
    return f'{value:.{digits}f}' if math.isfinite(value) else 'never'

  return Column(header or name, text)


def _median(
  name: str, header: str, per: Callable[[Row], int] = lambda case: 1
) -> Column:
  """Returns the column of a median of rollouts, or of so many `per` unit."""

  def text(case: Row) -> str:
    if name not in case:
      return ''
    estimate, times, total = case[name]
    past = f'>{case["num_rollouts"] // per(case)}'
    middle, lower, upper = (
      f'{end:.0f}' if math.isfinite(end) else past for end in estimate
    )
    return f'{middle} [{lower}, {upper}], {total - times} never'

  return Column(header, text)


def _policies(cases: Cases, values: Values, pair: tuple[Any, Any]) -> Table:
  prior, mass = values['priors'][0], values['mass']
  return Table(
    '',
    [cases['policies', name, prior, *pair] for name in values['policies']],
    f'Policies, prior {prior}, p1 = {pair[0]}, p2 = {pair[1]}, '
    f'T = {values["num_positions"]}, {values["num_traces"]:,} traces: '
    'shares in % with 95 % Wilson intervals; coverage of the central '
    f'{100 * values["level"]:g} % interval under the assumed prior; median '
    f'rollouts until one position holds {mass:g}',
    (
      *(column('policy'), column('design'), _share('exact')),
      _share('within_2', 'within 2'),
      _number('absolute_error', 'mean error', 2),
      _share('coverage_central', 'coverage'),
      *(_number('rollouts'), _number('rounds')),
      _share('complete'),
      _median('rollouts_to_mass', f'to {mass:g}'),
    ),
  )


def _coverage(cases: Cases, values: Values) -> Table:
  policy = values['policies'][0]
  rows = [
    cases['policies', policy, prior, *pair]
    for prior in values['priors']
    for pair in rate_pairs(values)
  ]
  bar = rows[0]['rank_chi_square'].estimate.upper

  def ranks(case: Row) -> str:
    value = case['rank_chi_square'].estimate.estimate
    return f'{value:.0f} ({"fits" if value <= bar else "does not fit"})'

  return Table(
    '',
    rows,
    f'Coverage of {100 * values["level"]:g} % intervals, policy {policy}, % '
    'with Wilson intervals; exact: where it ends, and where the mass was '
    f'reached; chi-square of ten rank bins, bar {bar:.1f} (99 %)',
    (
      *(column('prior'), column('p1'), column('p2')),
      _share('coverage_central', 'central'),
      _share('coverage_hpd', 'highest density'),
      _share('coverage_randomised', 'randomised'),
      _number('width_central', 'width'),
      _share('exact'),
      _share('exact_where_reached', f'exact at {values["mass"]:g}'),
      Column('ranks', ranks),
    ),
  )


def _alarms(cases: Cases, values: Values) -> Table:
  prior = values['priors'][0]

  def worst(name: str, kinds: Sequence[str], header: str) -> Column:
    def text(case: Row) -> str:
      shares = {kind: case[f'E_{name} on {kind}'] for kind in kinds}
      kind = max(kinds, key=lambda kind: shares[kind].estimate.estimate)
      return f'{_share_text(shares[kind])} {kind}'

    return Column(header, text)

  def power(case: Row) -> str:
    parts = []
    for pair in number_pairs(values):
      found = cases['power', case['policy'], prior, *pair]['E_drop on drops']
      parts.append(f'{pair[1]:g}:{100 * found.estimate.estimate:.0f}')
    return ' '.join(parts)

  return Table(
    '',
    [cases['alarms', name, prior, '', ''] for name in values['policies']],
    f'E-processes ever at 1/{values["alpha"]:g}, prior {prior}, '
    f'{values["num_null_traces"]} traces per kind, %: the worst of nine '
    'constant rates .1 ... .9, the worst of three rises; power of E_drop on '
    'drops by p2',
    (
      column('policy'),
      worst('change', CONSTANTS, 'E_change constant'),
      worst('drop', CONSTANTS, 'E_drop constant'),
      worst('drop', RISES, 'E_drop rising'),
      Column('power of E_drop', power),
    ),
  )


def _limits(cases: Cases, values: Values) -> Table:
  prior, mass = values['priors'][0], values['mass']
  rows = [
    {**cases['limits', 'limit', '', *pair], **case}
    for pair in number_pairs(values)
    for name in values['policies']
    if 'rollouts_at_stop' in (case := cases['policies', name, prior, *pair])
  ]
  return Table(
    '',
    rows,
    f'Stopped at mass {mass:g} or at {values["num_rollouts"]} '
    f'rollouts, prior {prior}: mean rollouts against limits for known rates '
    f'(error {1 - mass:.2g}); the last column against the Fano '
    'bound at the error that was really made, below which nothing can be',
    (
      *(column('p1', form='g'), column('p2', form='g'), _number('search')),
      _number('fano', 'Fano'),
      _number('search_and_confirm', 'search, confirm'),
      column('policy'),
      _number('rollouts_at_stop', 'mean rollouts'),
      _share('exact_at_stop', 'exact'),
      _number('regret_search_and_confirm', 'over confirm'),
      _number('regret_fano_at_own_error', 'over Fano'),
    ),
  )


def _batches(cases: Cases, values: Values, pair: tuple[Any, Any]) -> Table:
  prior = values['priors'][0]
  rows = [
    {**cases['batches', f'q={size}', prior, *pair], 'q': size}
    for size in values['batch_sizes']
  ]

  return Table(
    '',
    rows,
    f'Parallel rollouts, prior {prior}, p1 = {pair[0]}, p2 = {pair[1]}: '
    f'rounds and rollouts to {values["mass"]:g}',
    (
      column('q'),
      Column('rounds', lambda case: str(case['num_rollouts'] // case['q'])),
      column('num_rollouts', 'rollouts'),
      _share('exact'),
      _median('rounds_to_mass', 'rounds to', lambda case: case['q']),
      _median('rollouts_to_mass', 'rollouts to'),
    ),
  )
