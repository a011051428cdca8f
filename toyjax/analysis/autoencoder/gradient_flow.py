r"""Gradient flow of the autoencoder's error, dv/dt = -∇F.

v --follow--> states on its path

On the floor of a valley the flow slows down like a power of time, and across it
curvature stays of order one: a stiff problem, so the solver is implicit.

References:
  Shampine and Reichelt 1997, The MATLAB ODE suite, for the solver.
"""

from collections.abc import Sequence

import numpy as np
import scipy.integrate

from toyjax.analysis.autoencoder import batches


def follow(
  v: np.ndarray,
  *,
  num_features: int,
  times: Sequence[float],
  relative_tolerance: float,
) -> np.ndarray:
  """Follows gradient flow of F from one state, with an implicit solver.

  Args:
    v: [MN + N] float64, the state at time 0.
    num_features: N.
    times: [T] increasing, > 0, in units of 1 / F.
    relative_tolerance: of each step of the solver (BDF).

  Returns:
    [T, MN + N], the states at these times.

  Raises:
    RuntimeError: where the solver gave up, with what it says.
  """

  def velocity(_: float, v: np.ndarray) -> np.ndarray:
    return -batches.derivatives(v[None], num_features)[0][0]

  def jacobian(_: float, v: np.ndarray) -> np.ndarray:
    return -batches.derivatives(v[None], num_features)[1][0]

  # Differences that BDF has not made yet are memory as it was found, and are
  # subtracted all the same before they are used.
  with np.errstate(invalid='ignore', over='ignore'):
    found = scipy.integrate.solve_ivp(
      velocity,
      (0.0, times[-1]),
      v,
      method='BDF',
      t_eval=times,
      jac=jacobian,
      rtol=relative_tolerance,
      atol=relative_tolerance,
    )
  if not found.success:
    raise RuntimeError(f'gradient flow: {found.message}')
  return found.y.T
