"""See `toyjax.studies.sqrt_failure`."""

from toyjax.command import lifecycle
from toyjax.studies import sqrt_failure

__doc__ = sqrt_failure.__doc__

if __name__ == '__main__':
  lifecycle.start(sqrt_failure.STUDY)
