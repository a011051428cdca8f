"""See `toyjax.studies.superposition_phase`."""

from toyjax.command import lifecycle
from toyjax.studies import superposition_phase

__doc__ = superposition_phase.__doc__

if __name__ == '__main__':
  lifecycle.start(superposition_phase.STUDY)
