"""Certifies all runs of a folder of optimization_failure.

results.zarr --certify--> certificates.zarr, one certificate a run
"""

from collections.abc import Mapping
import concurrent.futures
import os
import pathlib
from typing import Any

import numpy as np
import tqdm

from scripts.shared import grids
from toyjax import store
from toyjax.analysis import certificates, settling
from toyjax.analysis.catalogue import Entry
from toyjax.analysis.certificates import Verdict
from toyjax.stored_runs import StoredRuns

FILENAME = 'certificates.zarr'

VARIABLES = {
  'verdict': store.Variable(
    (), {'long_name': 'what the run leads to', **store.flag_attrs(Verdict)}
  ),
  'entry': store.Variable(
    (),
    {'long_name': 'what explains its error', **store.flag_attrs(Entry)},
  ),
  'start_sse': store.Variable((), {'long_name': 'SSE as trained'}),
  'sse': store.Variable((), {'long_name': 'SSE of what it leads to'}),
  'catalogue_sse': store.Variable((), {'long_name': 'SSE of the entry'}),
  'infimum': store.Variable((), {'long_name': 'infimum along the entry'}),
  'gradient_norm': store.Variable((), {'long_name': 'norm of the gradient'}),
  'distance': store.Variable((), {'long_name': 'distance from the run'}),
  'kink_distance': store.Variable((), {'long_name': 'least |z| of an output'}),
  'least_curvature': store.Variable((), {'long_name': 'least curvature'}),
  'num_flat': store.Variable((), {'long_name': 'flat directions'}),
  'radial_slope': store.Variable((), {'long_name': 'dF / d|W| of a valley'}),
  'margin': store.Variable((), {'long_name': 'margin of an exact solution'}),
  'weights': store.Variable(('hidden', 'feature'), {'long_name': 'W'}),
  'bias': store.Variable(('feature',), {'long_name': 'b'}),
}


def certify(
  group: grids.Group,
  weights: np.ndarray,
  bias: np.ndarray,
  *,
  path: pathlib.Path,
  identity: Mapping[str, Any],
  chunk_size: int,
  step: int,
) -> dict[str, np.ndarray]:
  """Certifies the runs of a group and stores it, or resumes it there.

  Args:
    group: of the folder.
    weights: [S, M, N] at one step.
    bias: [S, N].
    path: folder of the certificates.
    identity: of that folder, from `manifest.Workdir`.
    chunk_size: runs certified and stored at a time, on one core.
    step: the step, noted with the results.

  Returns:
    The fields of `certificates.Certificates` by name, [S, ...], as stored.
  """
  num_runs = len(weights)
  example = certificates.certify(
    weights[:1], bias[:1], settling.SETTINGS
  )._asdict()
  run_store = store.RunStore(
    path / FILENAME,
    group.name,
    num_runs=num_runs,
    chunk_size=chunk_size,
    results={name: values[0] for name, values in example.items()},
    variables=VARIABLES,
    coordinates={},
    attrs={
      **group.static,
      'num_configurations': group.num_configurations,
      'step': step,
      **settling.SETTINGS._asdict(),
    },
    identity=identity,
  )
  spans = [
    (start, min(start + chunk_size, num_runs))
    for start in range(0, num_runs, chunk_size)
  ]
  left = [span for span in spans if not run_store.is_finished(*span)]

  def run(span: tuple[int, int]) -> tuple[int, Mapping[str, Any]]:
    own = slice(*span)
    found = certificates.certify(weights[own], bias[own], settling.SETTINGS)
    return span[0], found._asdict()

  counts = np.zeros(len(Verdict), int)
  done = num_runs - sum(stop - start for start, stop in left)
  # LAPACK works outside the interpreter's lock, so threads use all cores.
  with (
    tqdm.tqdm(total=num_runs, initial=done, desc=group.name, unit='run') as bar,
    concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool,
  ):
    try:
      for start, chunk in pool.map(run, left):
        run_store.write(start, chunk)
        counts += np.bincount(chunk['verdict'], minlength=len(Verdict))
        bar.set_postfix_str(
          ' '.join(
            f'{code.name.lower()}={counts[code]}'
            for code in Verdict
            if counts[code]
          )
        )
        bar.update(len(chunk['verdict']))
    except BaseException:
      # A full disk or an interruption shall not wait for all that is left.
      pool.shutdown(wait=False, cancel_futures=True)
      raise
  runs = StoredRuns(path / FILENAME, group.name)
  return {variable: runs.read(variable) for variable in VARIABLES}
