"""The report on one trace, in Markdown that also reads as plain text."""

from collections.abc import Sequence
import math
from typing import Any

from scripts.shared.located import (
  Interval,
  Located,
  blamed_by,
  guilty,
)
from scripts.shared.located_warnings import warnings
from scripts.shared.reports import (
  OneTrace,
  markdown_table,
  number_of,
  share,
  shorten,
  spans,
  stretches,
  verbatim,
)
from toyjax.data import traces
from toyjax.inference.changepoint.evidence import Verdict

_CONTEXT_LENGTH = 300  # Characters of a sentence of the context.
_BLAMED_LENGTH = 3000


def write(read: OneTrace, found: Located, settings: dict[str, Any]) -> str:
  """Returns the whole report."""
  parts = [
    f'# Where does the trace of problem {found.trace.problem} go wrong?',
    _about(read.trace, found, settings),
    '## Verdict',
    _verdict(found, settings),
    '## Where',
    _where(found, settings),
    '## The sentence and its context',
    _context(read.trace, found, settings['context']),
    '## How sure is the place',
    _sureness(found, settings),
    '## Several changes',
    _several(found, settings),
    '## Warnings',
    _bullets(warnings(read, found, settings)),
  ]
  return '\n\n'.join(parts) + '\n'


def _about(
  trace: traces.Trace, found: Located, settings: dict[str, Any]
) -> str:
  rows = [
    ('model', trace.model or 'not told'),
    ('the trace ended', trace.base or 'not told'),
    ('right answer', trace.right_answer or 'not told'),
    ('its answer', trace.given_answer or 'not told'),
    ('sentences', str(len(trace.chunk_indices))),
    ('positions with rollouts', str(len(found.trace.chunk_indices))),
    ('recorded rollouts', f'{found.trace.num_answered.sum():,}'),
    (
      'rollouts used',
      f'{found.counts.sum():,} '
      + (
        f'(a replay by {settings["policy"]}, seed {settings["seed"]})'
        if settings['num_rollouts']
        else '(all recorded)'
      ),
    ),
    ('prior of the rates', settings['prior']),
  ]
  shown = [(name, verbatim(shorten(text, 60))) for name, text in rows]
  return markdown_table(('', ''), shown)


def _verdict(found: Located, settings: dict[str, Any]) -> str:
  alpha, drop = settings['alpha'], settings['smallest_drop']
  meaning = {
    Verdict.DROP: (
      'the chance of success falls somewhere. A trace whose chance never falls '
      f'is called DROP with probability at most {alpha:g}, however the '
      'rollouts were chosen and whenever they stopped. That there is exactly '
      'one fall, and where, is not part of this guarantee.'
    ),
    Verdict.NO_DROP: (
      f'one lasting fall by at least {drop:g} is excluded. A trace that has '
      f'one is called NO_DROP with probability at most {alpha:g}. Smaller or '
      'passing falls are not excluded. No sentence is guilty.'
    ),
    Verdict.UNDECIDED: (
      'neither a fall nor its absence is shown. It is no evidence for either: '
      'more rollouts may decide. No sentence is named.'
    ),
  }[found.verdict]
  threshold = -math.log(alpha)
  return (
    f'**{found.verdict.name}**: {meaning}\n\n'
    f'ln E for a drop {found.log_e_drop:.1f}, against one of at least '
    f'{drop:g} {found.log_e_no_drop:.1f}; each decides from {threshold:.1f} on.'
  )


def _where(found: Located, settings: dict[str, Any]) -> str:
  is_named = found.verdict == Verdict.DROP and found.place > 0
  rows = []
  if is_named:
    rows += [
      ('index of the first low accuracy', _position(found, found.place)),
      ('guilty sentence', guilty(found, found.place)),
    ]
  else:
    rows += [
      ('index of the first low accuracy', 'none named'),
      ('guilty sentence', 'none named'),
      (
        'where the model would put it, if there were one',
        f'first low {_position(found, found.place)}, sentence '
        f'{guilty(found, found.place)}',
      ),
    ]
  rows += [
    (
      f'{100 * settings["level"]:g} % credible interval, first low accuracy',
      _interval(found, found.interval),
    ),
    ('sentences that it blames', _sentences(found, found.interval)),
    (
      'probability of the most probable place',
      f'{found.posterior[found.place]:.3f}',
    ),
  ]
  return markdown_table(('', ''), rows)


def _position(found: Located, place: int) -> str:
  return str(int(found.trace.chunk_indices[place]))


def _interval(found: Located, interval: Interval) -> str:
  first, last = (found.trace.chunk_indices[end] for end in interval[:2])
  return f'{spans(int(first), int(last))} (holds {interval.probability:.3f})'


