"""Which share of a sparse autoencoder's latents is dead at the start.

At the start a latent reads w·x, with w evenly from the unit sphere and no bias.
Where x is Gaussian with mean m and covariance Σ it fires with probability
Φ(w·m / √(wᵀΣw)), so that over w

    P(dead) = P(w·m < -z √(wᵀΣw)),  z = -Φ⁻¹(q)

for latents called dead below a frequency q. As w and any multiple of it are
alike, w may be Gaussian; as w and -w are equally likely,

    P(dead) = P(wᵀ(m mᵀ - z²Σ)w > 0) / 2                     for q < 1/2,

half of the chance that a quadratic form with at most one positive eigenvalue is
positive. For Σ = σ²I, with γ = |m| / (σ√D), the sphere's one coordinate along m
gives P(dead) = I_(1 - z²/(γ²D))((D - 1)/2, 1/2) / 2, near Φ(-z/γ) for large D.

References:
  Simon, Adams and Zou 2026, On the relationship between activation outliers and
  feature death in sparse autoencoders, arXiv 2605.31518: γ = |μ| / |σ| alone,
  as a rank correlation with measured death; the formulas are derived here.
  Imhof 1961, Computing the distribution of quadratic forms in normal variables.
"""

import math

import numpy as np
import scipy


def outlier_ratio(mean: np.ndarray, covariance: np.ndarray) -> float:
  """Returns γ = |m| / √(tr Σ), of m [D] and Σ [D, D]."""
  return float(np.linalg.norm(mean) / math.sqrt(np.trace(covariance)))


def share_dead(
  mean: np.ndarray, covariance: np.ndarray, *, frequency: float
) -> float:
  """Returns the share of latents that fire less often than so, at the start.

  Exact for Gaussian x; by Imhof's integral, to about 1e-7.

  Args:
    mean: m [D].
    covariance: Σ [D, D], positive semi-definite.
    frequency: q in (0, 1/2), below which a latent is dead.

  Raises:
    ValueError: on a frequency out of range.
  """
  if not 0.0 < frequency < 0.5:
    raise ValueError(f'frequency must lie in (0, 1/2): {frequency}')
  z = scipy.special.ndtri(frequency)
  form = np.outer(mean, mean) - z**2 * np.asarray(covariance, float)
  roots = np.linalg.eigvalsh(form)
  if roots[-1] <= 1e-12 * max(-roots[0], 1e-300):
    return 0.0
  roots /= np.abs(roots).max()

  def integrand(log_u: float) -> float:
    u = math.exp(log_u)  # du / u is d log u: the decay is even.
    angle = 0.5 * np.sum(np.arctan(roots * u))
    return float(math.sin(angle) * np.prod((1.0 + (roots * u) ** 2) ** -0.25))

  # Below, the sine is as small as u; above, the product is below u^(-1/2).
  total, _ = scipy.integrate.quad(
    integrand, -40.0, 80.0, limit=400, epsabs=1e-9, epsrel=1e-8
  )
  return float(np.clip(0.5 * (0.5 + total / math.pi), 0.0, 0.5))


def share_dead_isotropic(
  gamma: float, num_inputs: int, *, frequency: float
) -> float:
  """Returns the same for Σ = σ²I in closed form.

  Args:
    gamma: γ = |m| / (σ√D) >= 0.
    num_inputs: D >= 2.
    frequency: q in (0, 1/2).
  """
  z = -scipy.special.ndtri(frequency)
  reach = z**2 / (gamma**2 * num_inputs) if gamma > 0.0 else math.inf
  if reach >= 1.0:
    return 0.0
  half = scipy.special.betainc((num_inputs - 1) / 2.0, 0.5, 1.0 - reach)
  return float(half / 2.0)


def share_dead_large(gamma: float, *, frequency: float) -> float:
  """Returns the limit of `share_dead_isotropic` for many inputs, Φ(-z/γ)."""
  z = -scipy.special.ndtri(frequency)
  return float(scipy.special.ndtr(-z / gamma)) if gamma > 0.0 else 0.0
