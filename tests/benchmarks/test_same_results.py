"""Two sets of results are compared whole, and every script is among them."""

import pathlib
import subprocess
import sys

import pytest

from benchmarks import same_results

ROOT = pathlib.Path(__file__).parents[2]


def test_every_script_has_a_case_and_runs_last_in_it():
  scripts = {path.stem for path in (ROOT / 'scripts').glob('[!_]*.py')}
  assert set(same_results.CASES) == scripts
  for name, commands in same_results.CASES.items():
    assert commands[-1][0] == name


@pytest.mark.parametrize(
  ('before', 'after', 'expected'),
  [
    (b'a\nb\n', b'a\nb\n', ''),
    (b'a\nb\n', b'a\nc\n', 'x:2\n  - b\n  + c'),
    (b'a\n', b'a\nb\n', 'x:2\n  - None\n  + b'),
    (b'a\n', b'a\r\n', 'x: other ends of lines'),
    (b'a\0', b'abc', 'x: 2 and 3 bytes that differ'),
  ],
)
def test_the_first_difference_is_shown(before, after, expected):
  assert same_results.difference('x', before, after) == expected


def test_what_only_one_has_is_named():
  before, after = {'a': b'1', 'b': b'2'}, {'b': b'3', 'c': b'4'}
  assert same_results.differences(before, after) == [
    'a: only before',
    'c: only after',
    'b:1\n  - 2\n  + 3',
  ]


def test_a_run_that_fails_is_no_result(tmp_path):
  tree = same_results.Tree(ROOT, sys.executable)
  commands = [('failure_sizes', '--no_such_flag')]
  with pytest.raises(ValueError, match=r'failure_sizes fails.*no_such_flag'):
    same_results.results(tree, commands, tmp_path / 'job')


def test_a_commit_is_checked_out_and_gone():
  head = subprocess.run(
    ['git', '-C', ROOT, 'rev-parse', 'HEAD'], capture_output=True
  )
  if head.returncode:
    pytest.skip('these files are not in a git checkout')
  with same_results.checked_out('HEAD') as folder:
    assert (folder / 'scripts' / 'failure_sizes.py').exists()
  assert not folder.exists()
  with (
    pytest.raises(ValueError, match='no_such_commit'),
    same_results.checked_out('no_such_commit'),
  ):
    pass
