r"""How long until the toy ReLU autoencoder solves, and what changes that?

Every seed is trained on X = I under a default and under each other value of
each factor, one factor at a time: the first value of a list is the default, the
others are varied. Every step is looked at: when is a run in symmetric failure
(dead rows with b = 1/n, the rest a regular polygon; one_dead has exactly one
dead row), when does it leave, when does it solve (SSE < --solved_sse), and when
is each feature learned? Runs that diverge stay unsolved to the last step.

summary.csv has one row a level: share solved with its Wilson interval, its
difference from the default paired by seed, median times. events.csv counts, at
each of --report_steps, what runs passed, how many failures passed symmetric
failure and how many runs recovered from it. hazards.csv and learning.csv have
rates by interval and the times of the k-th feature. survival.png, escape.png
and hazards.png show one factor a panel.

  python -m scripts.failure_survival --workdir=runs/survival_n7
  python -m scripts.failure_survival --num_features=8 --workdir=runs/survival_n8
  python -m scripts.failure_survival --num_seeds=10000 --optimizer=adamw,adam \
    --learning_rate=1e-3 --adam_eps=1e-8 --adam_b2=0.999 --weight_decay=1e-2 \
    --init_scale=1 --loss_reduction=mean --dtype=float32 --workdir=runs/main
"""

from toyjax.studies.base import Study
from toyjax.studies.failure_survival.levels import complete, make_stages
from toyjax.studies.failure_survival.report import report
from toyjax.studies.failure_survival.settings import SETTINGS

STUDY = Study(
  name='failure_survival',
  settings=SETTINGS,
  stages=make_stages,
  report=report,
  num_seeds=512,
  complete=complete,
  # What is varied is trained under the first; see `complete` for the others.
  dtypes=lambda values: values['dtype'][:1],
)
