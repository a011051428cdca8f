"""What seed_steps prints: machine, table, exponents and verdicts."""

from collections.abc import Mapping, Sequence
import importlib.metadata
import math
import os
import pathlib
import platform
import subprocess
from typing import Any, NamedTuple

import jax

from toyjax import tables

Row = Mapping[str, Any]
ALL_CELLS = (
  '5:2',
  '7:2',
  '8:2',
  '12:2',
  '20:2',
  '32:2',
  '7:3',
  'text',
  '200:20',
)


class Target(NamedTuple):
  """A ratio of speeds that the project aims at.

  Attributes:
    cells: where it is asked for.
    peers: whose fastest is the denominator.
    ratio: the least.
    peer: the numerator.
  """

  cells: tuple[str, ...]
  peers: tuple[str, ...]
  ratio: float
  peer: str = 'sweep'


TARGETS = (
  Target(('5:2', '7:2', '7:3'), ('vmap',), 30.0),
  Target(('5:2', '7:2', '7:3'), ('torch', 'torch_1'), 20.0),
  Target(('5:2', '7:2', '7:3'), ('c_vector',), 1.0 / 6.0),
  Target(('8:2', '12:2'), ('vmap',), 1.5),
  Target(('20:2', '32:2', '200:20'), ('vmap',), 1.0),
  Target(('text',), ('vmap',), 4.0),
  Target(ALL_CELLS, ('sweep',), 0.9, 'map_runs'),
)
LINEAR = (0.95, 1.05)


def describe_machine(num_threads: int) -> str:
  """Returns processor, versions, threads and load, in one line."""
  processor = platform.processor() or platform.machine()
  devices = {device.device_kind for device in jax.local_devices()}
  cpuinfo = pathlib.Path('/proc/cpuinfo')
  if cpuinfo.exists():
    for line in cpuinfo.read_text('utf-8', 'replace').splitlines():
      if line.startswith('model name'):
        processor = line.split(':', 1)[1].strip()
        break
  compiler = subprocess.run(
    ['cc', '--version'],
    capture_output=True,
    encoding='utf-8',
    errors='replace',
    check=True,
  ).stdout.splitlines()[0]
  try:
    torch = f'PyTorch {importlib.metadata.version("torch")}'
  except importlib.metadata.PackageNotFoundError:
    torch = 'no PyTorch'
  return (
    f'{processor}, {num_threads} x {", ".join(devices)}, '
    f'load {os.getloadavg()[0]:.1f}; '
    f'{platform.system()} {platform.machine()}, Python '
    f'{platform.python_version()}, JAX {jax.__version__}, '
    f'{torch}, {compiler}'
  )


def table(rows: Sequence[Row]) -> str:
  """Returns the rows with the ratio of the sweep to each."""

  def cells(row: Row) -> list[str]:
    sweep = _find(rows, row['cell'], 'sweep', row['num_seeds'])
    memory, share = row['peak_mib'], row['share_of_gpu_peak']
    return [
      row['cell'],
      f'{row["num_seeds"]}',
      f'{row["num_steps"]}',
      row['peer'],
      f'{row["seed_steps_per_second"]:.3g}',
      f'[{row["lowest"]:.3g}, {row["highest"]:.3g}]',
      f'{row["num_repeats"]}',
      '-' if sweep is None else f'{_speed(sweep) / _speed(row):.3g}',
      f'{row["compile_seconds"]:.2f}',
      '-' if memory is None else f'{memory:.1f}',
      '-' if math.isnan(share) else f'{share:.1%}',
    ]

  header = (
    'cell',
    'seeds',
    'steps',
    'peer',
    'seed-steps/s',
    'range',
    'repeats',
    'sweep / peer',
    'compile s',
    'peak MiB',
    'of GPU peak',
  )
  return tables.align(header, map(cells, rows))


def verdicts(rows: Sequence[Row], num_seeds: Mapping[str, int]) -> list[str]:
  """Returns a line for each target and cell that was measured.

  Args:
    rows: the table.
    num_seeds: for each cell, at which number of seeds it is judged.
  """
  lines = []
  for target in TARGETS:
    for cell in target.cells:
      if cell not in num_seeds:
        continue
      size = num_seeds[cell]
      own = _find(rows, cell, target.peer, size)
      peers = [_find(rows, cell, peer, size) for peer in target.peers]
      found = [peer for peer in peers if peer is not None]
      if own is None or not found:
        continue
      peer = max(found, key=_speed)
      ratio = _speed(own) / _speed(peer)
      verdict = 'HIT ' if ratio >= target.ratio else 'MISS'
      lines.append(
        f'{verdict} {cell} at {size} seeds: {target.peer} / {peer["peer"]} = '
        f'{ratio:.3g}, target >= {target.ratio:.3g}'
      )
  return lines


def exponents(
  of_seeds: Mapping[str, float], of_steps: Mapping[str, float]
) -> list[str]:
  """Returns a line for each peer, the sweep with a verdict."""
  lines = []
  for name, found in (('seeds', of_seeds), ('steps', of_steps)):
    for peer, exponent in found.items():
      verdict = '    '
      if peer == 'sweep':
        linear = LINEAR[0] <= exponent <= LINEAR[1]
        verdict = 'HIT ' if linear else 'MISS'
      lines.append(f'{verdict} {peer}: time ~ {name}^{exponent:.2f}')
  return lines


def _speed(row: Row) -> float:
  return row['seed_steps_per_second']


def _find(
  rows: Sequence[Row], cell: str, peer: str, num_seeds: int
) -> Row | None:
  for row in rows:
    if (row['cell'], row['peer'], row['num_seeds']) == (cell, peer, num_seeds):
      return row
  return None
