"""See `toyjax.studies.failure_sizes`."""

from toyjax.command import lifecycle
from toyjax.studies import failure_sizes

__doc__ = failure_sizes.__doc__

if __name__ == '__main__':
  lifecycle.start(failure_sizes.STUDY)
