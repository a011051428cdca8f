"""See `toyjax.studies.failure_survival`."""

from toyjax.command import lifecycle
from toyjax.studies import failure_survival

__doc__ = failure_survival.__doc__

if __name__ == '__main__':
  lifecycle.start(failure_survival.STUDY)
