"""The README's code runs; its numbers are those of the committed results."""

import importlib
import json
import pathlib
import re

import pytest

from benchmarks import verify
from tests import compiler
from tests.scripts import processes
from toyjax import studies
from toyjax.studies import options

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


def test_the_example_of_an_importer_runs(tmp_path, monkeypatch, capsys):
  monkeypatch.chdir(tmp_path)
  exec(_example('sqrt_failure'), {})
  printed = capsys.readouterr().out
  # Seven outcomes at the two observed steps of 500.
  assert re.search(r'^2 +512$', printed, flags=re.M)
  assert re.search(r'^4 +512$', printed, flags=re.M)
  assert (tmp_path / 'outcomes.png').stat().st_size > 10_000


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


def _settings():
  """Returns the names of the settings of all studies and benchmarks."""
  rows = [*options.machine_settings(''), *options.seed_settings(1)]
  rows.append(options.KEEP_PROGRAMS)
  for name in studies.names():
    rows += importlib.import_module(f'toyjax.studies.{name}').STUDY.settings
  sources = [path.read_text() for path in (ROOT / 'benchmarks').glob('*.py')]
  found = re.findall(
    r"(?:fixed|machine|DEFINE_\w+)\(\s*'(\w+)'", '\n'.join(sources)
  )
  return {row.name for row in rows} | set(found)


def test_flags_in_the_documents_exist():
  known = _settings()
  assert {'num_features', 'dry_run', 'num_repeats', 'peers'} <= known
  for name in ('README.md', 'BUILD.md', 'CLAIMS.md'):
    if (ROOT / name).exists():
      used = set(re.findall(r'--(\w+)', (ROOT / name).read_text()))
      # What is true or false is switched off by its name after `no`.
      used -= {f'no{flag}' for flag in known}
      assert used - {'help', 'flag'} <= known, used - known


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


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
@pytest.mark.parametrize('num_features', [6, 7, 8])
def test_recovery_is_linked_to_its_results(num_features, dtype):
  """That linked numbers are right, `test_verify` says."""
  (row,) = re.findall(rf'^\| {dtype} \|.*', README, flags=re.M)
  cell = row.partition(f'n = {num_features}: ')[2].partition('; n =')[0]
  (link,) = verify.links(cell)
  assert link.path == f'results/optimization_failure/{dtype}/summary.csv'
  assert f'num_features={num_features}&step=25000&' in link.query
  assert 'SOLVED' in link.query
  assert len(verify.numbers(link.text)) == 5


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_the_results_come_from_the_main_job(dtype):
  manifest = json.loads((RESULTS / dtype / 'manifest.json').read_text())
  assert manifest['script'] == 'optimization_failure'
  assert manifest['extent'] == {'num_seeds': 4096}
  assert manifest['science']['dtype'] == dtype
  for run in manifest['invocations']:
    assert re.fullmatch('[0-9a-f]{40}', run['git_commit'])  # Unchanged source.
