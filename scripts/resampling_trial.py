"""See `toyjax.studies.resampling_trial`."""

from toyjax.command import lifecycle
from toyjax.studies import resampling_trial

__doc__ = resampling_trial.__doc__

if __name__ == '__main__':
  lifecycle.start(resampling_trial.STUDY)
