"""See `toyjax.studies.chaos_map`."""

from toyjax.command import lifecycle
from toyjax.studies import chaos_map

__doc__ = chaos_map.__doc__

if __name__ == '__main__':
  lifecycle.start(chaos_map.STUDY)
