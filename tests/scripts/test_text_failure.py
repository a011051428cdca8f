"""The sweep of the tiny text net end to end, checked against its own store."""

import json
import shutil

import numpy as np
import pytest

from tests import references_text_mlp
from tests.scripts import text_job as job
from toyjax import statistics
from toyjax.analysis import token_chains
from toyjax.data import word_pairs
from toyjax.toys.text_mlp import Outcome

GROUPS = ('e2_h2_six', 'e2_h2_mine')
WORDS = {
  'six': word_pairs.get('six'),
  'mine': word_pairs.WordPairs(
    ('hello', '!', 'you'), np.asarray([[0, 2], [2, 1]])
  ),
}


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  folder = tmp_path_factory.mktemp('text')
  own = folder / 'mine.txt'
  own.write_text('vocabulary: hello ! you\nhello -> you\nyou -> !\n')
  workdir = folder / 'runs'
  done = job.run(workdir, f'--pairs=six,{own}', *job.SMALL)
  assert done.returncode == 0, done.stderr
  return workdir, done


def select(found, group, **wanted):
  chosen = {'pairs': group.split('_')[2], **wanted}
  return [row for row in found if all(row[n] == v for n, v in chosen.items())]


def test_it_writes_everything_it_promises(finished):
  workdir, done = finished
  pictures = {'outcomes.png', 'losses.png', 'generation.png'}
  names = {path.name for path in workdir.iterdir()} - {'.lock'}
  assert names == pictures | {
    'summary.csv',
    'generation.csv',
    'wrong.csv',
    'exchange.csv',
    'losses.csv',
    'temperatures.csv',
    'best.csv',
    'differences.csv',
    'manifest.json',
    'results.zarr',
  }
  for name in pictures:
    assert (workdir / name).read_bytes().startswith(b'\x89PNG')
  assert 'After 60 epochs' in done.stdout
  assert 'argmax takes the lower index' in done.stdout
  found = json.loads((workdir / 'manifest.json').read_text())
  assert found['science']['words']['mine']['vocabulary'] == [
    'hello',
    '!',
    'you',
  ]
  assert str(workdir.parent) not in json.dumps(found['science']['words'])


@pytest.mark.parametrize('group', GROUPS)
def test_labels_are_those_of_the_stored_weights_in_float64(finished, group):
  workdir, _ = finished
  data = job.data_of(workdir, group)
  words = WORDS[group.split('_')[2]]
  size = len(words.vocabulary)
  pairs = words.pairs.tolist()
  num_checked = 0
  for run_index in range(job.NUM_SEEDS):
    flat = data['weights'].values[run_index].astype(float)
    ends = np.cumsum([2 * size, 4, 2, 4, 2, 2 * size, size])
    parts = np.split(flat, ends[:-1])
    assert ends[-1] == len(flat)
    layers = [
      (kernel.reshape(2, -1).T.tolist(), bias.tolist())
      for kernel, bias in zip(parts[1::2], parts[2::2])
    ]
    embedding = parts[0].reshape(size, 2).tolist()
    loss = references_text_mlp.loss(embedding, layers, pairs)
    last = data.isel(run=run_index, epoch=-1)
    # A float32 loss is a difference of logits near 10: rounding is 1e-6.
    assert float(last['loss']) == pytest.approx(loss, rel=1e-4, abs=3e-6)
    logits = [
      references_text_mlp.forward(embedding, layers, token)[1]
      for token in range(size)
    ]
    for layer in (0, 1):
      off = [max(logits[i][layer]) <= 0 for i, _ in pairs]
      assert bool(last['dead_layers'][layer]) == all(off)
    for token in range(size):
      order = np.argsort(logits[token][-1])
      if logits[token][-1][order[-1]] - logits[token][-1][order[-2]] > 1e-4:
        assert int(last['predictions'][token]) == order[-1]
        assert not last['tied'][token]
        num_checked += 1
  assert num_checked > job.NUM_SEEDS


