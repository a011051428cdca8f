"""See `toyjax.studies.certify_failure`."""

from toyjax.command import lifecycle
from toyjax.studies import certify_failure

__doc__ = certify_failure.__doc__

if __name__ == '__main__':
  lifecycle.start(certify_failure.STUDY)
