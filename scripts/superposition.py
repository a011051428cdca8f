"""See `toyjax.studies.superposition`."""

from toyjax.command import lifecycle
from toyjax.studies import superposition

__doc__ = superposition.__doc__

if __name__ == '__main__':
  lifecycle.start(superposition.STUDY)
