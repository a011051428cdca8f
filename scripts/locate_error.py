"""See `toyjax.studies.locate_error`."""

from toyjax.command import lifecycle
from toyjax.studies import locate_error

__doc__ = locate_error.__doc__

if __name__ == '__main__':
  lifecycle.start(locate_error.STUDY)
