"""What the documents say of whole files, which no link to cells can say."""

import pathlib
import re

import pandas as pd
import pytest

ROOT = pathlib.Path(__file__).parents[1]
RESULTS = ROOT / 'results'


def test_symmetric_failure_is_a_saddle():
  table = pd.read_csv(RESULTS / 'symmetric_failure/default/verdicts.csv')
  assert len(table) == 20  # n = 3 to 12, on the kinks and beside them.
  assert set(table.verdict) == {'SADDLE'}
  # The lowest curvature found is the least there is.
  bound, found = table.lowest_curvature_bound, table.lowest_curvature_found
  assert ((bound <= found) & (found < 0.0)).all()
  # Files hold six digits.
  assert (found - bound <= 2e-5 * found.abs()).all()
  decayed = table[table.norm_factor == 1].set_index('num_features')
  for n, verdict in decayed.decayed_verdict.items():
    assert verdict == ('SADDLE' if n < 5 else 'LOCAL_MINIMUM')


def test_precision_decides_no_square_root_net():
  single, double = (
    (RESULTS / 'sqrt_failure' / name / 'summary.csv').read_text()
    for name in ('narrow32', 'narrow64')
  )
  assert len(single.splitlines()) > 1
  assert single == double


def test_the_walked_square_root_net_is_the_best_of_its_kind():
  table = pd.read_csv(RESULTS / 'sqrt_failure/widths/errors.csv')
  (least,) = table[table.hidden_dim == 2].rmse_min
  text = (RESULTS / 'walk_sqrt/best/formula.txt').read_text()
  assert 'seed 0, index 6963\n' in text
  assert f'at the end {least:.6g}'[:-1] in text


def test_the_walked_text_net_is_the_best_of_the_million():
  table = pd.read_csv(RESULTS / 'text_failure/million/best.csv')
  best = table.set_index('pairs').loc['six']
  text = (RESULTS / 'walk_text/best_six/walk.txt').read_text()
  assert f'index {best.seed_index}\n' in text
  assert re.search(rf'501 +{best.loss:.4f}\n', text)
  assert 'outcome: learned all' in text


@pytest.mark.parametrize(
  ('heading', 'name'),
  [
    ('JAX 0.10.1 on Python 3.11, seed', 'seed_steps'),
    ('JAX 0.12.0.1 on Python 3.13, seed', 'seed_steps_jax012'),
  ],
)
def test_speeds_of_a_table_are_those_of_its_file(heading, name):
  """150 links in such a table would leave nothing of it to read."""
  text = (ROOT / 'BUILD.md').read_text().partition(f'\n  {heading}')[2]
  lines = text[text.index('|') :].partition('\n\n')[0].splitlines()[2:]
  assert len(lines) == 9
  table = pd.read_csv(RESULTS / 'benchmarks' / f'{name}.csv')
  table = table[table.num_seeds.isin([256, 8192])]
  for line in lines:
    title, *shown = (cell.split() for cell in line.strip(' |').split('|'))
    cell = 'text' if title[0] == 'text' else f'{title[0][:-1]}:{title[1]}'
    rates = table[table.cell == cell].set_index('peer').seed_steps_per_second
    names = ('sweep', 'map_runs', 'jit_lanes', 'vmap', 'torch')
    held = [rates[p] for p in (*names, 'c_scalar', 'c_vector')]
    sweep, line, _, vmap, torch, _, vectors = held
    held += [sweep / vmap, sweep / torch, vectors / sweep, line / sweep]
    for (number, *_), value in zip(shown, held, strict=True):
      digits, _, power = number.partition('e')
      unit = 10.0 ** (int(power or 0) - len(digits.partition('.')[2]))
      assert abs(float(number) - value) <= 0.5000001 * unit, (cell, number)
