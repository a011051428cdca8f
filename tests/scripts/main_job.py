"""Runs of the main job that its tests share."""

import csv

from tests.scripts import processes

SCRIPT = 'optimization_failure'
SMALL = (
  '--num_features=5,6',
  '--num_seeds=20',
  '--num_steps=300',
  '--observe_steps=100,300',
  '--learning_rate=0.01,0.1',
  '--chunk_size=16',
)


def run(workdir, *flags):
  return processes.run(SCRIPT, f'--workdir={workdir}', *flags)


def finish(workdir, *flags):
  done = run(workdir, *flags)
  assert done.returncode == 0, done.stderr
  return done


def rows(workdir):
  with (workdir / 'summary.csv').open() as file:
    return list(csv.DictReader(file))
