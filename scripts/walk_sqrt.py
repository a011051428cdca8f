"""See `toyjax.studies.walk_sqrt`."""

from toyjax.command import lifecycle
from toyjax.studies import walk_sqrt

__doc__ = walk_sqrt.__doc__

if __name__ == '__main__':
  lifecycle.start(walk_sqrt.STUDY)
