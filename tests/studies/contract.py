"""What every study does, whatever it is about: one table, a row a study.

The rows are those of `benchmarks.same_results_cases` and of `promises`.
Modules that say whose `session` it is, and subclass `StudyContract`, are the
tests.
"""

from collections.abc import Callable, Iterable, Sequence
import csv
import hashlib
import importlib
import itertools
import json
import operator
import pathlib
import re
import shutil
from typing import NamedTuple

import matplotlib.image
import pytest

from benchmarks.same_results_cases import CASES
from tests.studies import sessions
from tests.studies.promises import PROMISES, Promise
from tests.studies.sessions import Ended
from toyjax import manifest
from toyjax.settings import MACHINE, names_of
from toyjax.studies import Study

NUM_SEEDS = 70
# Fewer and smaller programs than in `CASES`: most commands compile each.
_FEWER = {
  'optimization_failure': ('--num_features=3',),
  'failure_survival': ('--num_features=3', '--dtype=float32'),
  'text_failure': ('--pairs=four', '--learning_rate=0.003,0.01'),
  'symmetric_escape': (
    *('--num_features=6', '--search_steps=600', '--learning_rate=5e-3'),
    *('--adam_b2=0.999', '--num_steps=150'),
  ),
  'resampling_trial': ('--state_steps=200',),
  'superposition_phase': ('--num_features=3', '--importance=1'),
  'double_descent': ('--num_samples=8',),
}
# Columns of what is counted, the last one of several first.
KINDS = ('last_outcome', 'outcome', 'class', 'end')


class Session(NamedTuple):
  """A study's commands on one folder, and how each ended."""

  folder: pathlib.Path
  promise: Promise
  grows: bool
  ended: dict[str, Ended]

  @property
  def own(self) -> pathlib.Path:
    """The folder that is the study's own."""
    return self.folder / 'work' / self.promise.folder


def _run(name: str, folder: pathlib.Path) -> Session:
  """Runs a study dry, for real, again, otherwise, in a foreign folder."""
  study = importlib.import_module(f'toyjax.studies.{name}').STUDY
  is_sweep = isinstance(study, Study)
  flags = {setting.name for setting in study.settings}
  work, foreign = folder / 'work', folder / 'foreign'
  with manifest.Workdir(
    foreign, script='another', science={}, extent={}, layout={}, environment={}
  ):
    pass
  *before, (_, *given) = CASES[name]
  given += _FEWER.get(name, ())
  promise = PROMISES[name]
  # What no folder holds is given again.
  unheld = names_of(study.settings, MACHINE) if is_sweep else ()
  again = [flag for flag in given if flag[2:].split('=')[0] in unheld]
  has_store = is_sweep or 'from_store' in flags
  from_store = ['--from_store'] * has_store
  steps = {'first': given, 'again': given, 'other': [*given, promise.other]}
  if is_sweep or 'dry_run' in flags:
    steps = {'dry': [*given, '--dry_run'], **steps}
  if has_store:
    steps['stored'] = [*from_store, *again]
  if is_sweep:
    steps['more'] = [*given, f'--num_seeds={NUM_SEEDS}']
  path = folder / 'ended.json'
  if before:
    shutil.copytree(_made_before(before, folder.parent), work)
  commands = [
    *([name, f'--workdir={work}', *rest] for rest in steps.values()),
    [name, f'--workdir={foreign}', *given],
    [name, f'--workdir={foreign}', *given, *from_store],
  ]
  ended = sessions.run(commands, work, path)
  keys = (*steps, 'foreign', 'foreign_stored')
  return Session(
    *(folder, promise, is_sweep and study.grows),
    dict(zip(keys, ended, strict=True)),
  )


def _made_before(
  commands: Sequence[Sequence[str]], folder: pathlib.Path
) -> pathlib.Path:
  """Returns the folder that commands made, once for all studies after them."""
  *first, (script, *rest) = commands
  code = hashlib.sha256(repr(commands).encode()).hexdigest()[:8]
  work = folder / f'before_{code}'
  if not work.exists():
    if first:
      shutil.copytree(_made_before(first, folder), work)
    # A process of its own: it may want other devices.
    path = folder / 'before.json'
    (ended,) = sessions.run([[script, f'--workdir={work}', *rest]], work, path)
    assert ended.status == 0, ended
  return work


def session_of(chosen: Sequence[str]) -> Callable:
  """Returns the fixture of a module whose studies these are."""

  def session(request, tmp_path_factory):
    return _run(request.param, tmp_path_factory.mktemp(request.param))

  return pytest.fixture(session, scope='module', params=chosen)


def _rows(path: pathlib.Path) -> list[dict[str, str]]:
  with path.open() as file:
    return list(csv.DictReader(file))


def _add_up(rows: Iterable[dict[str, str]], kind: str) -> None:
  """Checks that the counts of all kinds of a group are its total.

  What stands before a kind in a row is its group.
  """

  def group_of(row):
    return [*itertools.takewhile(lambda item: item[0] != kind, row.items())]

  for group, found in itertools.groupby(rows, group_of):
    # A cycle such as dog->dog is one way never to end, and counted in that.
    own = [row for row in found if '->' not in row[kind]]
    counts = [int(row['count']) for row in own]
    assert counts
    assert {row['total'] for row in own} == {str(sum(counts))}, group


