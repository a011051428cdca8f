"""The text net's sweep at its limits: own lists and bad input."""

import pytest

from tests.scripts import text_job as job


def test_a_list_of_ones_own_has_no_published_run_beside_it(tmp_path):
  (tmp_path / 'own.txt').write_text('hello -> !\n')
  flags = (f'--pairs={tmp_path / "own.txt"}', '--num_seeds=4', '--num_epochs=2')
  for again in ((), ('--from_store',)):
    done = job.run(tmp_path / 'runs', *flags, '--observe_epochs=1,2', *again)
    assert done.returncode == 0, done.stderr
    assert 'nearest to the printed' not in done.stdout
    assert {
      row['printed'] for row in job.rows(tmp_path / 'runs', 'losses')
    } == {''}


def test_lists_that_no_net_can_learn_are_named(tmp_path):
  path = tmp_path / 'double.txt'
  path.write_text('a -> b\na -> !\nb -> !\n')
  done = job.run(
    tmp_path / 'runs', f'--pairs={path}', '--num_seeds=4', '--num_epochs=2'
  )
  assert done.returncode == 0, done.stderr
  assert 'no net can learn all 3 pairs' in done.stdout


@pytest.mark.parametrize(
  ('flags', 'message'),
  [
    (['--temperature=0'], '0 must be > 0'),
    (['--start=hallo'], "'hallo' is not in the vocabulary"),
    (['--end=?'], "'?' is not in the vocabulary"),
    (['--pairs=six,seven.txt'], 'seven.txt'),
    (['--pairs=EMPTY'], 'no pair in this file'),
    (['--pairs=UNKNOWN'], "unknown token 'dgo'"),
    (['--batches=half'], "'half' is none of"),
    (['--top_k=8'], '--top_k=8'),
    (['--num_epochs=5', '--observe_epochs=6'], 'past the end'),
    (['--printed_losses=soon'], "'soon' is not epoch:loss"),
  ],
)
def test_bad_flags_end_in_a_line_that_names_them(tmp_path, flags, message):
  (tmp_path / 'empty.txt').write_text('\n')
  (tmp_path / 'unknown.txt').write_text('vocabulary: cat dog\ncat -> dgo\n')
  flags = [
    flag.replace('EMPTY', str(tmp_path / 'empty.txt')).replace(
      'UNKNOWN', str(tmp_path / 'unknown.txt')
    )
    for flag in flags
  ]
  done = job.run(tmp_path / 'never', *flags)
  assert done.returncode != 0
  assert message in done.stderr + done.stdout
  assert 'Traceback' not in done.stderr
  assert not (tmp_path / 'never').exists()
