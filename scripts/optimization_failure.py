"""See `toyjax.studies.optimization_failure`."""

from toyjax.command import lifecycle
from toyjax.studies import optimization_failure

__doc__ = optimization_failure.__doc__

if __name__ == '__main__':
  lifecycle.start(optimization_failure.STUDY)
