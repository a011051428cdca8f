"""The chaos map end to end with tiny settings: files, numbers, bad input."""

import csv
import json

import numpy as np
import pytest
import xarray

from benchmarks.same_results_cases import CASES
from tests.studies import sessions
from toyjax.analysis.chaos import box_counting
from toyjax.analysis.chaos.endings import Ending
from toyjax.parsers import SettingError
from toyjax.runs import Runs
from toyjax.studies.chaos_map import STUDY, points, windows, zooms
from toyjax.studies.chaos_map.report import edges_of_row, report

# After 2,000 steps the faster runs have left 6/7 = .857, and count as solved.
((_, *SMALL),) = CASES['chaos_map']
COMMANDS = {
  'nothing': ('--from_store',),
  'alone': (*SMALL, '--zoom_levels=0'),
  'zoomed': (*SMALL, '--zoom_levels=1'),
  'fewer': (*SMALL, '--zoom_levels=0'),
  'others': ('--from_store', '--size=17'),
}
VALUES = STUDY.resolve(num_chains=3)


def _rows(path):
  with path.open() as file:
    return list(csv.DictReader(file))


@pytest.fixture(scope='module')
def session(tmp_path_factory):
  """The map without zooms, then extended by them."""
  folder = tmp_path_factory.mktemp('runs')
  workdir = folder / 'map'
  commands = [
    ['chaos_map', f'--workdir={workdir}', *flags] for flags in COMMANDS.values()
  ]
  ended = sessions.run(commands, workdir, folder / 'ended.json')
  return workdir, dict(zip(COMMANDS, ended, strict=True))


@pytest.fixture(scope='module')
def workdir(session):
  return session[0]


def test_its_manifest_holds_what_was_asked(session):
  workdir, ended = session
  assert ended['zoomed'].status == 0, ended['zoomed']
  said = 'after 2,000 steps the sum of |W_i| spans'
  assert said in ended['zoomed'].printed
  manifest = json.loads((workdir / 'manifest.json').read_text())
  assert manifest['science']['observe_steps'] == [500, 2000]
  assert manifest['extent'] == {'zoom_levels': 1}


def test_a_forecast_counts_all_runs_and_makes_few():
  values = STUDY.resolve(
    size=1000, scan_norm_factors=1, scan_separations=[1, 3]
  )
  found = list(points.forecast(values))
  assert [(stage.name, number) for stage, number in found] == [
    ('map', 1000**2),
    ('lyapunov', 64**2),
    *(
      (f'scan_{reduction}_{separation}_1', 48 * 8)
      for reduction in ('mean', 'mean_samples', 'sum')
      for separation in (1, 3)
    ),
    ('zooms_float32', 2 * 9 * 32**2),
    ('zooms_float64', 3 * 9 * 32**2),
  ]
  assert max(stage.num_configurations for stage, _ in found) == 64**2


def test_the_summary_counts_every_pixel_once(workdir):
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


def test_edges_are_where_the_map_has_them(workdir):
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


def test_stages_keep_their_precision_and_share_their_numbers(workdir):
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


def test_groups_hold_points_and_no_seeds(workdir):
  group = xarray.open_zarr(workdir / 'results.zarr', group='zoom1_float32')
  assert {'learning_rate', 'delta', 'nudge', 'step'} <= set(group.variables)
  assert 'seed_index' not in group.variables
  assert group.attrs == {
    'num_features': 7,
    'separation': 1,
    'norm_factor': 1.15,
    'loss_reduction': 'mean',
    'keep_mirror': False,
    'solved_sse': 0.856,
  }


def test_the_tables_count_flips_and_variants(workdir):
  rows = _rows(workdir / 'zooms.csv')
  assert {(row['level'], row['edge']) for row in rows} >= {
    ('0', 'both'),
    ('1', 'slow'),
  }
  assert all(0 <= int(row['flips_nudged']) <= 256 for row in rows)
  scan = _rows(workdir / 'scan.csv')
  assert [row['loss_reduction'] for row in scan] == ['sum'] * 2
  assert all(
    sum(int(row[code.name.lower()]) for code in Ending) == 16 for row in scan
  )
  edges = [r['edge'] for r in _rows(workdir / 'dimensions.csv')]
  assert set(edges) == {'smooth null', 'slow', 'fast'}


