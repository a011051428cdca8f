"""Steps are seen together with those of nine tenths of them."""

import numpy as np

from toyjax import observing


def test_each_step_has_the_one_when_nine_tenths_of_it_were_made():
  seen = observing.with_earlier([9, 10, 25, 1000])
  steps = np.asarray(seen.steps)
  assert seen.steps == [8, 9, 10, 22, 25, 900, 1000]
  np.testing.assert_array_equal(steps[seen.at], [9, 10, 25, 1000])
  np.testing.assert_array_equal(steps[seen.earlier_at], [8, 9, 22, 900])
