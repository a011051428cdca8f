"""Each leg of the test matrix runs the tests with what its name says."""

import json
import sys
import textwrap

import pytest

from benchmarks import matrix_legs, test_matrix

# Not a set's order: it may repeat by chance.
SEEN = """
  import json, os, pathlib
  import jax, numpy as np

  def test_seen():
    # 2^-24 where a multiplication and an addition are rounded once, 0 where
    # each is: SSE4.2 cannot do both at once.
    x = jax.numpy.full(8, 1 + 2.0**-12)
    left_over = jax.jit(lambda x, y: x * x + y)(x, -(1 + 2.0**-11))
    pathlib.Path(__file__).with_name('seen.json').write_text(
      json.dumps(
        dict(
          code=os.environ['TOYJAX_TEST_CODE'],
          left_over=float(abs(left_over).max()),
          num_devices=jax.local_device_count(),
          hash_seed=os.environ['PYTHONHASHSEED'],
          flags=os.environ['XLA_FLAGS'].split(),
        )
      )
    )

  def test_failing():
    assert False
"""


@pytest.fixture(scope='module')
def legs():
  legs = matrix_legs.make_legs([sys.executable])
  return {leg.name.split('-', 1)[1]: leg for leg in legs}


def test_a_leg_runs_with_what_it_says(legs, tmp_path, monkeypatch):
  monkeypatch.setenv('XLA_FLAGS', '--xla_cpu_enable_fast_math=false')
  (tmp_path / 'test_seen.py').write_text(textwrap.dedent(SEEN))
  leg = legs['SSE4_2']._replace(num_devices=3)
  # The plugin is what sets the devices of all tests.
  result = test_matrix.run(
    leg,
    ['-p', 'tests.conftest', str(tmp_path / 'test_seen.py')],
    tmp_path / 'leg.log',
  )
  log = (tmp_path / 'leg.log').read_text()
  assert (result.passed, result.failed, result.skipped) == (1, 1, 0), log
  (failure,) = result.failures
  assert failure.endswith('::test_failing')
  assert json.loads((tmp_path / 'seen.json').read_text()) == {
    'code': 'optimized',
    'left_over': 0.0,
    'num_devices': 3,
    'hash_seed': str(leg.hash_seed),
    'flags': ['--xla_cpu_enable_fast_math=false', '--xla_cpu_max_isa=SSE4_2'],
  }
  row = test_matrix.row(leg, result, None)
  assert row.count('|') == test_matrix.HEADER.splitlines()[0].count('|')
  assert '| SSE4_2 | 3 |' in row


def test_a_leg_changes_one_thing_and_some_two(legs):
  default = legs['default']
  assert (default.isa, default.num_devices, default.busy) == (None, 2, False)
  names = ('isa', 'num_devices', 'busy')
  changed = {
    kind: {
      name for name in names if getattr(leg, name) != getattr(default, name)
    }
    for kind, leg in legs.items()
  }
  for kind, what in changed.items():
    assert len(what) == kind.count('-') + (kind != 'default'), kind
  # The pairs leave nothing out.
  pairs = [legs[kind] for kind, what in changed.items() if len(what) == 2]
  for name in names:
    alone = {
      getattr(legs[k], name) for k, what in changed.items() if len(what) == 1
    }
    assert alone - {getattr(default, name)} <= {
      getattr(leg, name) for leg in pairs
    }
  assert len({leg.hash_seed for leg in legs.values()}) == len(legs)


def test_a_load_works_and_ends():
  with matrix_legs.load(1) as (process,):
    assert process.poll() is None
  assert process.poll() is not None


def test_what_cannot_run_the_tests_is_named():
  with pytest.raises(ValueError, match='/nowhere/python does not run'):
    matrix_legs.make_legs(['/nowhere/python'])


def test_a_leg_without_a_report_fails(legs, tmp_path):
  leg = legs['default']._replace(python='false')
  result = test_matrix.run(leg, [], tmp_path / 'leg.log')
  assert result.passed == 0
  assert 'leg.log' in result.failures[0]


def test_the_main_job_of_a_leg(legs, tmp_path):
  leg = legs['1device']
  (tmp_path / 'job').mkdir()
  (tmp_path / 'job' / 'manifest.json').write_text('to be replaced')
  small = (
    *('--num_features=4,5', '--num_seeds=16', '--num_steps=100'),
    '--solved_sse=1000',  # So that all count as solved.
  )
  found = test_matrix.sweep(leg, tmp_path / 'job', small)
  assert (found.num_solved, found.num_runs) == (16, 16)
  result = test_matrix.Result(5, 0, 0, 61.0, [])
  assert '| 16 of 16, ' in test_matrix.row(leg, result, found)
  manifest = json.loads((tmp_path / 'job' / 'manifest.json').read_text())
  assert manifest['invocations'][0]['num_devices'] == 1
  wrong = test_matrix.sweep(leg, tmp_path / 'job', ['--num_seeds=0'])
  assert wrong.num_solved is None
  assert '| failed |' in test_matrix.row(leg, result, wrong)
