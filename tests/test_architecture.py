"""The house's rules: layers, public names, purity, sizes, documentation."""

import ast
import importlib
import json
import pathlib
import pkgutil
import re
import subprocess
import sys

import pytest

import toyjax
from toyjax.studies import names

ROOT = pathlib.Path(__file__).parent.parent
MODULES = sorted(
  module.name for module in pkgutil.walk_packages(toyjax.__path__, 'toyjax.')
)
# Core modules, each with the core modules it may import.
CORE = {
  'moved': set(),
  'study_names': set(),
  'base': set(),
  'statistics': {'base'},
  'roles': {'base'},
  'texts': set(),
  'optimizers': {'base'},
  'descent': {'base'},
  'adam_states': {'base', 'descent'},
  'loops': {'base'},
  'observing': {'base'},
  'flat_params': {'base'},
  'random_words': {'base'},
  'lanes': {'base', 'random_words'},
  'products': {'base', 'lanes'},
  'chunks': {'base', 'lanes', 'products', 'run_sizes'},
  'ranges': {'base'},
  'run_sizes': {'base', 'lanes'},
  'mapping': {'base', 'chunks', 'ranges'},
  'progress': {'base'},
  'sweeps': {'base', 'chunks', 'progress', 'ranges', 'run_sizes'},
  'checks': set(),
  'json_text': set(),
  'marks': {'checks'},
  'arrays': {'base', 'checks'},
  'store': {'arrays', 'checks', 'marks'},
  'stored_runs': {'arrays', 'checks', 'marks', 'store'},
  'variables': {'store'},
  'processors': set(),
  'manifest_form': {'json_text'},
  'manifest': {'checks', 'manifest_form', 'processors'},
  'parsers': {'checks'},
  'precision': {'parsers'},
  'settings': {'parsers', 'precision'},
  'common_settings': {'parsers', 'ranges', 'settings'},
  'optimizer_settings': {'base', 'optimizers', 'parsers', 'settings'},
  'scheduled': {
    *('base', 'descent', 'loops', 'optimizer_settings', 'optimizers'),
    'settings',
  },
  'memory': {'base', 'chunks', 'lanes', 'parsers', 'run_sizes'},
  'stages': {'chunks', 'memory', 'settings', 'statistics', 'store', 'sweeps'},
  'training': {'chunks', 'memory', 'stages', 'store', 'sweeps'},
  'ahead': set(),
  'runs': {
    *('checks', 'manifest', 'settings', 'stages', 'stored_runs', 'texts'),
  },
  'tables': {'runs', 'statistics', 'texts'},
}
# Rooms, each with the rooms it may import beside the core modules below.
ROOMS = {
  'data': set(),
  'toys': {'data'},
  'inference': {'data'},
  'analysis': {'toys', 'inference', 'data'},
  'plots': {'analysis', 'toys', 'inference'},
  'studies': {'plots', 'analysis', 'toys', 'inference', 'data'},
  'command': {'studies', 'plots'},
  '__main__': {'command'},
}
_SCIENCE = {
  *('base', 'descent', 'loops', 'statistics', 'optimizers', 'roles', 'texts'),
  'random_words',
}
CORE_FOR_ROOMS = {
  'data': _SCIENCE | {'json_text'},
  **dict.fromkeys(('toys', 'inference', 'analysis'), _SCIENCE),
  'plots': _SCIENCE | {'runs', 'tables'},
  'studies': set(CORE),
  'command': set(CORE),
  '__main__': set(),
}
# Studies that others import, for a trial or to read a folder: who does.
STUDIES = {
  'optimization_failure': {
    *('failure_survival', 'symmetric_escape', 'symmetric_failure'),
    'resampling_trial',
    'certify_failure',
    *('descend_runaways', 'latent_atlas', 'failure_sizes', 'replay_seed'),
  },
  'certify_failure': {'latent_atlas', 'descend_runaways'},
  'text_failure': {'walk_text'},
  'sqrt_failure': {'walk_sqrt'},
  'sparse_autoencoder': {'latent_resampling'},
}


def _source(module: str) -> pathlib.Path:
  path = ROOT / pathlib.Path(*module.split('.'))
  return path / '__init__.py' if path.is_dir() else path.with_suffix('.py')


def _tree(module: str) -> ast.Module:
  return ast.parse(_source(module).read_text())


def _imports(module: str) -> set[str]:
  """Returns the full names of what a module imports."""
  names = set()
  for node in ast.walk(_tree(module)):
    if isinstance(node, ast.Import):
      names |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
      assert node.level == 0, f'{module} has a relative import'
      names |= {f'{node.module}.{alias.name}' for alias in node.names}
  return names


def _own(module: str) -> set[tuple[str, ...]]:
  """Returns the toyjax modules that a module imports, as parts of names."""
  found = set()
  for name in _imports(module):
    parts = tuple(name.split('.'))
    if parts[0] == 'toyjax' and len(parts) > 1:
      found.add(parts[1:])
  return found


def test_all_modules_are_known_to_the_layers():
  known = set(CORE) | set(ROOMS)
  assert {name.split('.')[1] for name in MODULES} <= known


