"""Tables of the study of simulated traces, for a terminal."""

from collections.abc import Mapping, Sequence
import math
from typing import Any

from scripts.shared import changepoint_studies, tables
from scripts.shared.changepoint_studies import CONSTANTS, DRAWN, RISES
from scripts.shared.changepoint_study_rows import Row

Settings = Mapping[str, Any]
Key = tuple[Any, ...]


def text(rows: Sequence[Row], settings: Settings) -> str:
  """Returns all tables."""
  found = index(rows)
  parts = [_policies(found, settings, pair) for pair in pairs_to_show(settings)]
  parts += [
    _coverage(found, settings),
    _alarms(found, settings),
    _limits(found, settings),
    _batches(found, settings),
  ]
  return '\n\n'.join(part for part in parts if part)


def index(rows: Sequence[Row]) -> dict[Key, Row]:
  """Returns the rows by part, policy, prior, p1, p2, measure.

  Of measures at several numbers of rollouts the last is kept.
  """
  names = ('part', 'policy', 'prior', 'p1', 'p2', 'measure')
  return {tuple(row[name] for name in names): row for row in rows}


def pairs_to_show(settings: Settings) -> list[tuple[Any, Any]]:
  """Returns the first pair of numbers and the drawn pair, where they are."""
  pairs = changepoint_studies.rate_pairs(settings['p1'], settings['p2'])
  numbers = [pair for pair in pairs if DRAWN not in pair]
  return numbers[:1] + [pair for pair in pairs if DRAWN in pair]


def _share(row: Row | None) -> str:
  if row is None or not row['total']:
    return 'none'
  return (
    f'{100 * row["estimate"]:.1f} '
    f'[{100 * row["lower"]:.1f}, {100 * row["upper"]:.1f}]'
  )


def _number(row: Row | None, digits: int = 1) -> str:
  if row is None:
    return ''
  if not math.isfinite(row['estimate']):
    return 'never'
  return f'{row["estimate"]:.{digits}f}'


def _median(row: Row | None, most: int) -> str:
  if row is None:
    return ''

  def show(value: float) -> str:
    return f'{value:.0f}' if math.isfinite(value) else f'>{most}'

  return (
    f'{show(row["estimate"])} [{show(row["lower"])}, {show(row["upper"])}], '
    f'{row["total"] - row["count"]} never'
  )


def _policies(
  found: Mapping[Key, Row], settings: Settings, pair: tuple[Any, Any]
) -> str:
  prior = settings['priors'][0]
  lines = []
  for policy in settings['policies']:

    def at(name: str, policy: str = policy) -> Any:
      return found.get(('policies', policy, prior, *pair, name))

    lines.append(
      [
        policy,
        at('exact')['design'],
        _share(at('exact')),
        _share(at('within_2')),
        _number(at('absolute_error'), 2),
        _share(at('coverage_central')),
        _number(at('rollouts')),
        _number(at('rounds')),
        _share(at('complete')),
        _median(at('rollouts_to_mass'), settings['num_rollouts']),
      ]
    )
  title = (
    f'Policies, prior {prior}, p1 = {pair[0]}, p2 = {pair[1]}, '
    f'T = {settings["num_positions"]}, {settings["num_traces"]:,} traces: '
    'shares in % with 95 % Wilson intervals; coverage of the central '
    f'{100 * settings["level"]:g} % interval under the assumed prior; median '
    f'rollouts until one position holds {settings["mass"]:g}'
  )
  header = [
    *('policy', 'design', 'exact', 'within 2', 'mean error', 'coverage'),
    *('rollouts', 'rounds', 'complete', f'to {settings["mass"]:g}'),
  ]
  return f'{title}\n\n{tables.format_table(header, lines)}'


def _coverage(found: Mapping[Key, Row], settings: Settings) -> str:
  policy = settings['policies'][0]
  pairs = changepoint_studies.rate_pairs(settings['p1'], settings['p2'])
  lines = []
  for prior in settings['priors']:
    for pair in pairs:

      def at(
        name: str, prior: str = prior, pair: tuple[Any, Any] = pair
      ) -> Any:
        return found.get(('policies', policy, prior, *pair, name))

      ranks = at('rank_chi_square')
      fits = 'fits' if ranks['estimate'] <= ranks['upper'] else 'does not fit'
      lines.append(
        [
          prior,
          str(pair[0]),
          str(pair[1]),
          *(_share(at(f'coverage_{n}')) for n in ('central', 'hpd')),
          _share(at('coverage_randomised')),
          _number(at('width_central')),
          _share(at('exact')),
          _share(at('exact_where_reached')),
          f'{ranks["estimate"]:.0f} ({fits})',
        ]
      )
  bar = ranks['upper']
  title = (
    f'Coverage of {100 * settings["level"]:g} % intervals, policy {policy}, % '
    'with Wilson intervals; exact: where it ends, and where the mass was '
    f'reached; chi-square of ten rank bins, bar {bar:.1f} (99 %)'
  )
  header = [
    *('prior', 'p1', 'p2', 'central', 'highest density', 'randomised'),
    *('width', 'exact', f'exact at {settings["mass"]:g}', 'ranks'),
  ]
  return f'{title}\n\n{tables.format_table(header, lines)}'


