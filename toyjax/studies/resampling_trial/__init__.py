r"""Which remedy against dead features works, how often, and what does it break?

A randomised trial. Runs of the toy ReLU autoencoder (X = I_n, m = 2) are
stopped at --state_steps. Each that has failed goes on from that very state in
every arm: its weights, Adam's moments and count are kept but for what the arm
changes. Differences are paired by seed and state.

  nothing        the control
  random         failed rows are drawn anew, as at the start
  published      neuron resampling of Towards Monosemanticity: an input drawn by
                 loss², its direction, .2 of the mean live norm, bias 0, Adam's
                 moments of exactly these entries reset
  no_adam_reset, loss, unit_norm
                 the same without the reset; drawn by loss; with rows of norm 1
  repulsor...    -.05 R Σ̂ + noise away from the sum of the live rows, Δ added to
                 live biases on that side: proposed, never run by its author
  scaled         W times 1.1
  copied         a failed row becomes a copy of a live one
  equalized      all rows get the norm and bias of the regular n-gon, and keep
                 their directions; redrawn: they get random ones
  adam_reset     nothing but Adam's moments start anew, all of them, as in the
                 arms that set all weights: equalized, redrawn and below
  lbfgs          a spell of L-BFGS; steepest: the same line search without its
                 memory; long_step: one plain step of the spell's length

End points, fixed before any run: repaired (SSE below --solved_sse within
--num_steps), broken (a feature that was learned at the state and is not at the
end), steps until repaired, and the last SSE. Intervals of differences are
corrected for their number (Bonferroni).

  arms.csv     the end points of each arm, by state step and kind of failure
  pairs.csv    arms compared with each other, chosen before any run but for
               those with adam_reset, a control that a first run asked for
  spells.csv   how the spells of L-BFGS and steepest descent themselves ended
  repaired.png and survival.png

  python -m scripts.resampling_trial --workdir=runs/trial
  python -m scripts.resampling_trial --num_seeds=10400 --workdir=runs/large
  python -m scripts.resampling_trial --init_scale=3 --learning_rate=1e-2 \
    --state_steps=5000 --workdir=runs/trial_off
"""

from toyjax.studies.base import Study
from toyjax.studies.resampling_trial.report import report
from toyjax.studies.resampling_trial.settings import SETTINGS
from toyjax.studies.resampling_trial.states import make_stages

STUDY = Study(
  'resampling_trial',
  SETTINGS,
  make_stages,
  report,
  num_seeds=512,
  grows=False,  # More seeds would shift the runs that go on.
)
