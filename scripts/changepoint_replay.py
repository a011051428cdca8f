"""See `toyjax.studies.changepoint_replay`."""

from toyjax.command import lifecycle
from toyjax.studies import changepoint_replay

__doc__ = changepoint_replay.__doc__

if __name__ == '__main__':
  lifecycle.start(changepoint_replay.STUDY)
