"""Settings as data: what is given is checked, what is not takes its default."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax import (
  common_settings,
  optimizer_settings,
  optimizers,
  parsers,
  settings,
)
from toyjax.parsers import Choice, Number, SettingError
from toyjax.settings import (
  FIXED,
  MACHINE,
  REPORTED,
  SHAPE,
  STATIC,
  TRACED,
  Setting,
)

POSITIVE = Number(float, 0.0, exclusive=True)
ROWS = (
  Setting('width', [2], Number(int, 1, 99), SHAPE, 'Help.', letter='w'),
  Setting('method', ['plain'], Choice(('plain', 'heavy')), STATIC, 'Help.'),
  Setting('rate', [0.1], POSITIVE, TRACED, 'Help.', label='lr'),
  Setting(
    'momentum',
    [0.9],
    Number(float, 0.0),
    TRACED,
    'Help.',
    is_below_one=True,
    needs=('method', ('heavy',)),
  ),
  Setting('vector', [], Number(float), FIXED, 'Help.', is_vector=True),
  Setting('fine', 1e-50, Number(float), FIXED, 'Help.', held_in='float64'),
  Setting('level', 0.5, Number(float, 0.0), REPORTED, 'Help.'),
  *common_settings.steps(100, [10, 50, 200], about='Steps.', least=2),
  common_settings.SEED,
  common_settings.DTYPE,
  Setting('folder', '', parsers.path, MACHINE, 'Help.'),
  Setting('quiet', False, parsers.truth, MACHINE, 'Help.'),
)


def _resolve(**given):
  return settings.resolve(ROWS, given)


def test_defaults_are_whole_and_ones_own():
  values = _resolve()
  assert list(values) == [row.name for row in ROWS]
  assert values['observe_steps'] == [10, 50, 100]  # Those within the run.
  values['width'].append(3)
  values['vector'].append(1.0)
  assert _resolve()['width'] == [2]
  assert _resolve()['vector'] == []


@pytest.mark.parametrize(
  ('name', 'given', 'value'),
  [
    ('width', 7, [7]),
    ('width', '7', [7]),
    ('width', [7, '8'], [7, 8]),
    ('width', (7, 8), [7, 8]),
    ('width', np.asarray([7, 8]), [7, 8]),
    ('width', range(7, 9), [7, 8]),
    ('vector', np.zeros(2), [0.0, 0.0]),
    ('rate', 1, [1.0]),
    ('rate', ['1e-3', 2], [1e-3, 2.0]),
    ('rate', '0:1:3', None),  # Zero is no rate.
    ('rate', '1:3:3', [1.0, 2.0, 3.0]),
    ('rate', '0.01:1:3log', [0.01, 0.1, 1.0]),
    # Ends are as they are typed; those between have six digits.
    ('rate', '.123456789:2.123456789:3', [0.123456789, 1.12346, 2.123456789]),
    ('method', 'heavy', ['heavy']),
    ('vector', [1, 1.0, 0], [1.0, 1.0, 0.0]),
    ('vector', [], []),
    ('level', '.25', 0.25),
    ('seed', 2**32 - 1, 2**32 - 1),
    ('folder', 'a/b', 'a/b'),
    ('folder', '', ''),
    ('quiet', True, True),
    ('quiet', 'false', False),
    ('observe_steps', [5, 100], [5, 100]),
    ('observe_steps', 5, [5]),
    ('observe_steps', '2:100:3', [2, 51, 100]),
    ('seed', 3_000_000, 3_000_000),
  ],
)
def test_values_text_and_single_items_are_taken(name, given, value):
  if value is None:
    with pytest.raises(SettingError, match='must be > 0'):
      _resolve(**{name: given})
    return
  found = _resolve(**{name: given})[name]
  assert found == value
  assert type(found) is type(value)


@pytest.mark.parametrize(
  ('given', 'message'),
  [
    ({'wide': 3}, '--wide is unknown: choose from width, method, rate'),
    ({'width': 0}, '--width: 0 must be >= 1'),
    ({'width': 100}, '--width: 100 must be <= 99'),
    ({'width': 2.5}, "--width: '2.5' is not an integer"),
    ({'width': []}, '--width: needs at least one value'),
    ({'width': None}, "--width: 'None' is not an integer"),
    ({'seed': None}, "--seed: 'None' is not an integer"),
    ({'width': [2, '2']}, '--width: has a value twice'),
    ({'rate': 0}, '--rate: 0 must be > 0'),
    ({'rate': math.nan}, '--rate: nan must be finite'),
    ({'rate': -math.inf}, '--rate: -inf must be finite'),
    ({'rate': '1_000'}, "--rate: '1_000' is not a float"),
    ({'rate': '1:2'}, "--rate: '1:2' is not a float"),
    ({'rate': '1:2:1'}, '--rate: .*a count of 2 or more'),
    ({'rate': '0:2:3log'}, '--rate: .*of positive numbers'),
    ({'method': 'odd'}, "--method: 'odd' is unknown: choose from plain, heavy"),
    ({'folder': 's3://bucket/x'}, '--folder: s3://bucket/x is an address'),
    ({'folder': '~nobody-of-that-name/x'}, 'is no user'),
    ({'quiet': 'maybe'}, "--quiet: 'maybe' is neither true nor false"),
    ({'seed': 2**32}, '--seed: .*must be <= 4294967295'),
    ({'dtype': 'float16'}, "'float16' is unknown"),
    # Against each other.
    ({'observe_steps': [50, 10]}, '--observe_steps must increase'),
    ({'observe_steps': [101]}, '--observe_steps=101 .* --num_steps=100'),
    ({'momentum': [0.5, 0.9]}, '--momentum lists 2 values that plain does not'),
    # Against the precision of the training.
    ({'rate': 1e-50}, '--rate=1e-50 is 0 in float32'),
    ({'rate': 1e39}, '--rate=1e.39 is infinite in float32'),
    ({'rate': [0.1, 0.1 + 1e-12]}, 'are one number in float32'),
    ({'rate': 1e-310, 'dtype': 'float64'}, 'is 0 in float64'),
    ({'momentum': 1}, '--momentum=1.0 must be < 1'),
    ({'vector': -1e-50}, '--vector=-1e-50 is 0 in float32'),
    ({'momentum': 1 - 1e-12}, 'must be < 1: in float32 it is 1'),
    ({'fine': 1e-320}, '--fine=.* is 0 in float64'),
    ({'vector': [1, 1e-50]}, '--vector=1e-50 is 0 in float32'),
  ],
)
def test_what_does_not_fit_is_named(given, message):
  with pytest.raises(SettingError, match=message):
    _resolve(**given)


def test_float64_holds_more_and_other_trainings_hold_theirs():
  fine = {'rate': [0.1, 0.1 + 1e-12], 'momentum': 1 - 1e-12}
  assert _resolve(dtype='float64', **fine)['rate'] == fine['rate']
  with pytest.raises(SettingError, match='in float32'):
    settings.resolve(ROWS, fine, dtypes=lambda values: ['float64', 'float32'])
  assert settings.resolve(ROWS, fine, dtypes=lambda values: [])


def test_what_a_used_method_needs_may_be_swept():
  given = {'momentum': [0.5, 0.9], 'method': ['plain', 'heavy']}
  assert _resolve(**given)['momentum'] == [0.5, 0.9]


def test_what_follows_knows_whether_it_was_given():
  asked = []

  def follow(value, is_given, values):
    asked.append(is_given)
    return value or values['level'] * 2

  row = Setting('twice', 0.0, Number(float), FIXED, 'Help.', follow=follow)
  assert settings.resolve((*ROWS, row), {'level': 4})['twice'] == 8.0
  assert settings.resolve((*ROWS, row), {'twice': 3})['twice'] == 3.0
  assert asked == [False, True]


def test_epochs_are_steps_of_another_name():
  rows = common_settings.steps(
    9, [3, 30], about='Epochs.', least=1, unit='epochs'
  )
  values = settings.resolve(rows, {'num_epochs': 3}, dtypes=lambda values: [])
  assert values == {'num_epochs': 3, 'observe_epochs': [3]}
  assert '--num_epochs' in rows[1].help


@pytest.mark.parametrize(
  'role', ['shape', 'static', 'traced', 'fixed', 'reported', 'machine']
)
def test_each_role_has_a_function_that_makes_its_rows(role):
  row = getattr(settings, role)('size', 2, parsers.COUNT, 'Help.', label='s')
  assert row == Setting('size', 2, Number(int, 1), role, 'Help.', label='s')


def test_roles_say_what_a_setting_does():
  assert [row.name for row in settings.swept(ROWS)] == [
    *('width', 'method', 'rate', 'momentum'),
  ]
  assert settings.names_of(ROWS, REPORTED) == ['level']
  assert settings.names_of(ROWS, STATIC, MACHINE) == [
    *('method', 'folder', 'quiet'),
  ]


def test_seeds_that_use_the_next_ones_end_before():
  row = common_settings.seed('Help.', beside=2)
  assert row.parse(str(2**32 - 3)) == 2**32 - 3
  with pytest.raises(ValueError, match='4294967293'):
    row.parse(str(2**32 - 2))


@pytest.mark.parametrize(
  ('value', 'text'),
  [(0.1, '0.1'), (1.0, '1'), (1e-8, '1e-08'), (0.100000001, '0.100000001'),
   (3, '3'), ('adam', 'adam')],
)  # fmt: skip
def test_values_have_few_digits_but_keep_apart(value, text):
  assert settings.text_of(value) == text


@pytest.mark.parametrize('name', optimizers.HYPERPARAMETERS)
def test_optimizers_take_what_they_use(name):
  used = optimizer_settings.used(name)
  rows = {row.name: row for row in optimizer_settings.ROWS}
  assert set(rows) == set(optimizer_settings.HYPERPARAMETERS)
  for row in rows.values():
    assert (name in row.needs[1]) == (row.name in used)
  x = {name: jnp.float32(rows[name].default[0]) for name in used}
  made = optimizer_settings.make(
    name,
    {'learning_rate': jnp.float32(0.1), **x},
    schedule=None,
    dtype='float32',
  )
  same = optimizers.make(
    name,
    learning_rate=0.1,
    schedule=None,
    **{optimizer_settings.HYPERPARAMETERS[n]: float(v) for n, v in x.items()},
  )
  params, grads = jnp.asarray([1.0, -2.0]), jnp.asarray([0.5, 0.25])
  updates = [
    optimizer.update(grads, optimizer.init(params), params)[0]
    for optimizer in (made, same)
  ]
  jax.tree.map(np.testing.assert_allclose, *updates)
