"""Certifies all runs of a folder of optimization_failure.

results.zarr --certify--> certificates.zarr, one certificate a run --> [Runs]
"""

from collections import Counter
import concurrent.futures
import os

import jax
import numpy as np
import tqdm

from toyjax import store
from toyjax.analysis.autoencoder import certificates, settling
from toyjax.analysis.autoencoder.catalogue import Entry
from toyjax.analysis.autoencoder.certificates import Verdict
from toyjax.manifest import Workdir
from toyjax.parsers import SettingError
from toyjax.runs import Runs
from toyjax.stages import Stage
from toyjax.stored_runs import StoredRuns
from toyjax.studies.folders import Folder
from toyjax.variables import coded, described

FOLDER = 'certificates'  # Within the one whose runs are certified.
_STORE = 'certificates.zarr'
CERTIFICATES = f'{FOLDER}/{_STORE}'

VARIABLES = {
  'verdict': coded(Verdict, 'what the run leads to'),
  'entry': coded(Entry, 'what explains its error'),
  **described(
    start_sse='SSE as trained',
    sse='SSE of what it leads to',
    catalogue_sse='SSE of the entry',
    infimum='infimum along the entry',
    gradient_norm='norm of the gradient',
    distance='distance from the run',
    kink_distance='least |z| of an output',
    least_curvature='least curvature',
    num_flat='flat directions',
    radial_slope='dF / d|W| of a valley',
    margin='margin of an exact solution',
  ),
  **described('hidden', 'feature', weights='W'),
  **described('feature', bias='b'),
}


def certify_all(
  folder: Folder, workdir: Workdir, *, step: int, chunk_size: int
) -> list[Runs]:
  """Certifies all groups of a folder.

  Args:
    folder: of optimization_failure.
    workdir: where the certificates go.
    step: the observed step that is certified.
    chunk_size: runs certified and stored at a time, on one core.

  Returns:
    The runs by configuration, as trained but for `VARIABLES`, with 'label' [S],
    their outcome at the step, and 'norm' [S], |W|_F as trained.

  Raises:
    SettingError: where a run has not finished.
  """
  found: list[Runs] = []
  for stage in folder.stages:
    stored = folder.open(stage)
    if not stored.is_whole:
      raise SettingError(
        f'{stage.name} has {len(stored.runs)} of {stored.num_runs} runs; '
        'finish scripts.optimization_failure first'
      )
    at = stage.values['observe_steps'].index(step)
    weights, bias = (stored.read(name)[:, at] for name in ('weights', 'bias'))
    certified = _certify(stage, weights, bias, workdir, step, chunk_size)
    found += folder.split(
      stage,
      stored,
      {
        **certified,
        'label': stored.read('outcome')[:, at],
        'norm': np.linalg.norm(weights.astype(float), axis=(1, 2)),
      },
    )
  return found


def _certify(
  stage: Stage,
  weights: np.ndarray,
  bias: np.ndarray,
  workdir: Workdir,
  step: int,
  chunk_size: int,
) -> dict[str, np.ndarray]:
  """Certifies the runs of a stage and stores it, or resumes it there."""

  def certify(span: tuple[int, int]) -> dict[str, np.ndarray]:
    own = slice(*span)
    with jax.enable_x64(True):  # A thread has settings of its own.
      found = certificates.certify(weights[own], bias[own], settling.SETTINGS)
    return found._asdict()

  num_runs = len(weights)
  run_store = store.RunStore(
    workdir.path / _STORE,
    stage.name,
    num_runs=num_runs,
    chunk_size=chunk_size,
    results={name: values[0] for name, values in certify((0, 1)).items()},
    variables=VARIABLES,
    coordinates={},
    attrs={
      **stage.static,
      'num_configurations': stage.num_configurations,
      'step': step,
      **settling.SETTINGS._asdict(),
    },
    identity=workdir.identity,
  )
  spans = [
    (start, min(start + chunk_size, num_runs))
    for start in range(0, num_runs, chunk_size)
  ]
  left = [span for span in spans if not run_store.is_finished(*span)]
  done = num_runs - sum(stop - start for start, stop in left)
  counts: Counter[str] = Counter()
  # LAPACK works outside the interpreter's lock, so threads use all cores.
  with (
    tqdm.tqdm(total=num_runs, initial=done, desc=stage.name, unit='run') as bar,
    concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool,
  ):
    try:
      for (start, stop), chunk in zip(left, pool.map(certify, left)):
        run_store.write(start, chunk)
        counts.update(Verdict(code).name.lower() for code in chunk['verdict'])
        bar.set_postfix(counts)
        bar.update(stop - start)
    except BaseException:
      # A full disk or an interruption shall not wait for all that is left.
      pool.shutdown(wait=False, cancel_futures=True)
      raise
  stored = StoredRuns(workdir.path / _STORE, stage.name)
  return {name: stored.read(name) for name in VARIABLES}
