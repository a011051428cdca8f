"""Dimensionality of features on tiny sizes: counts, lines, misses, figures."""

import jax.numpy as jnp
import numpy as np
import pytest

from toyjax import studies
from toyjax.analysis.autoencoder import dimensionality
from toyjax.studies import feature_dimensionality

STUDY = feature_dimensionality.STUDY


@pytest.fixture(scope='module')
def found():
  values = STUDY.resolve(
    num_features=[6],
    num_hidden=[2, 3],
    density=[0.05, 1.0],
    num_steps=300,
    observe_steps=[150, 300],
    batch_size=64,
    num_evaluations=8,
    distance=0.05,
  )
  return studies.run(STUDY, values, num_seeds=16), values


@pytest.fixture(scope='module')
def report(found):
  return STUDY.report(*found)


def test_rare_features_have_less_than_a_dimension(found):
  for runs in found[0]:
    ratio = np.median(runs.last('dimensions_per_feature'))
    if runs.configuration['density'] == 1.0:
      assert 0.9 < ratio < 1.2
    else:
      assert ratio < 0.8


def test_shares_add_up_to_no_more_than_the_dimensions(found):
  for runs in found[0]:
    for name in ('dimensionality', 'scattered'):
      total = runs.data[name].sum(axis=-1)
      assert total.max() <= runs.values['num_hidden'] + 1e-4
    # |W|² gives D*.
    squares = np.sum(runs.data['length'] ** 2, axis=-1)
    np.testing.assert_allclose(
      runs.values['num_hidden'] / squares,
      runs.data['dimensions_per_feature'],
      rtol=1e-4,
    )


def test_cells_and_lines_count_what_is_stored(found, report):
  runs, _ = found
  for row, each in zip(report.table('cells').rows, runs):
    losses = each.last('loss')
    assert row['loss_least'] == losses.min()
    density = each.configuration['density']
    # The mean over 6 features of one's variance.
    cost = density / 3.0 - density**2 / 4.0
    excess = 6.0 * (losses - losses.min())
    assert row['missed'].count == np.sum(excess > 0.1 * cost)
  rows = report.table('lines').rows
  assert len(rows) == 6 * len(runs)
  away = np.abs(runs[0].last('dimensionality') - 2.0 / 3.0)
  near = rows[1]
  assert near['geometry'] == 'triangle'
  assert near['near'].count == np.sum(away <= 0.05)
  assert near['beside'].count == np.sum((away > 0.05) & (away <= 0.1))
  pooled = report.table('pooled').rows
  assert pooled[1]['near'].count == near['near'].count + rows[7]['near'].count


def test_sheets_have_panels_of_sizes_and_of_densities(report):
  assert len(report.sheet('dimensionality').figure().axes) == 2
  assert len(report.sheet('misses').figure().axes) == 2


@pytest.mark.parametrize(
  ('ratio', 'name'),
  [
    *((np.inf, 'DIVERGED'), (np.nan, 'DIVERGED'), (1.1, 'UNUSED')),
    *((1.04, 'DEDICATED'), (0.7, 'BETWEEN'), (0.51, 'DIGONS')),
    *((0.48, 'DIGONS'), (0.2, 'DENSER')),
  ],
)
def test_packings_have_their_names(ratio, name):
  found = dimensionality.classify(jnp.float32(ratio))
  assert dimensionality.Packing(int(found)).name == name
