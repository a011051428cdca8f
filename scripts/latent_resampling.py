"""See `toyjax.studies.latent_resampling`."""

from toyjax.command import lifecycle
from toyjax.studies import latent_resampling

__doc__ = latent_resampling.__doc__

if __name__ == '__main__':
  lifecycle.start(latent_resampling.STUDY)
