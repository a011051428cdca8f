"""The text net's settings: lists of one's own, and what does not fit."""

import pytest

from toyjax import studies
from toyjax.parsers import SettingError
from toyjax.studies import text_failure

STUDY = text_failure.STUDY


def write(folder, text):
  path = folder / 'own.txt'
  path.write_text(text)
  return str(path)


def test_a_list_of_ones_own_has_no_published_run_beside_it(tmp_path):
  pairs = write(tmp_path, 'hello -> !\n')
  assert STUDY.resolve(pairs=['four', pairs])['printed_losses']
  values = STUDY.resolve(pairs=pairs, num_epochs=2, observe_epochs=[1, 2])
  assert values['printed_losses'] == []
  report = STUDY.report(studies.run(STUDY, values, num_seeds=4), values)
  assert not any('nearest to the printed' in str(p) for p in report.parts)
  assert {row['printed'] for row in report.table('losses').rows} == {None}


def test_lists_that_no_net_can_learn_are_named_and_reported_otherwise(tmp_path):
  pairs = write(tmp_path, 'a -> b\na -> !\nb -> !\n')
  values = STUDY.resolve(pairs=['six', pairs], num_epochs=2, start='')
  found = studies.run(STUDY, values, num_seeds=4)
  report = STUDY.report(found, {**values, 'temperature': [5.0]})
  assert 'own: an input has several' in report.parts[0]
  assert 'no net can learn all 3 pairs' in report.parts[0]
  with pytest.raises(SettingError, match="'dog' is not in the vocabulary: a"):
    STUDY.report(found, {**values, 'start': 'dog'})


@pytest.mark.parametrize(
  ('given', 'message'),
  [
    ({'temperature': 0}, '0 must be > 0'),
    ({'start': 'hallo'}, "'hallo' is not in the vocabulary"),
    ({'end': '?'}, r"'\?' is not in the vocabulary"),
    ({'pairs': ['six', 'seven.txt']}, 'seven.txt'),
    ({'pairs': ['own.txt', '../own.txt']}, "two lists are named 'own'"),
    ({'pairs': '\n'}, 'no pair in this file'),
    ({'pairs': 'vocabulary: cat dog\ncat -> dgo\n'}, "unknown token 'dgo'"),
    ({'batches': 'half'}, "'half' is none of"),
    ({'top_k': 8}, '--top_k=8'),
    ({'num_epochs': 5, 'observe_epochs': [6]}, 'past the end'),
    ({'printed_losses': 'soon'}, "'soon' is not epoch:loss"),
    ({'printed_losses': ['1:2', '01:3']}, 'epoch 1 is listed twice'),
  ],
)
def test_what_does_not_fit_is_named(tmp_path, monkeypatch, given, message):
  (tmp_path / 'below').mkdir()
  monkeypatch.chdir(tmp_path / 'below')
  for folder in ('.', '..'):
    write(tmp_path / 'below' / folder, 'a -> !')
  pairs = given.get('pairs', 'six')
  if '\n' in pairs:
    given = {'pairs': write(tmp_path, pairs)}
  with pytest.raises(SettingError, match=message):
    STUDY.resolve(**given)
