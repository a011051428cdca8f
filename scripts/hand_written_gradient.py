"""See `toyjax.studies.hand_written_gradient`."""

from toyjax.command import lifecycle
from toyjax.studies import hand_written_gradient

__doc__ = hand_written_gradient.__doc__

if __name__ == '__main__':
  lifecycle.start(hand_written_gradient.STUDY)
