"""See `toyjax.studies.double_descent`."""

from toyjax.command import lifecycle
from toyjax.studies import double_descent

__doc__ = double_descent.__doc__

if __name__ == '__main__':
  lifecycle.start(double_descent.STUDY)
