"""See `toyjax.studies.changepoint_study`."""

from toyjax.command import lifecycle
from toyjax.studies import changepoint_study

__doc__ = changepoint_study.__doc__

if __name__ == '__main__':
  lifecycle.start(changepoint_study.STUDY)
