r"""Is symmetric failure of the ReLU autoencoder a minimum? How long it holds.

In symmetric failure one feature is dead, W_d = 0 and b_d = 1/n, behind a
regular polygon of the others (X = I, m = 2): SSE 1 - 1/n. The study this
project continues called it a local minimum. This script settles it.

  verdicts.csv   exact second order on both sides of the kinks, closed forms,
                 and a path on which the SSE falls: minimum, flat or saddle
  descents.csv   float64 descents from small kicks: how many get below 1 - 1/n
  escape.csv     training from symmetric failure plus noise: Kaplan-Meier
                 medians of the step at which runs leave, and who never does
  tilt.csv       the condition for a weak row to grow, in general and in the
                 study's form, against what the gradient does
  dead.csv       where dead rows of training runs have their bias, and where
                 they would come to rest with all else frozen
  frozen.csv     the frozen experiment on exact symmetric failure with the
                 biases of the dead feature's two neighbours raised

  python -m scripts.symmetric_failure --workdir=runs/symmetric
  python -m scripts.symmetric_failure --num_features=7 --num_seeds=8192 \
    --start_noise=1e-4,1e-3,1e-2 --workdir=runs/noise
"""

from toyjax import runs, stages
from toyjax.settings import Values
from toyjax.stages import Stage
from toyjax.studies.base import Study
from toyjax.studies.symmetric_failure import trial
from toyjax.studies.symmetric_failure.report import report
from toyjax.studies.symmetric_failure.settings import (
  SETTINGS,
  START,
  TRAINING,
  complete,
)

_ALWAYS = ('num_features',)


def make_stages(values: Values) -> list[Stage]:
  """Returns the stages of runs from symmetric failure, then from scratch."""
  escapes = stages.grid(
    [*TRAINING, *START],
    values,
    make_trial=trial.escape_trial,
    variables=trial.ESCAPE_VARIABLES,
    attrs=_levels,
    summarize=trial.count_escapes,
  )
  own = {
    **values,
    'num_features': values['state_features'],
    'optimizer': ['adamw'],
    'weight_decay': values['state_decay'],
    'num_steps': values['state_steps'][-1],
    'observe_steps': values['state_steps'],
  }
  from_scratch = stages.grid(
    TRAINING,
    own,
    make_trial=trial.training_trial,
    variables=trial.TRAINING_VARIABLES,
    attrs=_levels,
  )
  return [*escapes, *(_named(stage, own) for stage in from_scratch)]


def _levels(values: Values) -> dict[str, float]:
  return {name: values[name] for name in ('solved_sse', 'escape_share')}


def _named(stage: Stage, values: Values) -> Stage:
  """Returns a stage of runs from scratch, told from those of escapes."""
  points = runs.configurations(TRAINING, stage, values, _ALWAYS)
  return stage._replace(
    name=f'training_{stage.name}',
    num_seeds=values['num_state_seeds'],
    labels=[f'training {label}' for _, label in points],
  )


STUDY = Study(
  name='symmetric_failure',
  settings=SETTINGS,
  stages=make_stages,
  report=report,
  num_seeds=512,
  complete=complete,
  always=_ALWAYS,
)
