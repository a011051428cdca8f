"""See `toyjax.studies.walk_text`."""

from toyjax.command import lifecycle
from toyjax.studies import walk_text

__doc__ = walk_text.__doc__

if __name__ == '__main__':
  lifecycle.start(walk_text.STUDY)
