"""Newton's iteration for √x: its digits, its errors, its operations."""

from fractions import Fraction

import numpy as np
import pytest

from toyjax.toys import sqrt_mlp


def test_newton_doubles_its_digits():
  x = np.asarray([0.25, 1.0, 2.0, 9.0])
  values = np.stack(
    sqrt_mlp.newton_sqrt(x, start=1.0 + 0 * x, num_iterations=8)
  )
  errors = values / np.sqrt(x) - 1
  np.testing.assert_allclose(
    errors[1:], errors[:-1] ** 2 / (2 * (1 + errors[:-1])), atol=1e-15
  )
  np.testing.assert_allclose(values[-1], np.sqrt(x), rtol=1e-15)


def test_newton_in_fractions_gives_the_babylonian_values():
  values = sqrt_mlp.newton_sqrt(
    Fraction(2), start=Fraction(1), num_iterations=3
  )
  assert values == (1, Fraction(3, 2), Fraction(17, 12), Fraction(577, 408))
  assert sqrt_mlp.newton_sqrt(0.0, start=1.0, num_iterations=2)[-1] == 0.25
  with pytest.raises(ValueError, match='num_iterations'):
    sqrt_mlp.newton_sqrt(2.0, start=1.0, num_iterations=-1)


def test_newton_errors_fall_with_operations():
  found = sqrt_mlp.newton_errors(
    low=0.25, high=4.0, num_points=31, start=1.0, num_iterations=6
  )
  np.testing.assert_array_equal(found.num_operations, 3 * np.arange(7))
  # The start is 1 everywhere: its largest error is at x = 4. Then (1 + x) / 2.
  np.testing.assert_allclose(found.max_error[:2], [1.0, 0.5], rtol=1e-14)
  assert (np.diff(found.rmse[:6]) < 0).all()
  assert (found.rmse <= found.max_error).all()
  assert found.max_error[-1] < 1e-14
  with pytest.raises(ValueError, match='start > 0'):
    sqrt_mlp.newton_errors(
      low=0.0, high=1.0, num_points=3, start=0.0, num_iterations=1
    )


def test_operations_are_counted_layer_by_layer():
  # 1-2-2-1: 4 + 8 + 4 multiply or add, 4 compare.
  assert sqrt_mlp.num_net_operations((2, 2)) == 20
  assert sqrt_mlp.num_net_operations((5,)) == 10 + 10 + 5
  assert sqrt_mlp.NEWTON_OPERATIONS == 3
