"""The matrix WᵀW of an autoencoder with its biases, as a heat map."""

from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
import numpy as np

from toyjax.plots.latent.latent_plane import MARKED

_MAX_WRITTEN = 12  # More features than this are too many for numbers.


def draw_gram(
  axes: Axes, *, weights: np.ndarray, bias: np.ndarray
) -> AxesImage:
  """Draws W_iᵀW_j [input j, output i], and b_i in a row of its own below.

  A black frame marks what is on by more than `latent_plane.MARKED`; exact
  solutions have outputs that are zero but for rounding. Each number stands in
  its cell where there are few enough.

  Args:
    axes: where to draw.
    weights: W [M, N], finite.
    bias: b [N], finite.

  Returns:
    The image, for a colour bar; its scale is symmetric about 0.
  """
  weights, bias = np.asarray(weights, float), np.asarray(bias, float)
  num_features = len(bias)
  gram = weights.T @ weights
  shown = np.vstack([gram, np.full((1, num_features), np.nan), bias[None, :]])
  bound = float(max(np.abs(gram).max(), np.abs(bias).max(), 1e-12))
  image = axes.imshow(shown, cmap='RdBu', vmin=-bound, vmax=bound)
  for j, i in zip(*np.nonzero(gram + bias[None, :] > MARKED)):
    axes.add_patch(
      Rectangle((i - 0.5, j - 0.5), 1, 1, fill=False, linewidth=1.6)
    )
  if num_features <= _MAX_WRITTEN:
    for (j, i), value in np.ndenumerate(shown):
      if np.isfinite(value):
        axes.text(
          i,
          j,
          f'{value:.2f}',
          ha='center',
          va='center',
          fontsize=7.5,
          color='white' if abs(value) > 0.6 * bound else 'black',
        )
  names = [str(i) for i in range(num_features)]
  axes.set_xticks(range(num_features), names)
  axes.set_yticks([*range(num_features), num_features + 1], [*names, '$b_i$'])
  axes.set_xlabel('output i')
  axes.set_ylabel('input j')
  axes.tick_params(length=0)
  for spine in axes.spines.values():
    spine.set_visible(False)
  return image