class StudyContract:
  """What every study does; subclasses stand beside a `session`."""

  def test_it_finishes_and_says_where_its_files_are(self, session):
    first = session.ended['first']
    assert first.status == 0, first
    assert str(session.own) in first.printed.splitlines()[-1]
    assert not first.remarks or 'Error' not in first.remarks

  def test_it_writes_what_it_promises_and_nothing_else(self, session):
    first = session.ended['first'].files_of(session.promise.folder)
    names = {name.split('/')[0] for name in first}
    store = session.promise.store
    assert names - {store} == session.promise.files
    assert (store in names) == bool(store)

  def test_the_same_command_resumes_to_the_same_files(self, session):
    first, again = session.ended['first'], session.ended['again']
    assert again.status == 0, again
    assert again.files == first.files
    assert again.printed == first.printed

  def test_nothing_that_is_stored_is_computed_again(self, session):
    first, again = session.ended['first'].stored, session.ended['again'].stored
    own = f'{session.own.relative_to(session.folder / "work")}/'
    store = f'{own}{session.promise.store}/'.removeprefix('./')
    has_some = any(name.startswith(store) for name in first)
    assert has_some == bool(session.promise.store)
    assert again == first

  def test_other_science_is_refused_in_one_line(self, session):
    before, other = session.ended['again'], session.ended['other']
    assert isinstance(other.status, str), other
    assert session.promise.other.split('=')[0] in other.status
    assert '\n' not in other.status
    assert (other.printed, other.remarks) == ('', '')
    assert other.digests == before.digests

  def test_another_study_s_folder_is_refused_in_one_line(self, session):
    for key in ('foreign', 'foreign_stored'):
      status = session.ended[key].status
      assert isinstance(status, str), session.ended[key]
      assert "'another'" in status
      assert '\n' not in status
      assert not session.ended[key].printed
    found = {path.name for path in (session.folder / 'foreign').iterdir()}
    assert found <= {manifest.FILENAME, '.lock'}

  def test_the_manifest_is_finished(self, session):
    assert (session.own / manifest.FILENAME).exists()
    for path in (session.folder / 'work').rglob(manifest.FILENAME):
      invocations = json.loads(path.read_text())['invocations']
      ends = [each['status'] for each in invocations]
      assert set(ends) <= {'finished', 'stopped'}, ends
      assert ends[0] == 'finished'

  def test_counts_of_outcomes_add_up(self, session):
    added_up = set()
    for path in session.own.glob('*.csv'):
      rows = _rows(path)
      columns = rows[0].keys() if rows else set()
      kinds = [kind for kind in KINDS if kind in columns]
      if kinds and {'count', 'total'} <= columns:
        # Of all that a summary measures, outcomes alone exclude each other.
        own = [
          row for row in rows if row.get('measure', 'outcome') == 'outcome'
        ]
        _add_up(own, kinds[0])
        added_up.add(path.name)
    counted = session.promise.counted
    assert added_up == (set() if isinstance(counted, str) else counted)

  def test_pictures_open(self, session):
    names = {path.name for path in session.own.glob('*.png')}
    assert names == {n for n in session.promise.files if n.endswith('.png')}
    for path in session.own.glob('*.png'):
      image = matplotlib.image.imread(path)
      assert image.shape[0] > 100
      assert image.shape[1] > 100
      assert image[..., :3].std() > 0.01, f'{path} is empty'


class StoreContract(StudyContract):
  """What every study does that can tell its cost, and report its store."""

  def test_a_dry_run_writes_nothing(self, session):
    dry = session.ended['dry']
    assert dry.status == 0, dry
    *stages, last = dry.printed.splitlines()
    assert stages
    for line in stages:
      assert re.search(r': .*\d runs x [\d,]+ steps at \S+ steps/s', line)
    for text in ('minutes', 'MiB on disk', 'nothing was written'):
      assert text in last
    assert not dry.is_there

  def test_reports_from_the_store_are_the_same(self, session):
    first, stored = session.ended['first'], session.ended['stored']
    assert stored.status == 0, stored
    assert stored.files == first.files
    assert stored.printed == first.printed
    assert stored.stored == session.ended['again'].stored


class SweepContract(StoreContract):
  """What every sweep over seeds does."""

  def test_more_seeds_extend_the_folder_or_are_refused(self, session):
    first, more = session.ended['stored'], session.ended['more']
    assert first.num_seeds is not None
    if session.grows:
      assert more.status == 0, more
      assert more.num_seeds == NUM_SEEDS != first.num_seeds
      assert set(more.files) >= set(first.files)
      name, column = session.promise.grown
      numbers = list(
        map(operator.itemgetter(column), _rows(session.own / name))
      )
      assert set(numbers) == {str(NUM_SEEDS)}
    else:
      assert '--num_seeds' in more.status
      assert (more.num_seeds, more.files) == (first.num_seeds, first.files)
