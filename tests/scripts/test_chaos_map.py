"""The chaos map end to end with tiny flags: files, numbers, bad input."""

import csv
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import xarray

from scripts.shared import chaos_report, chaos_study, chaos_zoom
from tests.scripts import processes
from toyjax.analysis import box_counting
from toyjax.analysis.chaos_endings import Ending

ROOT = pathlib.Path(__file__).parents[2]
# After 2,000 steps the faster runs have left 6/7 = .857, and count as solved.
SMALL = (
  '--observe_steps=500,2000',
  '--solved_sse=0.856',
  '--size=16',
  '--lyapunov_size=8',
  '--zoom_size=16',
  '--num_chains=1',
  '--scan_size=8',
  '--scan_loss_reductions=sum',
  '--scan_separations=1',
  '--scan_norm_factors=1',
  '--scan_deltas=0.2,0.1',
  '--norm_factor=1.15',
  '--chunk_size=256',
)
SETTINGS = {
  'learning_rate_range': [0.5, 3.0],
  'delta_range': [0.0, 0.2],
  'zoom_size': 32,
  'zoom_factor': 8.0,
  'zoom_levels': 4,
  'num_chains': 3,
}


def _run(workdir, *flags):
  return processes.run('chaos_map', f'--workdir={workdir}', *flags)


def _rows(path):
  with path.open() as file:
    return list(csv.DictReader(file))


def _times(workdir):
  """When each chunk of the map was written."""
  chunks = (workdir / 'results.zarr' / 'map' / 'ending').rglob('c/*/*')
  return {path: path.stat().st_mtime_ns for path in chunks}


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  """The map without zooms, then extended by them."""
  workdir = tmp_path_factory.mktemp('runs') / 'map'
  alone = _run(workdir, *SMALL, '--zoom_levels=0')
  assert alone.returncode == 0, alone.stderr
  names = ('summary', 'edges', 'lyapunov', 'scan')
  first = {name: (workdir / f'{name}.csv').read_bytes() for name in names}
  stored = _times(workdir)
  done = _run(workdir, *SMALL, '--zoom_levels=1')
  assert done.returncode == 0, done.stderr
  assert stored
  assert _times(workdir) == stored  # Nothing is run twice.
  return workdir, done, first


def test_it_writes_everything_it_promises(finished):
  workdir, done, _ = finished
  names = {path.name for path in workdir.iterdir()} - {'.lock'}
  assert names == {
    *(f'{name}.png' for name in ('map', 'zooms', 'dimensions', 'lyapunov')),
    *(f'{name}.csv' for name in ('summary', 'edges', 'zooms', 'dimensions')),
    *('lyapunov.csv', 'scan.csv', 'manifest.json', 'results.zarr'),
  }
  for path in workdir.glob('*.png'):
    assert path.read_bytes().startswith(b'\x89PNG')
    assert 10_000 < path.stat().st_size < 500_000
  assert 'after 2,000 steps the sum of |W_i| spans' in done.stdout
  manifest = json.loads((workdir / 'manifest.json').read_text())
  assert manifest['science']['observe_steps'] == [500, 2000]
  assert manifest['extent'] == {'zoom_levels': 1}


def test_the_summary_counts_every_pixel_once(finished):
  workdir, _, _ = finished
  data = xarray.open_zarr(workdir / 'results.zarr', group='map')
  rows = _rows(workdir / 'summary.csv')
  assert len(rows) == 2 * len(Ending)
  for row in rows:
    endings = data['ending'].sel(step=int(row['step'])).values
    assert int(row['count']) == np.sum(endings == Ending[row['outcome']])
    assert row['total'] == '256'
  last = data['ending'].values[:, -1]
  assert np.any(last == Ending.RECOVERED)
  assert np.any(last == Ending.ON_ITS_WAY)


def test_edges_are_where_the_map_has_them(finished):
  workdir, _, _ = finished
  data = xarray.open_zarr(workdir / 'results.zarr', group='map')
  recovered = data['ending'].values[:, -1].reshape(16, 16) == Ending.RECOVERED
  rates = np.linspace(0.5, 3.0, 16)
  rows = [r for r in _rows(workdir / 'edges.csv') if r['step'] == '2000']
  for row, found in zip(rows, recovered, strict=True):
    if found.any():
      assert float(row['slow_edge']) == pytest.approx(
        rates[found].min(), rel=1e-5
      )
    else:
      assert row['slow_edge'] == 'nan'


