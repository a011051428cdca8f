r"""Trains one small net of one variable and walks it to its formula.

A ReLU net of one variable is a line wherever none of its units switches, so it
is a formula of a few straight pieces. This script trains the net of one seed,
the very run that a sweep of sqrt_failure has for that --seed and --seed_index,
and prints (and writes to formula.txt) its weights, the formula with decimals
and with short fractions, each piece's units and exact error, a polynomial in
the net's place, the walk of each --x from input to answer, how far the formula
in plain Python floats is from the net, and Newton's iteration beside it.
formula.tex holds the formula as LaTeX; net.png draws net, target, kinks (with
the units that switch there) and polynomial. Flags hold one value each here,
but --x and --coefficients. Try some seeds, and see how they end:

  python -m scripts.walk_sqrt --seed_index=5
  python -m scripts.walk_sqrt --target=sin --high=6.3 --hidden_dim=4 \
    --num_steps=10000 --x=1.5,3,4.5
"""

import functools

from toyjax.settings import Values
from toyjax.studies import one_run
from toyjax.studies.base import Plan, Task
from toyjax.studies.walk_sqrt import net
from toyjax.studies.walk_sqrt.report import report
from toyjax.studies.walk_sqrt.settings import NAMED, SETTINGS, complete


def prepare(values: Values) -> Plan:
  """Returns the plan: one net is trained, then followed."""
  return Plan(
    folder=one_run.folder_of('walk_sqrt', NAMED, values),
    science=STUDY.science(values),
    run=lambda workdir: report(net.train(values)),
    layout={'map': values['map']},
    dtype=values['dtype'],
    num_devices=values['num_devices'],
    check=functools.partial(
      one_run.require_room, net.stage_of(values), values['seed_index']
    ),
  )


STUDY = Task('walk_sqrt', SETTINGS, prepare, complete=complete)
