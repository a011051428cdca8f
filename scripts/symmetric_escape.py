"""See `toyjax.studies.symmetric_escape`."""

from toyjax.command import lifecycle
from toyjax.studies import symmetric_escape

__doc__ = symmetric_escape.__doc__

if __name__ == '__main__':
  lifecycle.start(symmetric_escape.STUDY)