def test_stages_keep_their_precision_and_share_their_numbers(finished):
  workdir, _, _ = finished
  path = workdir / 'results.zarr'
  exact = xarray.open_zarr(path, group='zoom0_float64')
  rough = xarray.open_zarr(path, group='zoom0_float32')
  whole = xarray.open_zarr(path, group='map')
  assert exact['total_norm'].dtype == np.float64
  assert rough['total_norm'].dtype == np.float32
  # The map and the first window are the same pixels, run twice.
  np.testing.assert_array_equal(
    whole['total_norm'], rough['total_norm'][: 16 * 16]
  )
  followed = xarray.open_zarr(path, group='lyapunov')
  assert np.all(followed['log_peak'].values >= 0.0)
  assert np.isfinite(followed['log_growth'].values).all()


def test_the_tables_count_flips_and_variants(finished):
  workdir, _, _ = finished
  zooms = _rows(workdir / 'zooms.csv')
  assert {(row['level'], row['edge']) for row in zooms} >= {
    ('0', 'both'),
    ('1', 'slow'),
  }
  assert all(0 <= int(row['flips_nudged']) <= 256 for row in zooms)
  scan = _rows(workdir / 'scan.csv')
  assert [row['loss_reduction'] for row in scan] == ['sum'] * 2
  assert all(
    sum(int(row[code.name.lower()]) for code in Ending) == 16 for row in scan
  )
  edges = [r['edge'] for r in _rows(workdir / 'dimensions.csv')]
  assert set(edges) == {'smooth null', 'slow', 'fast'}


def test_levels_extend_a_map_and_fewer_are_refused(finished):
  workdir, done, first = finished
  for name, before in first.items():
    assert (workdir / f'{name}.csv').read_bytes() == before
  assert 'zoom1_float64: 100%' in done.stderr
  fewer = _run(workdir, *SMALL, '--zoom_levels=0')
  assert fewer.returncode != 0
  assert '--zoom_levels=1' in fewer.stderr
  assert 'Traceback' not in fewer.stderr


def test_bad_flags_are_named():
  # One process for all: the flags of scripts cannot share this one.
  code = (
    'import sys\n'
    'from absl import flags\n'
    'from scripts import chaos_map\n'
    'for given in sys.argv[1:]:\n'
    '  flags.FLAGS.unparse_flags()\n'
    '  try:\n'
    "    flags.FLAGS(['chaos_map', given])\n"
    '    chaos_map.read_settings()\n'
    '  except flags.Error as error:\n'
    '    print(str(error).splitlines()[0])\n'
    '  for name in flags.FLAGS:\n'
    '    flags.FLAGS[name].unparse()\n'
  )
  cases = {
    '--learning_rate_range=3,1': 'two increasing numbers',
    '--delta_range=0,0.1,0.2': 'two increasing numbers',
    '--observe_steps=1050': 'multiples of --window=100',
    '--separation=4': '1..3: 4',
    '--scan_loss_reductions=median': "'median' is unknown",
  }
  done = subprocess.run(
    [sys.executable, '-c', code, *cases],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
  )
  for line, message in zip(
    done.stdout.splitlines(), cases.values(), strict=True
  ):
    assert message in line


def test_a_smooth_edge_is_followed_through_all_levels():
  found = chaos_study.run_null(SETTINGS)
  assert [level for level, _ in found] == sorted([1, 2, 3, 4] * 3)
  sizes = chaos_report.box_sizes(SETTINGS['zoom_size'])
  assert sizes == [1, 2, 4]
  measured = [box_counting.box_dimension(mask, sizes) for _, mask in found]
  assert np.mean(measured) == pytest.approx(1.0, abs=0.03)


def test_windows_close_in_on_their_edge():
  window = chaos_zoom.whole(SETTINGS, 64)
  mask = chaos_zoom.null_mask(window, SETTINGS)
  for start in chaos_zoom.start(window, mask, SETTINGS, edges=('slow',)):
    current, width = start, 2.5
    for _ in range(4):
      width /= 8.0
      rates = current.learning_rates
      assert rates[-1] - rates[0] == pytest.approx(width)
      inside = chaos_zoom.null_mask(current, SETTINGS)
      assert 0.2 < inside.mean() < 0.8
      current = chaos_zoom.closer(current, inside, SETTINGS)
  empty = np.zeros((64, 64), bool)
  assert chaos_zoom.closer(window, empty, SETTINGS) is None
  assert chaos_zoom.start(window, empty, SETTINGS) == []


def test_edges_of_a_row():
  rates = np.asarray([1.0, 2.0, 3.0, 4.0])
  recovered = np.asarray([False, True, False, True])
  assert chaos_report.edges_of_row(rates, recovered) == (2.0, 4.0, 1)
