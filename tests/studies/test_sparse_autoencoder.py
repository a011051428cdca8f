"""The study of sparse autoencoders: counts, matches, pairs, closed forms."""

import jax.numpy as jnp
import numpy as np
import pytest

from toyjax import studies
from toyjax.analysis.features import dead_latents
from toyjax.data import feature_bank
from toyjax.parsers import SettingError
from toyjax.studies import sparse_autoencoder
from toyjax.toys.sparse_autoencoder import THRESHOLDS, Latent

STUDY = sparse_autoencoder.STUDY
NUM_SEEDS, NUM_FEATURES, NUM_LATENTS = 5, 6, 7


@pytest.fixture(scope='module')
def found():
  values = STUDY.resolve(
    num_features=NUM_FEATURES,
    num_inputs=3,
    num_latents=NUM_LATENTS,
    encoder='untied',
    centering=0.0,
    mean_norm=[0.0, 6.0],
    top_k=2,
    batch_size=16,
    num_fresh=400,
    num_steps=60,
    observe_steps=[20, 60],
  )
  return studies.run(STUDY, values, num_seeds=NUM_SEEDS), values


@pytest.fixture(scope='module')
def tables(found):
  shown = STUDY.report(*found)
  return {table.name: table.records() for table in shown.tables}


def test_latents_of_all_kinds_add_up(found, tables):
  runs, values = found
  assert len(tables['latents']) == 4 * 2 * len(Latent)
  for each in runs:
    assert each.data['latents'].shape == (NUM_SEEDS, 2, NUM_LATENTS)
  counts = [row['count'] for row in tables['latents']]
  sums = np.reshape(counts, (4 * len(values['observe_steps']), -1)).sum(axis=1)
  np.testing.assert_array_equal(sums, NUM_SEEDS * NUM_LATENTS)


def test_recovered_features_are_those_that_the_stored_rows_match(found, tables):
  runs, _ = found
  for each, row in zip(runs, tables['fit']):
    total = pairs = 0
    for seed in range(NUM_SEEDS):
      cosines = each.data['decoder'][seed] @ each.data['features'][seed].T
      alive = each.last('latents')[seed] != Latent.DEAD
      own = cosines == cosines.max(axis=1, keepdims=True)
      close = alive[:, None] & (cosines >= THRESHOLDS.matched)
      np.testing.assert_array_equal(
        each.last('recovered')[seed], (close & own).any(axis=0)
      )
      total += (close & own).any(axis=0).sum()
      pairs += min(close.any(axis=0).sum(), close.any(axis=1).sum())
    assert row['count'] == total
    # Each recovered feature has a latent of its own, so that all can be paired.
    one_to_one = row['one_to_one'] * NUM_SEEDS * NUM_FEATURES
    assert total - 1e-6 <= one_to_one <= pairs + 1e-6


def test_features_are_counted_by_octaves_of_their_ranks(found, tables):
  rows = tables['features'][:4]
  ranks = [(row['first_rank'], row['last_rank']) for row in rows]
  assert ranks == [(1, 1), (2, 2), (3, 4), (5, 6)]
  assert (
    sum(row['count'] for row in rows) == found[0][0].last('recovered').sum()
  )
  assert [row['total'] for row in rows] == [5, 5, 10, 10]


def test_pairs_of_seeds_are_compared(found, tables):
  runs, _ = found
  rows = tables['differences']
  assert [row['less'] for row in rows] == ['l1 - top_k'] * 2
  for row, first, second in zip(rows, runs[:2], runs[2:]):
    assert first.configuration['mean_norm'] == row_norm(row)
    assert first.configuration['mean_norm'] == second.configuration['mean_norm']
    share = [r.last('recovered').mean() for r in (first, second)]
    assert row['difference'] == pytest.approx(share[0] - share[1])
    assert row['num_runs'] == NUM_SEEDS


def row_norm(row):
  return float(row['others'].split('mu=')[1])


def test_the_closed_form_is_that_of_the_stored_bank(found, tables):
  runs, _ = found
  for each, row in zip(runs, tables['dead']):
    expected = []
    for features, mean in zip(each.data['features'], each.data['mean']):
      np.testing.assert_allclose(
        np.linalg.norm(mean), each.configuration['mean_norm'], rtol=1e-5
      )
      frequencies = 0.25 * np.arange(1.0, 7.0) ** -0.75
      middle, covariance = feature_bank.moments(
        feature_bank.Bank(*map(jnp.float32, (features, frequencies, mean))),
        amplitude='exponential',
        nested=True,
        noise=0.0,
        log_scale=0.0,
      )
      expected.append(
        dead_latents.share_dead(
          np.asarray(middle), np.asarray(covariance), frequency=1e-3
        )
      )
    assert row['gaussian'] == pytest.approx(np.mean(expected), abs=1e-4)
    assert row['count'] == each.data['dead_at_start'].sum()
  # Runs of a seed share their features, and their start.
  np.testing.assert_array_equal(
    runs[0].data['features'], runs[1].data['features']
  )
  assert tables['dead'][0]['gamma'] < 1.0 < tables['dead'][1]['gamma']
  # What is dead under a penalty is dead with fewer latents on, too.
  l1, top_k = (runs[i].data['dead_at_start'] for i in (1, 3))
  assert np.all(top_k >= l1)


def test_what_does_not_fit_is_refused():
  with pytest.raises(SettingError, match='--num_inputs=2'):
    STUDY.resolve(features='polygon', num_inputs=3)
  with pytest.raises(SettingError, match='--top_k=9'):
    STUDY.resolve(top_k=9, num_latents=8)


def test_the_sheet_has_three_panels(found):
  figure = STUDY.report(*found).sheet('features').figure()
  assert len(figure.axes) == 3
