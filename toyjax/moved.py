"""Import paths of 0.1.0 that still work, until 0.3.0.

import toyjax.analysis.walking  -->  toyjax.analysis.nets.walking, and a word
"""

from collections.abc import Sequence
import importlib
from importlib import abc, machinery
import sys
import types
from typing import Any
import warnings

# Package -> modules that lay beside it.
_MOVED = {
  'analysis.autoencoder': (
    'pieces polishing batches critical_points valleys catalogue '
    'certificates curvature curvature_bounds decayed_failure events '
    'frozen gradient_flow latent_zones circles lbfgs settling '
    'symmetric_failure tilt'
  ),
  'analysis.chaos': ('lyapunov box_counting'),
  'analysis.nets': (
    'dense_layers walking linear_regions formulas region_errors '
    'argmax_map token_chains'
  ),
  'plots.latent': (
    'latent_plane trajectories gram tilt radii valley_floors training'
  ),
  'plots.nets': ('argmax_map piecewise_line region_counts error_costs'),
  'plots.changepoint': ('rollouts located_errors text_lengths dendrograms'),
}
_RENAMED = {
  'toyjax.analysis.autoencoder.sparse_pair': (
    'toyjax.analysis.autoencoder.sparse_bottleneck'
  ),
  'toyjax.analysis.chaos_endings': 'toyjax.analysis.chaos.endings',
  'toyjax.plots.chaos_maps': 'toyjax.plots.chaos.maps',
  'toyjax.lanes.tables': 'toyjax.lanes.lookups',
}
PATHS = {
  f'toyjax.{package.partition(".")[0]}.{name}': f'toyjax.{package}.{name}'
  for package, names in _MOVED.items()
  for name in names.split()
} | _RENAMED


class _Finder(abc.MetaPathFinder, abc.Loader):
  """Finds a module under the name that it had."""

  def find_spec(
    self,
    fullname: str,
    path: Sequence[str] | None,
    target: types.ModuleType | None = None,
  ) -> machinery.ModuleSpec | None:
    """Returns what loads a moved module; None for all others."""
    del path, target
    return machinery.ModuleSpec(fullname, self) if fullname in PATHS else None

  def create_module(self, spec: machinery.ModuleSpec) -> types.ModuleType:
    """Returns the very module that its new name has."""
    new = PATHS[spec.name]
    warnings.warn(
      f'{spec.name} is {new} since 0.2.0', DeprecationWarning, stacklevel=2
    )
    module = importlib.import_module(new)
    self._spec: Any = module.__spec__
    return module

  def exec_module(self, module: types.ModuleType) -> None:
    """Gives the module its own name back."""
    module.__spec__ = self._spec


def keep_paths() -> None:
  """Makes the old paths work, once."""
  if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
    sys.meta_path.append(_Finder())
