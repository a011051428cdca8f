"""See `toyjax.studies.descend_runaways`."""

from toyjax.command import lifecycle
from toyjax.studies import descend_runaways

__doc__ = descend_runaways.__doc__

if __name__ == '__main__':
  lifecycle.start(descend_runaways.STUDY)
