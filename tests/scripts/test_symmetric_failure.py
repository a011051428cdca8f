"""The study of symmetric failure end to end, with tiny flags."""

import csv
import json

import pytest

from tests.scripts import processes

SMALL = (
  '--num_features=5',
  '--optimizer=adamw',
  '--norm_factor=1,1.1',
  '--num_seeds=16',
  '--num_steps=400',
  '--kick=1e-2',
  '--num_descents=4',
  '--descent_iterations=40',
  '--nudge=0.1',
  '--state_features=5',
  '--state_steps=100,300',
  '--state_decay=0.01',
  '--num_state_seeds=64',
  '--num_random_states=64',
)
TABLES = ('verdicts', 'descents', 'escape', 'tilt', 'dead', 'frozen')


def _run(workdir, *flags):
  return processes.run('symmetric_failure', f'--workdir={workdir}', *flags)


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  workdir = tmp_path_factory.mktemp('runs') / 'small'
  done = _run(workdir, *SMALL)
  assert done.returncode == 0, done.stderr
  rows = {}
  for name in TABLES:
    with (workdir / f'{name}.csv').open() as file:
      rows[name] = list(csv.DictReader(file))
  return workdir, done, rows


def test_it_writes_and_prints_every_table_and_figure(finished):
  workdir, done, rows = finished
  for name in TABLES:
    assert f'({name}.csv)' in done.stdout
    assert rows[name], name
  for name in ('verdicts', 'escape', 'frozen'):
    assert (workdir / f'{name}.png').read_bytes().startswith(b'\x89PNG')
  assert 'escaped=' in done.stderr
  found = json.loads((workdir / 'manifest.json').read_text())
  assert found['science']['escape_share'] == 0.9
  assert found['invocations'][0]['status'] == 'finished'


def test_it_is_a_saddle_that_runs_leave(finished):
  _, _, rows = finished
  kinks, verdict = rows['verdicts']
  assert kinks['verdict'] == 'SADDLE'
  assert kinks['side'] == 'on its kinks'
  assert kinks['decayed_verdict'] == 'LOCAL_MINIMUM'
  assert verdict['decayed_verdict'] == ''
  assert verdict['verdict'] == 'SADDLE'
  assert verdict['side'] == 'within its piece'
  assert verdict['lowest_closed_form'] == verdict['lowest_eigenvalue']
  assert float(verdict['dead_bias']) == pytest.approx(0.2)
  assert float(verdict['path_fall']) > 0
  _, descents = rows['descents']
  assert descents['num_below'] == descents['total'] == '4'
  assert len(rows['escape']) == 2
  for escape in rows['escape']:
    assert escape['total'] == '16'
    assert escape['num_never_escaped'] == '0'
    assert 100 < float(escape['median_escape_step']) < 400


def test_predictions_are_what_is_measured(finished):
  _, _, rows = finished
  assert [row['source'] for row in rows['tilt']] == ['random'] + [
    'training'
  ] * 2
  assert all(row['general_wrong'] == '0' for row in rows['tilt'])
  assert int(rows['tilt'][0]['special_wrong']) > 0
  held, relearnt = rows['frozen'][-2:]
  assert abs(float(held['measured_epsilon'])) < 1e-12
  assert float(relearnt['measured_epsilon']) == pytest.approx(
    float(relearnt['predicted_epsilon']), rel=1e-2
  )


def test_wrong_flags_end_in_one_line(tmp_path):
  for flags, message in (
    (['--norm_factor=0.9'], '0.9 must be >= 1'),
    (['--state_steps=300,100'], '--state_steps must increase'),
  ):
    done = _run(tmp_path / 'never', *flags)
    assert done.returncode != 0
    assert message in done.stderr + done.stdout
    assert 'Traceback' not in done.stderr
    assert not (tmp_path / 'never').exists()