@pytest.mark.parametrize('name', CORE)
def test_core_imports_only_what_lies_below_and_knows_no_toy(name):
  modules = [m for m in MODULES if m.split('.')[1] == name]
  imported = {parts[0] for module in modules for parts in _own(module)}
  assert imported <= CORE[name] | {name}


@pytest.mark.parametrize(
  'module', [m for m in MODULES if m.split('.')[1] in ROOMS]
)
def test_rooms_import_only_what_lies_below(module):
  room = module.split('.')[1]
  for parts in _own(module):
    if parts[0] == room:
      continue
    assert parts[0] in CORE_FOR_ROOMS[room] | ROOMS[room], (module, parts)


@pytest.mark.parametrize(
  'module', [m for m in MODULES if m.startswith('toyjax.toys.')]
)
def test_toys_do_not_import_each_other(module):
  toy = module.split('.')[2]
  for parts in _own(module):
    assert parts[0] != 'toys' or parts[1] == toy, (module, parts)


def test_studies_import_each_other_only_as_listed():
  found = {}
  for module in MODULES:
    if not module.startswith('toyjax.studies.'):
      continue
    importer = module.split('.')[2]
    for parts in _own(module):
      if parts[0] == 'studies' and parts[1] in names() and parts[1] != importer:
        found.setdefault(parts[1], set()).add(importer)
  assert found == STUDIES
  assert sum(map(len, STUDIES.values())) <= 14


@pytest.mark.parametrize('name', names())
def test_a_study_has_one_name(name):
  study = importlib.import_module(f'toyjax.studies.{name}').STUDY
  assert study.name == name
  script = (ROOT / 'scripts' / f'{name}.py').read_text()
  assert len(script.splitlines()) <= 20
  assert f'lifecycle.start({name}.STUDY)' in script


def test_every_script_and_every_folder_of_results_is_a_study():
  scripts = {path.stem for path in (ROOT / 'scripts').glob('[!_]*.py')}
  assert scripts == set(names())
  folders = {
    path.name for path in (ROOT / 'results').iterdir() if path.is_dir()
  }
  assert folders <= {*names(), 'benchmarks'}


def test_every_case_of_results_has_the_manifest_of_its_study():
  cases = [path for path in (ROOT / 'results').glob('*/*') if path.is_dir()]
  assert cases
  for case in cases:
    found = json.loads((case / 'manifest.json').read_text(encoding='utf-8'))
    assert found['script'] == case.parent.name, case
  strays = [p for p in (ROOT / 'results').glob('*/*') if p.is_file()]
  assert {path.parent.name for path in strays} == {'benchmarks'}


@pytest.mark.parametrize('module', MODULES)
def test_the_library_has_no_side_effects(module):
  outside = {name.split('.')[0] for name in _imports(module)}
  assert not outside & {'scripts', 'benchmarks', 'tests', 'pickle'}
  if module.startswith('toyjax.command') or module == 'toyjax.__main__':
    return  # It prints, and sets JAX up.
  assert 'absl' not in outside
  if not module.startswith(('toyjax.plots', 'toyjax.studies')):
    assert 'matplotlib' not in outside
  for node in ast.walk(_tree(module)):
    if isinstance(node, ast.Attribute):
      where = f'{module}:{node.lineno}'
      assert ast.unparse(node) != 'jax.config', where
      assert node.attr != 'pyplot', where
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
      assert node.func.id not in {'print', 'eval', 'exec'}, module
  assert not re.search(r'\b(pyplot|FLAGS)\b', _source(module).read_text())


@pytest.mark.parametrize(
  'path',
  sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ('toyjax', 'scripts', 'benchmarks')
    for path in (ROOT / folder).rglob('*.py')
  ),
)
def test_modules_are_short(path):
  num_lines = len((ROOT / path).read_text().splitlines())
  assert num_lines <= 300, f'{path} has {num_lines} lines: split by meaning'


@pytest.mark.parametrize('module', MODULES)
def test_public_names_are_documented(module):
  assert ast.get_docstring(_tree(module)), module
  for node in _tree(module).body:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
      if node.name.startswith('_'):
        continue
      assert ast.get_docstring(node), f'{module}.{node.name}'


@pytest.mark.parametrize('module', ['toyjax', *MODULES])
def test_all_names_what_is_there(module):
  imported = importlib.import_module(module)
  names = getattr(imported, '__all__', [])
  assert len(set(names)) == len(names)
  for name in names:
    assert hasattr(imported, name), f'{module}.{name}'


def test_importing_the_library_touches_no_device_and_no_figure():
  code = (
    'import sys, toyjax, toyjax.toys.relu_autoencoder\n'
    'from jax._src import xla_bridge\n'
    "assert not xla_bridge.backends_are_initialized(), 'a device was used'\n"
    "assert 'matplotlib' not in sys.modules, 'matplotlib was imported'\n"
    "assert 'toyjax.studies' not in sys.modules, 'a study was imported'\n"
  )
  subprocess.run([sys.executable, '-c', code], check=True, cwd=ROOT)


def test_pyproject_only_names_the_build_system():
  lines = (ROOT / 'pyproject.toml').read_text().split('\n')
  assert lines[0] == '[build-system]'
  assert len([line for line in lines if line]) == 3