def _sentences(found: Located, interval: Interval) -> str:
  blamed = [
    sentence
    for place in range(interval.lower, interval.upper + 1)
    for sentence in blamed_by(found, place)
  ]
  if not blamed:
    return 'none, low from the start'
  start = ' or none, low from the start' if interval.lower == 0 else ''
  return spans(min(blamed), max(blamed)) + start


def _context(trace: traces.Trace, found: Located, context: int) -> str:
  if trace.sentences is None:
    return 'The data have no texts.'
  blamed = list(blamed_by(found, found.place)) or [0]
  lead = ''
  if found.verdict != Verdict.DROP or found.place == 0:
    lead = 'No sentence is named; this is where one change would be.\n\n'
  first = max(blamed[0] - context, 0)
  last = min(blamed[-1] + context, len(trace.sentences) - 1)
  where = {int(c): i for i, c in enumerate(found.trace.chunk_indices)}
  is_named = not lead
  lines = []
  for index in range(first, last + 1):
    text = trace.sentences[index] or '(no text)'
    is_blamed = is_named and index in blamed
    place = where.get(index)
    rate = (
      'no data'
      if place is None
      else share(
        int(found.trace.num_correct[place]),
        int(found.trace.num_answered[place]),
      )
    )
    length = _BLAMED_LENGTH if index in blamed else _CONTEXT_LENGTH
    shown = verbatim(shorten(text, length))
    mark = ' **← guilty**' if is_blamed else ''
    lines += [
      f'* P(correct) before sentence {index}: {rate}',
      f'  > **[{index}]** {shown}{mark}',
    ]
  after = where.get(last + 1)
  if after is not None:
    rate = share(
      int(found.trace.num_correct[after]),
      int(found.trace.num_answered[after]),
    )
    lines.append(f'* P(correct) before sentence {last + 1}: {rate}')
  note = '\n\nAll recorded rollouts, 95 % Wilson intervals.'
  return lead + '\n'.join(lines) + note


def _sureness(found: Located, settings: dict[str, Any]) -> str:
  percent = f'{100 * settings["level"]:g} % interval'
  best = found.scatter[0].log_evidence_nats
  rows = [
    (
      'none'
      if math.isinf(scatter.concentration)
      else (f'ρ = {scatter.concentration:g}'),
      f'{scatter.log_evidence_nats - best:.1f}',
      _position(found, scatter.place),
      guilty(found, scatter.place),
      _interval(found, scatter.interval),
    )
    for scatter in found.scatter
  ]
  rows.append(
    (
      'averaged',
      '',
      _position(found, found.averaged_place),
      guilty(found, found.averaged_place),
      _interval(found, found.averaged),
    )
  )
  table = markdown_table(
    ('scatter', 'ln evidence', 'first low', 'guilty', percent), rows
  )
  members = found.trace.chunk_indices[found.confidence]
  if len(members):
    listed = stretches(members)
    confidence = f'{number_of(len(members))}: {listed}'
  else:
    confidence = (
      'empty: no single change fits the trace, which is then none of one change'
    )
  return (
    'One change, with the rates of single positions scattered around their '
    'level. The row with most evidence comes first, evidence is relative to '
    'it, and the last row averages over them by their evidence:\n\n'
    f'{table}\n\n'
    f'Anytime-valid {100 * (1 - settings["alpha"]):g} % confidence set of the '
    f'first low accuracy, if exactly one fall and no scatter: {confidence}.'
  )


def _several(found: Located, settings: dict[str, Any]) -> str:
  rows = []
  for drop in found.drops:
    if drop.interval is None:
      rows.append((drop.name, '0.000', '', '', '', ''))
      continue
    rows.append(
      (
        drop.name,
        f'{1.0 - drop.prob_none:.3f}',
        _position(found, drop.place),
        guilty(found, drop.place),
        f'{drop.prob_place:.3f} ± {drop.standard_error:.3f}',
        _interval(found, drop.interval),
      )
    )
  table = markdown_table(
    (
      'drop',
      'P(exists)',
      'first low',
      'guilty',
      'P(there)',
      f'{100 * settings["level"]:g} % interval, if it exists',
    ),
    rows,
  )
  rho = found.scatter[0].concentration
  numbers = ', '.join(
    f'{k}: {prob:.3f}' for k, prob in enumerate(found.num_segments, 1)
  )
  return (
    f'Rates Beta(1, 1) in each segment, 1 to '
    f'{len(found.num_segments)} segments '
    f'equally likely beforehand, scatter ρ = {rho:g}. A drop falls by more '
    f'than {settings["smallest_drop"]:g} and is recovered where the rate '
    f'regains {settings["recovery"]:g} of the fall. {settings["num_draws"]} '
    f'posterior draws.\n\n{table}\n\nP(number of segments): {numbers}.'
  )


def _bullets(lines: Sequence[str]) -> str:
  return '\n'.join(f'* {line}' for line in lines) or 'None.'
