"""Settings of the replays of recorded traces."""

from toyjax import parsers, settings
from toyjax.inference.changepoint import rivals
from toyjax.parsers import MOST_POINTS, Choice, Number
from toyjax.settings import FIXED, MACHINE, REPORTED, Setting
from toyjax.studies import options

SHIPPED = 'shipped'  # In place of a file: the traces of the library.

SETTINGS = (
  Setting(
    'counts',
    SHIPPED,
    parsers.path,
    MACHINE,
    'CSV of recorded counts (columns model, base, problem, chunk_idx, k, n '
    f'...), or {SHIPPED!r}: 20 traces of Qwen-14B from math-rollouts.',
  ),
  Setting(
    'skip_bad',
    False,
    parsers.truth,
    MACHINE,
    'Leave out rows that cannot be read, and count them.',
  ),
  Setting(
    'policy',
    ['eig'],
    Choice(rivals.NAMES),
    FIXED,
    f'Among {", ".join(rivals.NAMES)}.',
  ),
  Setting(
    'prior',
    ['published'],
    Choice(tuple(rivals.PRIORS)),
    FIXED,
    'Of the rates before and after: '
    + '; '.join(
      f'{name} Beta{before} and Beta{after}'
      for name, (before, after) in rivals.PRIORS.items()
    )
    + '.',
  ),
  Setting(
    'num_rollouts',
    100,
    Number(int, 1, MOST_POINTS),
    FIXED,
    'Budget of a replay; 100 is what the published method spends.',
  ),
  Setting(
    'num_repeats',
    200,
    Number(int, 1),
    MACHINE,
    'Replays of each trace. A larger number extends an existing --workdir.',
  ),
  settings.share(
    'level', 0.8, 'Of the credible sets; .8 is the published one.'
  ),
  settings.share(
    'alpha',
    0.05,
    'Largest chance of DROP for a trace that never falls, and of NO_DROP for '
    'one with one drop of --smallest_drop.',
  ),
  Setting(
    'smallest_drop',
    0.3,
    Number(float, 0.0, 1.0),
    FIXED,
    'Difference of the two rates that NO_DROP excludes. Our choice: a smaller '
    'one takes more rollouts to exclude.',
    is_below_one=True,
  ),
  Setting(
    'null_shape',
    0.5,
    Number(float, 0.0, exclusive=True),
    FIXED,
    'a of the Beta(a, a) of a constant rate, in the e-value for NO_DROP; 1/2 '
    "is Krichevsky and Trofimov's (1981), valid like any other.",
  ),
  Setting(
    'within',
    2,
    Number(int, 0),
    REPORTED,
    'A replay this close to the exhaustive index is near.',
  ),
  Setting(
    'focus',
    ['2236', '330', '4682'],
    str,
    REPORTED,
    'Problems to tell more about: those that the published study names.',
    is_vector=True,
  ),
  settings.seed('Seed of the draws.'),
  Setting(
    'chunk_size',
    512,
    Number(int, 1),
    MACHINE,
    'Replays computed and stored at a time.',
  ),
  Setting(
    'map',
    'vmap',
    Choice(('vmap', 'lanes')),
    MACHINE,
    'How a device maps replays; see BUILD.md.',
  ),
  options.folder('runs/changepoint_replay'),
  options.num_devices('Host devices to use; 0 means one for each core.'),
  settings.DTYPE._replace(help='Precision of the replays.'),
)
