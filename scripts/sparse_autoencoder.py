"""See `toyjax.studies.sparse_autoencoder`."""

from toyjax.command import lifecycle
from toyjax.studies import sparse_autoencoder

__doc__ = sparse_autoencoder.__doc__

if __name__ == '__main__':
  lifecycle.start(sparse_autoencoder.STUDY)
