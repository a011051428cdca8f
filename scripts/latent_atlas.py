"""See `toyjax.studies.latent_atlas`."""

from toyjax.command import lifecycle
from toyjax.studies import latent_atlas

__doc__ = latent_atlas.__doc__

if __name__ == '__main__':
  lifecycle.start(latent_atlas.STUDY)
