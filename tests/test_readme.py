"""The README's code runs; its numbers are those of the committed results."""

import csv
import json
import pathlib
import re

import pytest

from tests import compiler
from tests.scripts import processes
from toyjax import statistics

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / 'README.md').read_text()
RESULTS = ROOT / 'results' / 'optimization_failure'


def _blocks(language):
  return re.findall(rf'```{language}\n(.*?)```', README, flags=re.DOTALL)


def _example(word):
  (found,) = (block for block in _blocks('python') if word in block)
  return found


def test_the_changepoint_example_asks_and_tells(capsys):
  exec(_example('changepoint'), {})
  # High once, low twice where that tells most: the change is behind the first.
  assert 0 <= int(capsys.readouterr().out) < 63


def test_the_example_runs_and_solves_most_pentagons(capsys):
  exec(_example('relu_autoencoder'), {})
  printed = capsys.readouterr().out
  solved = int(printed.split(' of 200 solved')[0])
  # Adam at 1e-2 for 1000 steps solved nearly all n = 5 when this was written.
  assert solved > 100
  assert f'Interval(estimate={solved / 200}' in printed


def test_the_store_example_runs(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  done = processes.run(
    'optimization_failure',
    f'--workdir={tmp_path / "runs" / "optimization_failure"}',
    *('--num_features=7', '--num_seeds=16', '--num_steps=100'),
    env={'XLA_FLAGS': ' '.join(compiler.flags_of_users())},
  )
  assert done.returncode == 0, done.stderr
  exec(_example('xarray'), {})


def test_flags_in_the_documents_exist():
  sources = ''.join(
    path.read_text()
    for room in ('scripts', 'benchmarks')
    for path in (ROOT / room).rglob('*.py')
  )
  known = set(re.findall(r"(?:DEFINE_\w+|define_\w+)\(\s*'(\w+)'", sources))
  assert {'num_features', 'dry_run', 'num_repeats', 'peers'} <= known
  for name in ('README.md', 'BUILD.md', 'CLAIMS.md'):
    if (ROOT / name).exists():
      used = set(re.findall(r'--(\w+)', (ROOT / name).read_text()))
      assert used - {'help'} <= known, used - known


def test_help_knows_the_flags_of_the_readme():
  commands = re.findall(
    r'-m scripts\.(\w+)((?:[^\n\\#]|\\\n)*)', ' '.join(_blocks('sh'))
  )
  used: dict[str, set[str]] = {}
  for script, flags in commands:
    used.setdefault(script, set()).update(re.findall(r'--(\w+)', flags))
  assert {'num_features', 'dry_run'} <= used['optimization_failure']
  assert 'run' in used['replay_seed']
  for script, names in used.items():
    known = processes.run(script, '--help').stdout
    for name in names - {'help'}:
      assert f'--{name}:' in known or f'--[no]{name}:' in known, (script, name)


def _solved(results, num_features, step):
  """Recomputes a share solved from the counts of a summary."""
  with (results / 'summary.csv').open() as file:
    rows = [
      row
      for row in csv.DictReader(file)
      if int(row['num_features']) == num_features and int(row['step']) == step
    ]
  total = {int(row['total']) for row in rows}
  solved = sum(
    int(row['count']) for row in rows if row['outcome'].startswith('SOLVED')
  )
  assert sum(int(row['count']) for row in rows) in total
  return solved, total.pop()


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
@pytest.mark.parametrize('num_features', [6, 7, 8])
def test_numbers_of_the_table_are_those_of_the_results(num_features, dtype):
  row = re.search(rf'\| {dtype} \|.*', README).group()
  found = re.search(
    rf'n = {num_features}: ([\d,]+) of ([\d,]+), '
    r'([\d.]+) % \[([\d.]+), ([\d.]+)\]',
    row,
  )
  assert found, f'no number for n = {num_features}'
  solved, total = _solved(RESULTS / dtype, num_features, 25_000)
  count, of = (int(text.replace(',', '')) for text in found.groups()[:2])
  assert (count, of) == (solved, total)
  interval = statistics.wilson(solved, total)
  for text, value in zip(found.groups()[2:], interval):
    assert text == f'{100 * value:.2f}'


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_the_results_come_from_the_main_job(dtype):
  manifest = json.loads((RESULTS / dtype / 'manifest.json').read_text())
  assert manifest['script'] == 'optimization_failure'
  assert manifest['extent'] == {'num_seeds': 4096}
  assert manifest['science']['dtype'] == dtype
  for run in manifest['invocations']:
    assert re.fullmatch('[0-9a-f]{40}', run['git_commit'])  # Unchanged source.


def test_what_is_said_of_a_million_text_nets():
  """As CLAIMS.md has it, whose numbers are recomputed from the tables."""
  readme, claims = (
    re.sub(r'\s+', ' ', (ROOT / name).read_text())
    for name in ('README.md', 'CLAIMS.md')
  )
  for text in ('227,366 of 1,000,000, 22.74 % [22.65, 22.82]', '216,332'):
    assert text in readme
    assert text in claims