def test_levels_extend_a_map_and_fewer_are_refused(session):
  _, ended = session
  first, second = ended['alone'].files, ended['zoomed'].files
  # Nothing is run twice, and what was written stays.
  kept = [name for name in first if not name.endswith('zarr/zarr.json')]
  assert [name for name in kept if second[name] != first[name]] == []
  assert {'summary.csv', 'edges.csv', 'lyapunov.csv', 'scan.csv'} <= set(kept)
  assert 'zoom1_float64: 100%' in ended['zoomed'].remarks
  assert 'already holds --zoom_levels=1, more than 0' in ended['fewer'].status


def test_a_store_is_reported_as_it_is_or_not_at_all(session):
  _, ended = session
  assert 'holds no results to read' in ended['nothing'].status
  assert 'nothing may differ' in ended['others'].status


@pytest.mark.parametrize(
  ('given', 'message'),
  [
    ({'learning_rate_range': [3, 1]}, 'two increasing numbers'),
    ({'delta_range': [0, 0.1, 0.2]}, 'two increasing numbers'),
    ({'observe_steps': [1050]}, 'multiples of --window=100'),
    ({'separation': 4}, '1..3: 4'),
    ({'scan_loss_reductions': ['median']}, "'median' is unknown"),
  ],
)
def test_bad_settings_are_named(given, message):
  with pytest.raises(SettingError, match=f'--{next(iter(given))}.*') as found:
    STUDY.resolve(**given)
  assert message in str(found.value)


def test_a_smooth_edge_is_followed_through_all_levels():
  found = list(points.run_null(VALUES))
  assert [level for level, _ in found] == sorted([1, 2, 3, 4] * 3)
  sizes = zooms.box_sizes(VALUES['zoom_size'])
  assert sizes == [1, 2, 4]
  measured = [box_counting.box_dimension(mask, sizes) for _, mask in found]
  assert np.mean(measured) == pytest.approx(1.0, abs=0.03)


def test_windows_close_in_on_their_edge():
  whole = windows.whole(VALUES, 64)
  current, width = [(whole, windows.null_mask(whole, VALUES))], 2.5
  for _ in range(5):
    found = list(windows.following(current, VALUES, edges=('slow',)))
    assert [window.chain for window in found] == [0, 1, 2]
    width /= 8.0
    current = [(each, windows.null_mask(each, VALUES)) for each in found]
    for window, inside in current:
      rates = window.learning_rates
      assert rates[-1] - rates[0] == pytest.approx(width)
      assert 0.2 < inside.mean() < 0.8
  empty = np.zeros((64, 64), bool)
  for window in (whole, current[0][0]):
    assert not list(windows.following([(window, empty)], VALUES))


def test_edges_of_a_row():
  rates = np.asarray([1.0, 2.0, 3.0, 4.0])
  recovered = np.asarray([False, True, False, True])
  assert edges_of_row(rates, recovered) == (2.0, 4.0, 1)


def test_a_map_on_which_all_runs_diverge_is_drawn():
  values = STUDY.resolve(size=8, lyapunov_size=8, scan_size=2, zoom_levels=0)

  def compute(stage):
    lost = np.full((stage.num_configurations, 2), np.nan, np.float32)
    data = dict.fromkeys(stage.variables, lost)
    data['ending'] = np.full(lost.shape, Ending.DIVERGED)
    return Runs(stage.name, stage.static, stage.values, stage.name, data)

  whole, lyapunov, scan = report(compute, values)
  assert 'spans nan to nan' in whole.parts[1]
  assert all(np.isnan(row['slow_edge']) for row in whole.table('edges').rows)
  assert scan.table('scan').rows[0]['total_norm_min'] is None
  for sheet in (*whole.sheets, *lyapunov.sheets):
    assert len(sheet.figure().axes) > 3


def test_each_part_is_reported_before_the_next_one_is_run():
  values = STUDY.resolve(size=8, lyapunov_size=8, scan_size=0, zoom_levels=0)
  done = []

  def compute(stage):
    done.append(stage.name)
    lost = np.full((stage.num_configurations, 2), np.nan, np.float32)
    data = dict.fromkeys(stage.variables, lost)
    data['ending'] = np.full(lost.shape, Ending.DIVERGED)
    return Runs(stage.name, stage.static, stage.values, stage.name, data)

  seen = [
    (next(iter(part.tables)).name, *done) for part in report(compute, values)
  ]
  assert seen == [('summary', 'map'), ('lyapunov', 'map', 'lyapunov')]
