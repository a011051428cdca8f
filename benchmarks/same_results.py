r"""Does a change leave all results as they are?

Runs every script small, in the checkout and in another commit (or with another
interpreter), and compares what is printed and every file that is written: CSV
and text line by line, stores and pictures byte for byte. For changes that move
code and for new versions of JAX. The exit status is 1 where something differs,
or where a script fails: two failures alike are no results.

  python -m benchmarks.same_results --commit=HEAD~1
  python -m benchmarks.same_results --python=.venv-py3.13/bin/python
  python -m benchmarks.same_results --commit=HEAD~1 --scripts=sqrt_failure
"""

from collections.abc import Iterator, Mapping, Sequence
import contextlib
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import NamedTuple

from absl import app, flags

from scripts.shared.list_flags import choice, define_list
from scripts.shared.path_flags import define_path

ROOT = pathlib.Path(__file__).parents[1]
_FILES = ROOT / 'tests' / 'data_files'
_TRACE = f'--trace={next(_FILES.glob("math_rollouts/*/*/*/problem_7"))}'
_SMALL_SWEEP = (
  *('optimization_failure', '--num_features=5,6', '--num_seeds=20'),
  *('--num_steps=300', '--observe_steps=100,300', '--chunk_size=16'),
  '--learning_rate=0.01,0.1',
)
_TRAINED = (
  *('optimization_failure', '--num_features=8', '--num_seeds=12'),
  *('--num_steps=10000', '--observe_steps=200,10000'),
  '--learning_rate=.01,1e3',
)
_CERTIFIED = (_TRAINED, ('certify_failure', '--chunk_size=8'))
# Script -> commands on one folder, each a script and its flags.
CASES: Mapping[str, tuple[tuple[str, ...], ...]] = {
  'optimization_failure': (_SMALL_SWEEP,),
  'certify_failure': _CERTIFIED,
  'descend_runaways': (
    *_CERTIFIED,
    (
      *('descend_runaways', '--max_evaluations=60', '--chunk_size=4'),
      *('--num_flows=2', '--flow_time=100', '--num_paths=2'),
    ),
  ),
  'latent_atlas': (
    _TRAINED,
    ('latent_atlas', '--num_members=2', '--max_panels=5'),
  ),
  'replay_seed': (
    _SMALL_SWEEP,
    (
      *('replay_seed', '--group=n5_m2', '--run=7', '--whole_chunk'),
      *('--num_observed=4', '--num_frames=2', '--num_stages=2'),
    ),
  ),
  'failure_sizes': (
    (
      *('optimization_failure', '--num_features=4,5', '--num_hidden=2,3'),
      *('--num_seeds=16', '--num_steps=200', '--observe_steps=200'),
    ),
    ('failure_sizes',),
  ),
  'failure_survival': (
    (
      *('failure_survival', '--num_features=4', '--num_steps=150'),
      *('--report_steps=60', '--num_seeds=12', '--optimizer=adamw'),
      *('--learning_rate=3e-2,1e30', '--adam_eps=1e-8', '--adam_b2=0.999'),
      *('--weight_decay=1e-2', '--init_scale=1', '--loss_reduction=mean'),
      *('--dtype=float32,float64', '--map=vmap'),
    ),
  ),
  'symmetric_failure': (
    (
      *('symmetric_failure', '--num_features=5', '--optimizer=adamw'),
      *('--norm_factor=1,1.1', '--num_seeds=16', '--num_steps=400'),
      *('--kick=1e-2', '--num_descents=4', '--descent_iterations=40'),
      *('--nudge=0.1', '--state_features=5', '--state_steps=100,300'),
      *('--state_decay=0.01', '--num_state_seeds=64'),
      '--num_random_states=64',
    ),
  ),
  'symmetric_escape': (
    ('symmetric_escape', '--num_seeds=64', '--num_steps=400'),
  ),
  'chaos_map': (
    (
      *('chaos_map', '--observe_steps=500,2000', '--solved_sse=0.856'),
      *('--size=16', '--lyapunov_size=8', '--zoom_size=16', '--num_chains=1'),
      *('--scan_size=8', '--scan_loss_reductions=sum', '--norm_factor=1.15'),
      *('--scan_separations=1', '--scan_norm_factors=1', '--zoom_levels=1'),
      *('--scan_deltas=0.2,0.1', '--chunk_size=256'),
    ),
  ),
  'text_failure': (
    (
      *('text_failure', '--num_seeds=24', '--num_epochs=60'),
      *('--observe_epochs=10,60', '--optimizer=adam', '--chunk_size=16'),
      *('--temperature=0.7,2', '--max_tokens=3,9', '--pairs=six,four'),
      '--printed_losses=0:1.9,60:0.5',
    ),
  ),
  'sqrt_failure': (
    (
      *('sqrt_failure', '--learning_rate=0.01,0.03', '--num_seeds=24'),
      *('--num_steps=120', '--observe_steps=40,120', '--num_points=9'),
      *('--num_counted=10', '--num_checked=20', '--newton_iterations=3'),
      *('--solved_rmse=0.2', '--chunk_size=16'),
    ),
  ),
  'walk_text': (
    (
      *('walk_text', '--pairs=four', '--num_epochs=20', '--seed_index=4'),
      *('--num_hidden_layers=1', '--num_samples=2000', '--digits=3'),
      *('--temperature=0.6,1.5', '--max_tokens=5', '--map=vmap'),
    ),
  ),
  'walk_sqrt': (
    (
      *('walk_sqrt', '--num_steps=300', '--seed=3', '--num_points=9'),
      *('--seed_index=5', '--x=0,1.5,4', '--digits=17', '--num_checked=50'),
    ),
  ),
  'changepoint_replay': (
    (
      *('changepoint_replay', f'--counts={_FILES / "counts.csv"}'),
      *('--policy=eig,omega', '--prior=published,jeffreys', '--focus=7'),
      *('--num_rollouts=30', '--chunk_size=8', '--num_repeats=3'),
    ),
  ),
  'changepoint_study': (
    (
      *('changepoint_study', '--policies=eig,omega_fair', '--batch_sizes=2'),
      *('--priors=published,jeffreys', '--num_positions=8', '--p1=prior,.8'),
      *('--p2=prior,.1', '--num_traces=12', '--num_null_traces=6'),
      '--num_rollouts=12',
    ),
  ),
  'locate_error': (
    (
      *('locate_error', _TRACE, '--concentration=20', '--max_segments=2'),
      '--num_draws=50',
    ),
  ),
  'sentence_dendrogram': (('sentence_dendrogram', _TRACE, '--position=2'),),
}

