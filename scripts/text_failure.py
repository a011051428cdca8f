"""See `toyjax.studies.text_failure`."""

from toyjax.command import lifecycle
from toyjax.studies import text_failure

__doc__ = text_failure.__doc__

if __name__ == '__main__':
  lifecycle.start(text_failure.STUDY)
