"""See `toyjax.studies.single_polygons`."""

from toyjax.command import lifecycle
from toyjax.studies import single_polygons

__doc__ = single_polygons.__doc__

if __name__ == '__main__':
  lifecycle.start(single_polygons.STUDY)
