"""What every study does, whatever it is about: one table, a row a study.

The rows are those of `benchmarks.same_results_cases`. Modules that
say whose `session` it is, and subclass `StudyContract`, are the tests.
"""

from collections.abc import Callable, Sequence
import csv
import importlib
import itertools
import json
import operator
import pathlib
from typing import NamedTuple

import matplotlib.image
import pytest

from benchmarks.same_results_cases import CASES
from tests.studies import sessions
from tests.studies.sessions import Ended
from toyjax import manifest
from toyjax.settings import MACHINE, names_of
from toyjax.studies import Study


class Session(NamedTuple):
  """A study's commands on one folder, and how each ended."""

  folder: pathlib.Path
  is_sweep: bool
  grows: bool
  ended: dict[str, Ended]


def _run(name: str, folder: pathlib.Path) -> Session:
  """Runs a study dry, for real, again, from its store, in a foreign folder."""
  study = importlib.import_module(f'toyjax.studies.{name}').STUDY
  is_sweep = isinstance(study, Study)
  work, foreign = folder / 'work', folder / 'foreign'
  with manifest.Workdir(
    foreign, script='another', science={}, extent={}, layout={}, environment={}
  ):
    pass
  *before, (_, *given) = CASES[name]
  steps = {'first': given, 'again': given}
  if is_sweep:
    # What no folder holds is given again.
    unheld = names_of(study.settings, MACHINE)
    again = [flag for flag in given if flag[2:].split('=')[0] in unheld]
    steps = {
      'dry': [*given, '--dry_run'],
      **steps,
      'stored': ['--from_store', *again],
      'more': [*given, '--num_seeds=70'],
    }
  path = folder / 'ended.json'
  for script, *rest in before:
    # A process of its own: it may want other devices.
    (earlier,) = sessions.run(
      [[script, f'--workdir={work}', *rest]], work, path
    )
    assert earlier.status == 0, earlier
  commands = [
    *([name, f'--workdir={work}', *rest] for rest in steps.values()),
    [name, f'--workdir={foreign}', *given],
    [name, f'--workdir={foreign}', *given, *['--from_store'] * is_sweep],
  ]
  ended = sessions.run(commands, work, path)
  keys = (*steps, 'foreign', 'foreign_stored')
  return Session(
    *(folder, is_sweep, is_sweep and study.grows),
    dict(zip(keys, ended, strict=True)),
  )


def session_of(chosen: Sequence[str]) -> Callable:
  """Returns the fixture of a module whose studies these are."""

  def session(request, tmp_path_factory):
    return _run(request.param, tmp_path_factory.mktemp(request.param))

  return pytest.fixture(session, scope='module', params=chosen)


class StudyContract:
  """What every study does; subclasses stand beside a `session`."""

  def test_it_finishes_and_says_where_its_files_are(self, session):
    first = session.ended['first']
    assert first.status == 0, first
    assert str(session.folder) in first.printed.splitlines()[-1]
    assert not first.remarks or 'Error' not in first.remarks

  def test_a_dry_run_writes_nothing(self, session):
    if session.is_sweep:
      dry = session.ended['dry']
      assert dry.status == 0, dry
      assert 'nothing was written' in dry.printed
      assert not dry.is_there

  def test_the_same_command_resumes_to_the_same_files(self, session):
    first, again = session.ended['first'], session.ended['again']
    assert again.status == 0, again
    assert again.files == first.files
    assert again.printed == first.printed

  def test_reports_from_the_store_are_the_same(self, session):
    if session.is_sweep:
      first, stored = session.ended['first'], session.ended['stored']
      assert stored.status == 0, stored
      assert stored.files == first.files
      assert stored.printed == first.printed

  def test_more_seeds_extend_the_folder_or_are_refused(self, session):
    if session.is_sweep:
      first, more = session.ended['stored'], session.ended['more']
      assert first.num_seeds is not None
      if session.grows:
        assert more.status == 0, more
        assert more.num_seeds == 70
        assert set(more.files) >= set(first.files)
      else:
        assert '--num_seeds' in more.status
        assert (more.num_seeds, more.files) == (first.num_seeds, first.files)

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
    paths = list((session.folder / 'work').rglob(manifest.FILENAME))
    assert paths
    for path in paths:
      invocations = json.loads(path.read_text())['invocations']
      ends = [each['status'] for each in invocations]
      assert set(ends) <= {'finished', 'stopped'}, ends
      assert ends[0] == 'finished'

  def test_counts_of_outcomes_add_up(self, session):
    columns = {'outcome', 'count', 'total', 'fraction', 'lower', 'upper'}
    for path in (session.folder / 'work').rglob('summary.csv'):
      with path.open() as file:
        rows = list(csv.DictReader(file))
      if not columns <= set(rows[0]):
        continue
      others = operator.itemgetter(*(n for n in rows[0] if n not in columns))
      for _, group in itertools.groupby(rows, others):
        own = list(group)
        assert sum(int(row['count']) for row in own) == int(own[0]['total'])

  def test_pictures_open(self, session):
    for path in (session.folder / 'work').rglob('*.png'):
      image = matplotlib.image.imread(path)
      assert image.shape[0] > 100
      assert image.shape[1] > 100
      assert image[..., :3].std() > 0.01, f'{path} is empty'
