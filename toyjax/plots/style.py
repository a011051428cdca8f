"""The house's own settings of figures, whatever a user's matplotlibrc says."""

from collections.abc import Iterator
import contextlib
from typing import Any

import matplotlib

# What a machine has is no matter of style.
_OF_MACHINE = ('animation.ffmpeg_path', 'animation.ffmpeg_args')
_HOUSE: Any = {
  'axes.titlesize': 'medium',
  'figure.titlesize': 'medium',
  'legend.frameon': False,
}


@contextlib.contextmanager
def house_style() -> Iterator[None]:
  """Draws and saves figures with matplotlib's own defaults and the house's.

  A user's file may ask for TeX, other fonts, sizes or colours. To be held
  around both drawing and saving: many settings are read at saving only. On
  leaving, the user's settings are back.
  """
  settings: Any = matplotlib.rcParams
  kept = {name: settings[name] for name in _OF_MACHINE}
  with matplotlib.rc_context():
    matplotlib.rcdefaults()
    settings.update(kept | _HOUSE)
    yield
