"""Settings of the walk of one tiny text net: those of its sweep, and how."""

from toyjax.parsers import DIGITS, SAMPLES, Number
from toyjax.settings import Values, fixed
from toyjax.studies import one_run
from toyjax.studies.text_failure import settings as sweep
from toyjax.studies.text_failure.settings import require_word

_SEED, _INDEX, _DTYPE, _MAP, *_MACHINE = one_run.rows('walk_text')

# What tells runs apart, in the order of the names of their folders.
NAMED = (
  *sweep.NET,
  sweep.EPOCHS[0],
  _SEED,
  _INDEX,
  _DTYPE,
  *sweep.GENERATION,
  fixed(
    'max_tokens', 20, Number(int, 1, 2000), 'Longest text that is followed.'
  ),
  fixed('num_samples', 100_000, SAMPLES, 'Texts sampled at each temperature.'),
  fixed(
    'walk_words',
    [],
    str,
    'Words whose walks are printed; the first twenty inputs if left alone.',
    is_vector=True,
    follow=lambda value, is_given, values: [word for word in value if word],
  ),
  fixed('digits', 4, DIGITS, 'After the decimal point, in walk.txt.'),
  _MAP,
)
SETTINGS = (*NAMED, *_MACHINE)


def complete(values: Values) -> Values:
  """Returns the values of one net with 'words', its list by a short name.

  Raises:
    SettingError: naming the setting that has several values or does not fit.
  """
  one_run.require_single(SETTINGS, values)
  values = sweep.complete(values)
  (words,) = values['words'].values()
  for word in values['walk_words']:
    require_word('walk_words', word, words['vocabulary'])
  return values
