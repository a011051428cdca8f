"""The script that walks one tiny text net, end to end."""

import json

import pytest

from tests.scripts import processes


def _run(*arguments):
  return processes.run('walk_text', *arguments)


@pytest.fixture(scope='module')
def walked(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'walk'
  done = _run(
    *(f'--workdir={path}', '--pairs=four', '--num_epochs=20'),
    *('--num_hidden_layers=1', '--num_samples=2000', '--temperature=0.6,1.5'),
    *('--seed_index=4', '--max_tokens=5', '--digits=3'),
    *('--map=vmap', '--num_devices=1'),
  )
  assert done.returncode == 0, done.stderr
  return path, done


def test_it_prints_and_writes_all_of_it(walked):
  path, done = walked
  text = (path / 'walk.txt').read_text(encoding='utf-8')
  assert done.stdout.startswith(text.rstrip('\n'))
  lines = text.split('\n')
  assert lines[0] == (
    'four: 4 pairs over 5 words (hello world cat dog !); net 2-2-5, init '
    'torch, float32; sgd, learning rate 0.1, batches full, 20 epochs; seed 0, '
    'index 4'
  )
  epochs = [int(line.split()[0]) for line in lines[4:15]]
  assert epochs == [*range(0, 21, 2)]
  for title in ('outcome: ', 'exact ties (argmax takes the lower index): '):
    assert sum(line.startswith(title) for line in lines) == 1
  assert [line for line in lines if line.startswith('input ')] == [
    f"input       '{word}'" for word in ('hello', 'cat', 'dog', 'world')
  ]
  names = [line.split()[0] for line in lines if line]
  walk = [name for name in names if name in ('z1', 'a1', 'logits')]
  assert walk[-3:] == ['z1', 'a1', 'logits']
  assert 'at temperature' in text
  assert 'P(end within 5 tokens), exact' in text
  assert '  of 2,000 sampled' in text


def test_it_draws_the_map_and_the_lengths(walked):
  path, _ = walked
  assert {file.name for file in path.iterdir()} - {'.lock'} == {
    *('walk.txt', 'map.png', 'lengths.png', 'manifest.json')
  }
  for name in ('map.png', 'lengths.png'):
    assert (path / name).read_bytes().startswith(b'\x89PNG')
  science = json.loads((path / 'manifest.json').read_text())['science']
  assert science['seed_index'] == 4
  assert science['start'] == 'hello'


def test_another_net_needs_another_folder(walked):
  path, _ = walked
  done = _run(f'--workdir={path}')
  assert done.returncode == 1
  assert 'choose another --workdir' in done.stderr


def test_a_net_that_diverged_is_said_to_be_so(tmp_path):
  done = _run(
    *(f'--workdir={tmp_path / "w"}', '--pairs=four', '--num_epochs=5'),
    *('--num_hidden_layers=1', '--learning_rate=1e38', '--embed_dim=3'),
    *('--map=vmap', '--num_devices=1'),
  )
  assert done.returncode == 0, done.stderr
  assert 'outcome: diverged; 0 of 4 pairs are right' in done.stdout
  assert 'no map and no lengths: its numbers are not finite' in done.stdout


@pytest.mark.parametrize(
  ('content', 'arguments', 'message'),
  [
    ('vocabulary: a b !\na -> c', (), "line 2: unknown token 'c'"),
    ('\n', (), 'no pair in this file'),
    (None, (), 'words.txt: cannot be read: No such file'),
    ('a b\nb c', (), "--end: '!' is not in the vocabulary: a b c"),
    ('a b\nb !', ('--start=hello',), "--start: 'hello' is not in the"),
    ('a b\nb !', ('--walk_words=a,x',), "--walk_words: 'x' is not in the"),
    ('a b\nb !', ('--embed_dim=2,4',), '--embed_dim=2,4 holds 2 values'),
    ('a b\nb !', ('--pairs=six,four',), '--pairs=six,four holds 2 values'),
    ('a b\nb !', ('--top_k=4',), '--top_k=4: the vocabulary has 3 words'),
  ],
)
def test_what_cannot_be_used_ends_in_one_line(
  tmp_path, content, arguments, message
):
  path = tmp_path / 'words.txt'
  if content is not None:
    path.write_text(content)
  done = _run(f'--pairs={path}', f'--workdir={tmp_path / "w"}', *arguments)
  assert done.returncode == 1
  assert len(done.stderr.strip().split('\n')) == 1
  assert done.stderr.startswith('walk_text: --')
  assert message in done.stderr
  assert not (tmp_path / 'w').exists()


@pytest.mark.parametrize('temperature', ['0', '-1', '0.6,nan', ''])
def test_a_temperature_must_be_positive(tmp_path, temperature):
  done = _run(f'--temperature={temperature}', f'--workdir={tmp_path / "w"}')
  assert done.returncode == 1
  assert 'Traceback' not in done.stderr
  assert f'--temperature={temperature}' in done.stderr
