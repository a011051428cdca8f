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
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import NamedTuple

from absl import app, flags

from benchmarks.same_results_cases import CASES
from toyjax import parsers
from toyjax.command.flags import define
from toyjax.parsers import Choice
from toyjax.settings import fixed

ROOT = pathlib.Path(__file__).parents[1]

SETTINGS = (
  fixed(
    'scripts', list(CASES), Choice(tuple(CASES)), 'Whose results to compare.'
  ),
  fixed(
    'python', '', parsers.path, "Its interpreter; '' is the one that runs this."
  ),
)

define(SETTINGS)
flags.DEFINE_string(
  'commit', '', "To compare with; '' is the checkout, with another --python."
)


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
      if path.suffix == '.json':  # The order of settings is none of theirs.
        content = json.dumps(json.loads(content), sort_keys=True).encode()
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
