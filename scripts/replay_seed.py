"""See `toyjax.studies.replay_seed`."""

from toyjax.command import lifecycle
from toyjax.studies import replay_seed

__doc__ = replay_seed.__doc__

if __name__ == '__main__':
  lifecycle.start(replay_seed.STUDY)
