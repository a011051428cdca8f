"""The document on one trace, in Markdown that also reads as plain text."""

import math

from toyjax.data import traces
from toyjax.inference.changepoint.evidence import Verdict
from toyjax.settings import Values
from toyjax.studies.locate_error import markdown
from toyjax.studies.locate_error.doubts import doubts
from toyjax.studies.locate_error.located import Located, Place
from toyjax.studies.locate_error.markdown import spans, verbatim
from toyjax.studies.traces import OneTrace, share
from toyjax.texts import shorten

_CONTEXT_LENGTH = 300  # Characters of a sentence of the context.
_BLAMED_LENGTH = 3000


def write(read: OneTrace, found: Located, values: Values) -> str:
  """Returns the whole document.

  Args:
    read: the trace as recorded.
    found: what is known of it.
    values: of all settings.
  """
  against = doubts(read, found, values)
  parts = [
    f'# Where does the trace of problem {found.trace.problem} go wrong?',
    _about(read.trace, found, values),
    '## Verdict',
    _verdict(found, values),
    '## Where',
    _where(found, values),
    '## The sentence and its context',
    _context(read.trace, found, values['context']),
    '## How sure is the place',
    _sureness(found, values),
    '## Several changes',
    _several(found, values),
    '## Warnings',
    '\n'.join(f'* {line}' for line in against) or 'None.',
  ]
  return '\n\n'.join(parts)


def _about(trace: traces.Trace, found: Located, values: Values) -> str:
  replay = f'a replay by {values["policy"]}, seed {values["seed"]}'
  how = replay if values['num_rollouts'] else 'all recorded'
  rows = [
    ('model', trace.model or 'not told'),
    ('the trace ended', trace.base or 'not told'),
    ('right answer', trace.right_answer or 'not told'),
    ('its answer', trace.given_answer or 'not told'),
    ('sentences', str(len(trace.chunk_indices))),
    ('positions with rollouts', str(len(found.trace.chunk_indices))),
    ('recorded rollouts', f'{found.trace.num_answered.sum():,}'),
    ('rollouts used', f'{found.counts.sum():,} ({how})'),
    ('prior of the rates', values['prior']),
  ]
  shown = [(name, verbatim(shorten(text, 60))) for name, text in rows]
  return markdown.table(('', ''), shown)


def _verdict(found: Located, values: Values) -> str:
  alpha, drop = values['alpha'], values['smallest_drop']
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
    f'ln E for a drop {found.log_e.drop:.1f}, against one of at least '
    f'{drop:g} {found.log_e.no_drop:.1f}; each decides from {threshold:.1f} on.'
  )


def _where(found: Located, values: Values) -> str:
  place = found.place
  first, guilty, interval = _cells(found, place)
  unnamed = f'first low {first}, sentence {guilty}'
  model = 'where the model would put it, if there were one'
  is_named = found.is_named
  percent = _percent(values)
  rows = [
    ('index of the first low accuracy', first if is_named else 'none named'),
    ('guilty sentence', guilty if is_named else 'none named'),
    *([] if is_named else [(model, unnamed)]),
    (f'{percent} credible interval, first low accuracy', interval),
    ('sentences that it blames', _sentences(found, place)),
    (
      'probability of the most probable place',
      f'{found.posterior[place.best]:.3f}',
    ),
  ]
  return markdown.table(('', ''), rows)


def _percent(values: Values) -> str:
  return f'{100 * values["level"]:g} %'


def _cells(found: Located, place: Place) -> tuple[str, str, str]:
  """Returns the first low accuracy, the sentence it blames, its interval."""
  interval = f'{spans(*found.ends(place))} (holds {place.held:.3f})'
  return str(found.position(place.best)), found.guilty(place.best), interval


def _sentences(found: Located, place: Place) -> str:
  blamed = [
    sentence
    for each in range(place.lower, place.upper + 1)
    for sentence in found.blamed(each)
  ]
  if not blamed:
    return 'none, low from the start'
  start = ' or none, low from the start' if place.lower == 0 else ''
  return spans(min(blamed), max(blamed)) + start