def _alarms(found: Mapping[Key, Row], settings: Settings) -> str:
  prior = settings['priors'][0]

  def worst(policy: str, name: str, kinds: Sequence[str]) -> str:
    rows = [
      (found['alarms', policy, prior, '', '', f'E_{name} on {kind}'], kind)
      for kind in kinds
    ]
    row, kind = max(rows, key=lambda pair: pair[0]['estimate'])
    return f'{_share(row)} {kind}'

  lines = []
  for policy in settings['policies']:
    power = [
      found['power', policy, prior, *pair, 'E_drop on drops']
      for pair in changepoint_studies.rate_pairs(settings['p1'], settings['p2'])
      if DRAWN not in pair
    ]
    lines.append(
      [
        policy,
        worst(policy, 'change', CONSTANTS),
        worst(policy, 'drop', CONSTANTS),
        worst(policy, 'drop', RISES),
        ' '.join(f'{row["p2"]:g}:{100 * row["estimate"]:.0f}' for row in power),
      ]
    )
  title = (
    f'E-processes ever at 1/{settings["alpha"]:g}, prior {prior}, '
    f'{settings["num_null_traces"]} traces per kind, %: the worst of nine '
    'constant rates .1 ... .9, the worst of three rises; power of E_drop on '
    'drops by p2'
  )
  header = [
    *('policy', 'E_change constant', 'E_drop constant', 'E_drop rising'),
    'power of E_drop',
  ]
  return f'{title}\n\n{tables.format_table(header, lines)}'


def _limits(found: Mapping[Key, Row], settings: Settings) -> str:
  pairs = changepoint_studies.rate_pairs(settings['p1'], settings['p2'])
  names = 'search', 'fano', 'search_and_confirm'
  prior = settings['priors'][0]
  lines = []
  for pair in pairs:
    if DRAWN in pair:
      continue
    for policy in settings['policies']:
      key = 'policies', policy, prior, *pair
      if (*key, 'rollouts_at_stop') not in found:
        continue
      lines.append(
        [
          f'{pair[0]:g}',
          f'{pair[1]:g}',
          *(_number(found['limits', 'limit', '', *pair, n]) for n in names),
          policy,
          _number(found[*key, 'rollouts_at_stop']),
          _share(found[*key, 'exact_at_stop']),
          _number(found.get((*key, 'regret_search_and_confirm'))),
          _number(found.get((*key, 'regret_fano_at_own_error'))),
        ]
      )
  if not lines:
    return ''
  title = (
    f'Stopped at mass {settings["mass"]:g} or at {settings["num_rollouts"]} '
    f'rollouts, prior {prior}: mean rollouts against limits for known rates '
    f'(error {1 - settings["mass"]:.2g}); the last column against the Fano '
    'bound at the error that was really made, below which nothing can be'
  )
  header = [
    *('p1', 'p2', 'search', 'Fano', 'search, confirm', 'policy'),
    *('mean rollouts', 'exact', 'over confirm', 'over Fano'),
  ]
  return f'{title}\n\n{tables.format_table(header, lines)}'


def _batches(found: Mapping[Key, Row], settings: Settings) -> str:
  prior = settings['priors'][0]
  pair = pairs_to_show(settings)[0]
  lines = []
  for size in settings['batch_sizes']:
    key = 'batches', f'q={size}', prior, *pair
    used = found[*key, 'exact']['num_rollouts']
    lines.append(
      [
        str(size),
        str(used // size),
        str(used),
        _share(found[*key, 'exact']),
        _median(found[*key, 'rounds_to_mass'], used // size),
        _median(found[*key, 'rollouts_to_mass'], used),
      ]
    )
  title = (
    f'Parallel rollouts, prior {prior}, p1 = {pair[0]}, p2 = {pair[1]}: '
    f'rounds and rollouts to {settings["mass"]:g}'
  )
  header = ['q', 'rounds', 'rollouts', 'exact', 'rounds to', 'rollouts to']
  return f'{title}\n\n{tables.format_table(header, lines)}'
