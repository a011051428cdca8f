"""math-rollouts: 100 rollouts from every sentence of chains of thought.

    reading = math_rollouts.example_traces()            # shipped counts
    reading = math_rollouts.read_counts(path)           # such a CSV
    reading = math_rollouts.read_folder(path, ...)      # its folder layout
    reading = math_rollouts.read_rows(rows, ...)        # a row per file
    reading = math_rollouts.read_hub(keep=..., ...)     # from Hugging Face

All return traces (`toyjax.data.traces.Trace`) and what was skipped.

References:
  Bogdan, Macar et al. 2025, Thought anchors: which LLM reasoning steps matter?
  Data: https://huggingface.co/datasets/uzaymacar/math-rollouts (MIT).
"""

from toyjax.data.math_rollouts.counts import (
  example_traces,
  read_counts,
  recover_counts,
)
from toyjax.data.math_rollouts.files import (
  Folders,
  find_folders,
  read_folder,
  read_rows,
)
from toyjax.data.math_rollouts.hub import read_hub
from toyjax.data.math_rollouts.prefixes import (
  continued_prefix,
  num_lost_copies,
  prefix,
)
from toyjax.data.math_rollouts.resampled import (
  Ending,
  Resampled,
  read_resampled,
)
from toyjax.data.traces import Reading, Trace, TraceError

__all__ = [
  'Ending',
  'Folders',
  'Reading',
  'Resampled',
  'Trace',
  'TraceError',
  'continued_prefix',
  'example_traces',
  'find_folders',
  'num_lost_copies',
  'prefix',
  'read_counts',
  'read_folder',
  'read_hub',
  'read_resampled',
  'read_rows',
  'recover_counts',
]
