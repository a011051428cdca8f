"""Rates with intervals, differences with intervals, survival with bands.

SciPy does the work wherever it has it. Counts in, `Interval`s out; a rate is
never reported without both.
"""

from toyjax.statistics.means import mean, median, normal_mean
from toyjax.statistics.multiple import holm
from toyjax.statistics.proportions import (
  CONFIDENCE,
  Interval,
  clopper_pearson,
  counts,
  difference,
  paired_difference,
  ratio,
  wilson,
)
from toyjax.statistics.survival import (
  Hazards,
  Survival,
  hazards,
  kaplan_meier,
  median_time,
)

__all__ = [
  'CONFIDENCE',
  'Hazards',
  'Interval',
  'Survival',
  'clopper_pearson',
  'counts',
  'difference',
  'hazards',
  'holm',
  'kaplan_meier',
  'mean',
  'median',
  'median_time',
  'normal_mean',
  'paired_difference',
  'ratio',
  'wilson',
]