define_list(
  'scripts', list(CASES), choice(tuple(CASES)), 'Whose results to compare.'
)
flags.DEFINE_string(
  'commit', '', "To compare with; '' is the checkout, with another --python."
)
define_path('python', '', "Its interpreter; '' is the one that runs this.")


class Tree(NamedTuple):
  """Whose results: a checkout, and the interpreter that runs it."""

  root: pathlib.Path
  python: str


@contextlib.contextmanager
def checked_out(commit: str) -> Iterator[pathlib.Path]:
  """Yields a folder with the files of a commit, gone afterwards.

  Raises:
    ValueError: where there is no such commit.
  """
  with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name) / 'tree'
    git = ['git', '-C', str(ROOT), 'worktree']
    made = subprocess.run(
      [*git, 'add', '--quiet', '--detach', str(folder), commit],
      capture_output=True,
      encoding='utf-8',
    )
    if made.returncode:
      raise ValueError(made.stderr.strip().splitlines()[-1])
    try:
      yield folder
    finally:
      subprocess.run([*git, 'remove', '--force', str(folder)], check=True)


def results(
  tree: Tree, commands: Sequence[Sequence[str]], workdir: pathlib.Path
) -> dict[str, bytes]:
  """Runs commands on one folder, one after the other.

  Args:
    tree: whose.
    commands: each a script and its flags.
    workdir: a folder that is not there yet.

  Returns:
    What they print and what they write, by name. Manifests and locks, which
    tell when and where, are left out.

  Raises:
    ValueError: where one fails, with its last words.
  """
  found = {}
  for script, *arguments in commands:
    done = subprocess.run(
      [
        *(tree.python, '-m', f'scripts.{script}'),
        *(f'--workdir={workdir}', *arguments),
      ],
      cwd=tree.root,
      env=os.environ | {'PATH': '/nowhere'},  # No ffmpeg.
      stdin=subprocess.DEVNULL,
      capture_output=True,
    )
    if done.returncode:
      words = done.stderr.decode(errors='replace').strip()[-500:]
      raise ValueError(f'{script} fails in {tree.root}: {words}')
    printed = done.stdout.replace(str(workdir).encode(), b'WORKDIR')
    found[f'{script}: printed'] = printed
  for path in sorted(workdir.rglob('*')):
    if path.is_file() and path.name not in ('manifest.json', '.lock'):
      content = path.read_bytes().replace(str(workdir).encode(), b'WORKDIR')
      found[str(path.relative_to(workdir))] = content
  return found


def difference(name: str, before: bytes, after: bytes) -> str:
  """Says where two contents differ first; '' where they do not."""
  if before == after:
    return ''
  if b'\0' in before + after:
    return f'{name}: {len(before):,} and {len(after):,} bytes that differ'
  lines = [
    text.decode(errors='replace').splitlines() for text in (before, after)
  ]
  for number, (was, now) in enumerate(itertools.zip_longest(*lines), 1):
    if was != now:
      return f'{name}:{number}\n  - {was}\n  + {now}'
  return f'{name}: other ends of lines'


def differences(
  before: Mapping[str, bytes], after: Mapping[str, bytes]
) -> list[str]:
  """Returns a text for each result that only one has, or that differs."""
  texts = [
    *(f'{name}: only before' for name in before if name not in after),
    *(f'{name}: only after' for name in after if name not in before),
    *(
      difference(name, before[name], after[name])
      for name in before
      if name in after
    ),
  ]
  return [text for text in texts if text]


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  if not FLAGS.commit and not FLAGS.python:
    sys.exit('same_results: --commit or --python says what to compare with')
  python = os.path.abspath(FLAGS.python) if FLAGS.python else sys.executable
  num_different = 0
  try:
    with contextlib.ExitStack() as stack:
      other = (
        stack.enter_context(checked_out(FLAGS.commit)) if FLAGS.commit else ROOT
      )
      here = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
      for script in FLAGS.scripts:
        # One name for both, since some pictures show it.
        before, after = (
          results(tree, CASES[script], here / side / script)
          for side, tree in (
            ('before', Tree(other, python)),
            ('after', Tree(ROOT, sys.executable)),
          )
        )
        texts = differences(before, after)
        num_different += bool(texts)
        verdict = f'{len(texts)} differ' if texts else 'the same'
        print(f'{script}: {len(after)} results, {verdict}', flush=True)
        for text in texts:
          print(f'  {text}', flush=True)
  except ValueError as error:
    sys.exit(f'same_results: {error}')
  sys.exit(1 if num_different else 0)


if __name__ == '__main__':
  app.run(main)
