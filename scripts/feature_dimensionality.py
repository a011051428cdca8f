"""See `toyjax.studies.feature_dimensionality`."""

from toyjax.command import lifecycle
from toyjax.studies import feature_dimensionality

__doc__ = feature_dimensionality.__doc__

if __name__ == '__main__':
  lifecycle.start(feature_dimensionality.STUDY)