def _context(trace: traces.Trace, found: Located, context: int) -> str:
  if trace.sentences is None:
    return 'The data have no texts.'
  used = found.trace
  counts = dict(
    zip(
      used.chunk_indices.tolist(),
      zip(used.num_correct.tolist(), used.num_answered.tolist()),
    )
  )

  def rate(index: int) -> str:
    known = share(*counts.get(index, (0, 0)))
    return f'* P(correct) before sentence {index}: {known}'

  blamed = list(found.blamed(found.place.best)) or [0]
  first = max(blamed[0] - context, 0)
  last = min(blamed[-1] + context, len(trace.sentences) - 1)
  lines = []
  for index in range(first, last + 1):
    length = _BLAMED_LENGTH if index in blamed else _CONTEXT_LENGTH
    text = trace.sentences[index] or '(no text)'
    is_guilty = found.is_named and index in blamed
    mark = ' **← guilty**' if is_guilty else ''
    shown = verbatim(shorten(text, length))
    lines += [rate(index), f'  > **[{index}]** {shown}{mark}']
  if last + 1 in counts:
    lines.append(rate(last + 1))
  lead = 'No sentence is named; this is where one change would be.\n\n'
  note = '\n\nAll recorded rollouts, 95 % Wilson intervals.'
  return lead * (not found.is_named) + '\n'.join(lines) + note


def _sureness(found: Located, values: Values) -> str:
  best = found.scatter[0].log_evidence_nats
  rows = [
    (
      'none'
      if math.isinf(scatter.concentration)
      else f'ρ = {scatter.concentration:g}',
      f'{scatter.log_evidence_nats - best:.1f}',
      *_cells(found, scatter.place),
    )
    for scatter in found.scatter
  ]
  table = markdown.table(
    (
      *('scatter', 'ln evidence', 'first low', 'guilty'),
      f'{_percent(values)} interval',
    ),
    [*rows, ('averaged', '', *_cells(found, found.averaged))],
  )
  members = found.trace.chunk_indices[found.confidence]
  confidence = (
    f'{markdown.number_of(len(members))}: {markdown.stretches(members)}'
    if len(members)
    else 'empty: no single change fits the trace, which is then none of one '
    'change'
  )
  return (
    'One change, with the rates of single positions scattered around their '
    'level. The row with most evidence comes first, evidence is relative to '
    'it, and the last row averages over them by their evidence:\n\n'
    f'{table}\n\n'
    f'Anytime-valid {100 * (1 - values["alpha"]):g} % confidence set of the '
    f'first low accuracy, if exactly one fall and no scatter: {confidence}.'
  )


def _several(found: Located, values: Values) -> str:
  rows: list[tuple[str, ...]] = []
  for drop in found.drops:
    if drop.place is None:
      rows.append((drop.name, '0.000', '', '', '', ''))
      continue
    first, guilty, interval = _cells(found, drop.place)
    *places, none = drop.shares.probs
    error = drop.shares.standard_errors[drop.place.best]
    there = f'{places[drop.place.best]:.3f} ± {error:.3f}'
    exists = f'{1.0 - none:.3f}'
    rows.append((drop.name, exists, first, guilty, there, interval))
  table = markdown.table(
    (
      *('drop', 'P(exists)', 'first low', 'guilty', 'P(there)'),
      f'{_percent(values)} interval, if it exists',
    ),
    rows,
  )
  rho = found.scatter[0].concentration
  probs = found.many.num_segments_probs
  numbers = ', '.join(f'{k}: {prob:.3f}' for k, prob in enumerate(probs, 1))
  return (
    f'Rates Beta(1, 1) in each segment, 1 to {len(probs)} segments equally '
    f'likely beforehand, scatter ρ = {rho:g}. A drop falls by more than '
    f'{values["smallest_drop"]:g} and is recovered where the rate regains '
    f'{values["recovery"]:g} of the fall. {values["num_draws"]} '
    f'posterior draws.\n\n{table}\n\nP(number of segments): {numbers}.'
  )
