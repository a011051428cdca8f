"""Runs of the text net's sweep that its tests share."""

import csv

import xarray

from tests.scripts import processes

SCRIPT = 'text_failure'
NUM_SEEDS = 24
SMALL = (
  f'--num_seeds={NUM_SEEDS}',
  '--num_epochs=60',
  '--observe_epochs=10,60',
  '--optimizer=adam',
  '--temperature=0.7,2',
  '--max_tokens=3,9',
  '--printed_losses=0:1.9,60:0.5',
  '--chunk_size=16',
)


def run(workdir, *flags):
  return processes.run(SCRIPT, f'--workdir={workdir}', *flags)


def rows(workdir, name):
  with (workdir / f'{name}.csv').open() as file:
    return list(csv.DictReader(file))


def data_of(workdir, group):
  return xarray.open_zarr(workdir / 'results.zarr', group=group, chunks=None)