@pytest.mark.parametrize('group', GROUPS)
@pytest.mark.parametrize('k', [0, 1])
def test_the_summary_counts_every_run_once(finished, group, k):
  workdir, _ = finished
  data = job.data_of(workdir, group).isel(epoch=k)
  words = WORDS[group.split('_')[2]]
  own = select(job.rows(workdir, 'summary'), group, epoch=str((10, 60)[k]))
  counts = {(row['measure'], row['class']): int(row['count']) for row in own}
  assert len(counts) == len(own)
  assert {row['total'] for row in own} == {str(job.NUM_SEEDS)}
  for code in Outcome:
    expected = int(np.sum(data['outcome'].values == code))
    assert counts['outcome', code.name] == expected
  tied = data['tied'].values[:, words.pairs[:, 0]].any(axis=1)
  assert counts['tie', 'after an input'] == tied.sum()
  dead = data['dead_layers'].values
  assert counts['dead layer', '2'] == dead[:, 1].sum()
  assert counts['dead layer', 'any'] == dead.any(axis=1).sum()
  assert counts['learned', 'hello->' + words.vocabulary[words.pairs[0, 1]]] == (
    data['correct'].values[:, 0].sum()
  )
  some = own[0]
  interval = statistics.wilson(int(some['count']), job.NUM_SEEDS)
  assert float(some['upper']) == pytest.approx(interval.upper, abs=1e-5)


@pytest.mark.parametrize('group', GROUPS)
def test_generation_is_followed_by_hand(finished, group):
  workdir, _ = finished
  words = WORDS[group.split('_')[2]]
  predictions = job.data_of(workdir, group)['predictions'].values[:, -1]
  own = select(job.rows(workdir, 'generation'), group)
  for start in set(words.vocabulary) - {'!'}:
    ended, cycles = 0, {}
    for following in predictions:
      path = [words.vocabulary.index(start)]
      while path[-1] != words.vocabulary.index('!'):
        token = int(following[path[-1]])
        if token in path:
          cycle = frozenset(path[path.index(token) :])
          cycles[cycle] = cycles.get(cycle, 0) + 1
          break
        path.append(token)
      else:
        ended += 1
    found = {
      row['class']: int(row['count']) for row in own if row['start'] == start
    }
    assert found.pop('!') == ended
    assert found.pop('never !') == job.NUM_SEEDS - ended
    by_members = {}
    for name, count in found.items():
      names = name.split('->')
      assert names[0] == names[-1]
      members = frozenset(words.vocabulary.index(w) for w in names)
      by_members[members] = by_members.get(members, 0) + count
    assert by_members == cycles


def test_sets_of_wrong_pairs_cover_all_runs(finished):
  workdir, _ = finished
  own = select(job.rows(workdir, 'wrong'), GROUPS[0])
  data = job.data_of(workdir, GROUPS[0]).isel(epoch=-1)
  words = WORDS['six']
  expected = {}
  for right in data['correct'].values:
    name = ' '.join(
      f'{words.vocabulary[a]}->{words.vocabulary[b]}'
      for (a, b), is_right in zip(words.pairs, right)
      if not is_right
    )
    expected[name or 'none'] = expected.get(name or 'none', 0) + 1
  assert {row['wrong']: int(row['count']) for row in own} == expected
  assert len(own) == len(expected)
  counts = [int(row['count']) for row in own]
  assert counts == sorted(counts, reverse=True)
  tied = data['tied'].values[:, words.pairs[:, 0]].any(axis=1)
  assert sum(int(row['count_tied']) for row in own) == tied.sum()


def test_mirrored_pairs_are_compared_on_the_same_runs(finished):
  workdir, _ = finished
  own = select(job.rows(workdir, 'exchange'), GROUPS[0], runs='all')
  data = job.data_of(workdir, GROUPS[0]).isel(epoch=-1)
  right = data['correct'].values
  names = ['hello->world', 'cat->dog', 'dog->!', 'silly->dog', 'cute->cat']
  names.append('world->!')
  assert len(own) == 7
  for row in own:
    a, b = names.index(row['pair_a']), names.index(row['pair_b'])
    assert int(row['wrong_only_a']) == np.sum(~right[:, a] & right[:, b])
    assert int(row['wrong_only_b']) == np.sum(right[:, a] & ~right[:, b])
  untied = select(job.rows(workdir, 'exchange'), GROUPS[0], runs='untied')
  tied = data['tied'].values[:, WORDS['six'].pairs[:, 0]].any(axis=1)
  assert {row['total'] for row in untied} == {str(int(np.sum(~tied)))}


