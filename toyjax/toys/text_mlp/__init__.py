"""A tiny text net: embedding, ReLU layers, logits over a small vocabulary.

words = word_pairs.get('six')
toy = text_mlp.make(vocabulary_size=7, pairs=words.pairs, ...)
... train with toyjax.descend or text_mlp.descend_in_epochs ...
text_mlp.diagnose(params, pairs=words.pairs)   # pairs, ties, dead layers
text_mlp.follow(predictions, end=4)            # '!' or a cycle, exactly
"""

from toyjax.toys.text_mlp.generation import (
  GreedyEnds,
  Walk,
  follow,
  generate,
  name_cycle,
  next_token_log_probs,
  trace_cycle,
)
from toyjax.toys.text_mlp.model import (
  INITS,
  Activations,
  Layer,
  Params,
  TextMlp,
  activate,
  apply,
  logit_table,
  make,
  mean_cross_entropy,
  to_flax,
)
from toyjax.toys.text_mlp.outcomes import (
  TIE_RULE,
  Diagnosis,
  Outcome,
  classify,
  diagnose,
  predict,
)
from toyjax.toys.text_mlp.training import EpochInfo, descend_in_epochs

__all__ = [
  'INITS',
  'TIE_RULE',
  'Activations',
  'Diagnosis',
  'EpochInfo',
  'GreedyEnds',
  'Layer',
  'Outcome',
  'Params',
  'TextMlp',
  'Walk',
  'activate',
  'apply',
  'classify',
  'descend_in_epochs',
  'diagnose',
  'follow',
  'generate',
  'logit_table',
  'make',
  'mean_cross_entropy',
  'name_cycle',
  'next_token_log_probs',
  'predict',
  'to_flax',
  'trace_cycle',
]
