"""Flags are rows of settings: typed, checked, and given only where typed."""

from absl import flags
import pytest

from toyjax import parsers
from toyjax.command import flags as command_flags
from toyjax.parsers import Choice, Number
from toyjax.settings import FIXED, Setting

ROWS = (
  Setting('a_rate', [0.1], Number(float, 0.0, exclusive=True), FIXED, 'Help.'),
  Setting('a_size', [2, 3], Number(int, 2), FIXED, 'Help.'),
  Setting('a_name', ['a'], Choice(('a', 'b')), FIXED, 'Help.'),
  Setting('a_vector', [], Number(float), FIXED, 'Help.', is_vector=True),
  Setting('a_number', 1, Number(int, 0, 9), FIXED, 'Help.'),
  Setting('a_choice', 'a', Choice(('a', 'b')), FIXED, 'Help.'),
  Setting('a_truth', False, parsers.truth, FIXED, 'Help.'),
  Setting('a_text', 'x', str, FIXED, 'Help.'),
  Setting('a_path', 'runs', parsers.path, FIXED, 'Help.'),
  Setting('no_path', '', parsers.path, FIXED, 'Help.'),
)


def _typed(*arguments, rows=ROWS, required=()):
  """Returns flags of their own, read from a command line."""
  held = flags.FlagValues()
  command_flags.define(rows, required=required, into=held)
  held(['program', *arguments])
  return held


def _given(*arguments):
  return command_flags.given(ROWS, _typed(*arguments))


def test_only_what_is_typed_is_given():
  assert _given() == {}
  assert _given('--a_rate=1e-3, 2', '--a_name=b,a', '--a_truth') == {
    **{'a_rate': [1e-3, 2.0], 'a_name': ['b', 'a'], 'a_truth': True},
  }
  assert _given('--a_vector=1,1,0', '--a_text=1_0', '--no_path=') == {
    **{'a_vector': [1.0, 1.0, 0.0], 'a_text': '1_0', 'no_path': ''},
  }
  assert _given('--a_size=2:6:3', '--a_number=9', '--a_path=~') == {
    **{'a_size': [2, 4, 6], 'a_number': 9, 'a_path': parsers.path('~')},
  }


def test_flags_have_their_defaults_and_can_be_written_again():
  held = _typed('--a_rate=1e-3,2')
  for row in ROWS[1:]:
    assert held[row.name].value == row.default
  assert '--a_rate=0.001,2.0' in held.flags_into_string()
  kinds = {name: held[name].parser.flag_type() for name in ('a_rate', 'a_name')}
  assert kinds == {
    'a_rate': 'comma-separated list of float',
    'a_name': 'comma-separated list',
  }


@pytest.mark.parametrize(
  'flag',
  [
    *('--a_rate=0', '--a_rate=nan', '--a_rate=', '--a_rate=inf'),
    *('--a_size=1', '--a_size=2.5', '--a_size=2,2', '--a_name=c'),
    *('--a_number=-1', '--a_number=10', '--a_number=nan', '--a_choice=c'),
    *('--a_truth=maybe', '--a_path=', '--a_path= ', '--no_path=s3://b/x'),
  ],
)
def test_what_is_out_of_range_is_refused_by_name(flag):
  name = flag.split('=')[0][2:]
  with pytest.raises(flags.IllegalFlagValueError, match=name):
    _typed(flag)


def test_what_is_required_must_be_typed():
  rows = [Setting('needed', None, str, FIXED, 'Help.')]
  with pytest.raises(flags.IllegalFlagValueError, match='needed'):
    _typed(rows=rows, required=['needed'])
  held = _typed('--needed=x', rows=rows, required=['needed'])
  assert command_flags.given(rows, held) == {'needed': 'x'}