def test_losses_are_quantiles_and_counts(finished):
  workdir, _ = finished
  own = select(job.rows(workdir, 'losses'), GROUPS[0])
  assert [row['epoch'] for row in own] == ['0', '10', '60']
  data = job.data_of(workdir, GROUPS[0])
  for row, losses in zip(
    own, [data['initial_loss'].values, *data['loss'].values.T]
  ):
    assert float(row['lowest']) == pytest.approx(losses.min(), rel=1e-5)
    assert float(row['q50']) == pytest.approx(np.sort(losses)[11], rel=1e-5)
  assert own[1]['printed'] == own[1]['count_at_most_printed'] == ''
  assert int(own[0]['count_at_most_printed']) == np.sum(
    data['initial_loss'].values <= 1.9
  )
  best = select(job.rows(workdir, 'best'), GROUPS[0])[0]
  last = data['loss'].values[:, -1]
  assert int(best['seed_index']) == last.argmin()


def test_chances_are_means_over_the_nets(finished):
  workdir, _ = finished
  data = job.data_of(workdir, 'e2_h2_mine')
  own = select(job.rows(workdir, 'temperatures'), 'e2_h2_mine')
  assert len(own) == 4
  flat = data['weights'].values.astype(float)
  for row in own:
    chances = []
    for weights in flat:
      parts = np.split(weights, np.cumsum([6, 4, 2, 4, 2, 6]))
      a = parts[0].reshape(3, 2)
      for k, (kernel, bias) in enumerate(zip(parts[1::2], parts[2::2])):
        a = (np.maximum(a, 0) if k else a) @ kernel.reshape(2, -1) + bias
      chain = token_chains.transition_matrix(
        a, temperature=float(row['temperature']), top_k=None
      )
      sizes = token_chains.length_distribution(
        chain, end=1, max_tokens=int(row['max_tokens'])
      )
      chances.append(sizes.sum(axis=0)[0])
    assert float(row['mean_prob_end']) == pytest.approx(
      np.mean(chances), abs=1e-5
    )
    assert int(row['greedy_ends_total']) + int(
      row['greedy_never_ends_total']
    ) == int(row['total'])


def test_it_extends_and_resumes_a_folder(finished, tmp_path):
  workdir, _ = finished
  six = tmp_path / 'six'
  own = [flag for flag in job.SMALL if not flag.startswith('--num_seeds')]
  for num_seeds in (job.NUM_SEEDS, 40):
    done = job.run(six, f'--num_seeds={num_seeds}', *own)
    assert done.returncode == 0, done.stderr
  for name in ('loss', 'predictions', 'weights'):
    found = job.data_of(six, 'e2_h2')[name].values
    assert len(found) == 40
    np.testing.assert_array_equal(
      found[: job.NUM_SEEDS], job.data_of(workdir, GROUPS[0])[name].values
    )
  assert {row['total'] for row in job.rows(six, 'best')} == {'40'}


def test_it_reports_again(finished, tmp_path):
  workdir, _ = finished
  copy = tmp_path / 'copy'
  shutil.copytree(workdir, copy)
  # 'dog' is no word of the other list.
  again = job.run(copy, '--from_store', '--temperature=5', '--start=dog')
  assert again.returncode == 1
  assert 'dog' in again.stderr
  again = job.run(copy, '--from_store', '--temperature=5')
  assert again.returncode == 0, again.stderr
  assert {row['temperature'] for row in job.rows(copy, 'temperatures')} == {'5'}
  refused = job.run(copy, '--from_store', '--learning_rate=0.2')
  assert refused.returncode == 1
  assert 'learning_rate' in refused.stderr
  own = found_flags(workdir)
  refused = job.run(copy, *own, '--temperature=3')
  assert refused.returncode == 1
  assert 'add --from_store to report its runs otherwise' in refused.stderr


def found_flags(workdir):
  """The flags of the finished run."""
  return (f'--pairs=six,{workdir.parent / "mine.txt"}', *job.SMALL)
