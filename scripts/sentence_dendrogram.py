"""See `toyjax.studies.sentence_dendrogram`."""

from toyjax.command import lifecycle
from toyjax.studies import sentence_dendrogram

__doc__ = sentence_dendrogram.__doc__

if __name__ == '__main__':
  lifecycle.start(sentence_dendrogram.STUDY)
