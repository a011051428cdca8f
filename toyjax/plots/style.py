"""The house's own settings of figures, whatever a user's matplotlibrc says."""

from collections.abc import Iterator
import contextlib

import matplotlib

# What a machine has is no matter of style.
_OF_MACHINE = ('animation.ffmpeg_path', 'animation.ffmpeg_args')


@contextlib.contextmanager
def house_style() -> Iterator[None]:
  """Draws and saves figures with matplotlib's own defaults.

  A user's file may ask for TeX, other fonts, sizes or colours. To be held
  around both drawing and saving: many settings are read at saving only. On
  leaving, the user's settings are back.
  """
  kept = {name: matplotlib.rcParams[name] for name in _OF_MACHINE}
  with matplotlib.rc_context():
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(kept)
    yield
