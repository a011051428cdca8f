"""Settings of the replays of recorded traces."""

from toyjax import parsers
from toyjax.common_settings import DTYPE, seed, share
from toyjax.inference.changepoint import rivals
from toyjax.parsers import COUNT, NATURAL, POINTS, POSITIVE, PROBABILITY, Choice
from toyjax.settings import fixed, machine, reported
from toyjax.studies import options

SHIPPED = 'shipped'  # In place of a file: the traces of the library.

SETTINGS = (
  machine(
    'counts',
    SHIPPED,
    parsers.path,
    'CSV of recorded counts (columns model, base, problem, chunk_idx, k, n '
    f'...), or {SHIPPED!r}: 20 traces of Qwen-14B from math-rollouts.',
  ),
  machine(
    'skip_bad',
    False,
    parsers.truth,
    'Leave out rows that cannot be read, and count them.',
  ),
  fixed(
    'policy', ['eig'], Choice(rivals.NAMES), f'Among {", ".join(rivals.NAMES)}.'
  ),
  fixed(
    'prior',
    ['published'],
    Choice(tuple(rivals.PRIORS)),
    'Of the rates before and after: '
    + '; '.join(
      f'{name} Beta{before} and Beta{after}'
      for name, (before, after) in rivals.PRIORS.items()
    )
    + '.',
  ),
  fixed(
    'num_rollouts',
    100,
    POINTS,
    'Budget of a replay; 100 is what the published method spends.',
  ),
  machine(
    'num_repeats',
    200,
    COUNT,
    'Replays of each trace. A larger number extends an existing --workdir.',
  ),
  share('level', 0.8, 'Of the credible sets; .8 is the published one.'),
  share(
    'alpha',
    0.05,
    'Largest chance of DROP for a trace that never falls, and of NO_DROP for '
    'one with one drop of --smallest_drop.',
  ),
  fixed(
    'smallest_drop',
    0.3,
    PROBABILITY,
    'Difference of the two rates that NO_DROP excludes. Our choice: a smaller '
    'one takes more rollouts to exclude.',
    is_below_one=True,
  ),
  fixed(
    'null_shape',
    0.5,
    POSITIVE,
    'a of the Beta(a, a) of a constant rate, in the e-value for NO_DROP; 1/2 '
    "is Krichevsky and Trofimov's (1981), valid like any other.",
  ),
  reported(
    'within', 2, NATURAL, 'A replay this close to the exhaustive index is near.'
  ),
  reported(
    'focus',
    ['2236', '330', '4682'],
    str,
    'Problems to tell more about: those that the published study names.',
    is_vector=True,
  ),
  seed('Seed of the draws.'),
  machine('chunk_size', 512, COUNT, 'Replays computed and stored at a time.'),
  machine(
    'map',
    'vmap',
    Choice(('vmap', 'lanes')),
    'How a device maps replays; see BUILD.md.',
  ),
  options.folder('runs/changepoint_replay'),
  options.num_devices('Host devices to use; 0 means one for each core.'),
  DTYPE._replace(help='Precision of the replays.'),
)
