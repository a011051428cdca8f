"""See `toyjax.studies.symmetric_failure`."""

from toyjax.command import lifecycle
from toyjax.studies import symmetric_failure

__doc__ = symmetric_failure.__doc__

if __name__ == '__main__':
  lifecycle.start(symmetric_failure.STUDY)
