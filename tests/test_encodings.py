"""Files are UTF-8 in every locale, and any text can be printed and written."""

import ast
import csv
import os
import pathlib
import subprocess
import sys

import pytest

from toyjax import tables

ROOT = pathlib.Path(__file__).parent.parent
SOURCES = sorted(
  path.relative_to(ROOT).as_posix()
  for folder in ('toyjax', 'scripts', 'benchmarks')
  for path in (ROOT / folder).rglob('*.py')
)
# Where `encoding` stands among the positional arguments.
PLACES = {'open': 3, 'read_text': 0, 'write_text': 1}


def _unnamed(source: str) -> list[int]:
  """Returns the lines of calls that take the encoding of the locale."""
  lines = []
  for node in ast.walk(ast.parse(source)):
    if not isinstance(node, ast.Call):
      continue
    is_method = isinstance(node.func, ast.Attribute)
    name = getattr(node.func, 'attr' if is_method else 'id', '')
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if 'encoding' in given:
      continue
    if name in PLACES:
      is_path = is_method and name == 'open'  # path.open lacks the name.
      if is_path and node.args and not isinstance(node.args[0], ast.Constant):
        continue  # No path has a mode that is not written out.
      modes = [
        argument.value
        for argument in (*node.args, given.get('mode'))
        if isinstance(argument, ast.Constant)
      ]
      is_binary = name == 'open' and any(
        isinstance(mode, str) and 'b' in mode and len(mode) < 4
        for mode in modes
      )
      is_named = len(node.args) > PLACES[name] - is_path
      if not (is_binary or is_named):
        lines.append(node.lineno)
    elif any(
      getattr(given.get(word), 'value', None) is True
      for word in ('text', 'universal_newlines')
    ):
      lines.append(node.lineno)
  return lines


@pytest.mark.parametrize('path', SOURCES)
def test_every_file_is_opened_with_an_encoding(path):
  assert not _unnamed((ROOT / path).read_text(encoding='utf-8')), path


@pytest.mark.parametrize(
  ('source', 'is_named'),
  [
    ("open('a')", False),
    ("open('a', 'w', newline='')", False),
    ("open('a', 'rb')", True),
    ("path.open('w')", False),
    ("path.open(mode='wb')", True),
    ('study.open(path, values)', True),
    ("path.open(encoding='utf-8')", True),
    ('path.read_text()', False),
    ("path.read_text('utf-8')", True),
    ('path.write_text(text)', False),
    ("path.write_text(text, 'utf-8')", True),
    ('subprocess.run(words, text=True)', False),
    ("settings.steps(text='Steps of a run.')", True),
    ("subprocess.run(words, encoding='utf-8')", True),
  ],
)
def test_calls_without_an_encoding_are_seen(source, is_named):
  assert bool(_unnamed(source)) != is_named


def test_tables_hold_any_text(tmp_path):
  path = tmp_path / 'any.csv'
  texts = ['\ud800 half', 'a\rb', 'a\nb', '"q", r', '\x1b[31m', '你好', '']
  tables.write_csv(path, [{'text': text, 'n': 1} for text in texts])
  with path.open(encoding='utf-8', newline='') as file:
    rows = list(csv.DictReader(file))
  assert [row['text'] for row in rows] == ['\\ud800 half', *texts[1:]]
  assert [row['n'] for row in rows] == ['1'] * len(texts)


def test_tables_for_a_terminal_show_what_it_would_obey():
  text = tables.align(('a', 'b'), [('\x1b[2J\u202e', 'x\ry')])
  assert text.split('\n')[2] == '\\x1b[2J\\u202e  x\\ry'


def test_a_terminal_without_the_letters_ends_no_script(tmp_path):
  code = (
    'from toyjax.command import launch\n'
    "launch.run(lambda argv: print('5 × 7 → \\ud800'))\n"
  )
  done = subprocess.run(
    [sys.executable, '-c', code],
    cwd=ROOT,
    env={**os.environ, 'PYTHONIOENCODING': 'ascii', 'PYTHONUTF8': '0'},
    capture_output=True,
    check=False,
  )
  assert done.returncode == 0, done.stderr
  assert done.stdout.decode('ascii').strip() == '5 \\xd7 7 \\u2192 \\ud800'
