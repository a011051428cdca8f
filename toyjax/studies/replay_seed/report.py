"""What a replay shows: whether it is the stored run, and all of its way."""

import functools

from toyjax.manifest import Workdir
from toyjax.settings import Values
from toyjax.studies import replaying
from toyjax.studies.base import Report
from toyjax.studies.replay_seed import figures
from toyjax.studies.replaying import Original, describe
from toyjax.tables import Table
from toyjax.toys.relu_autoencoder import Outcome

_STATES = ('weights', 'bias')


def report(original: Original, workdir: Workdir, values: Values) -> Report:
  """Runs a stored run again; returns the comparison and all pictures.

  Args:
    original: the run.
    workdir: where its trajectory goes.
    values: num_observed, whole_chunk, num_stages, num_frames and tilt_outputs.
  """
  steps = original.more_steps(values['num_observed'])
  seen = replaying.rerun(original, steps, workdir)
  at = [steps.index(step) for step in original.steps]
  again = {name: seen[name][at] for name in (*_STATES, 'sse', 'outcome')}
  compare = functools.partial(
    replaying.compare,
    original.steps,
    original.stored,
    states=_STATES,
    error='sse',
    outcomes=Outcome,
  )
  rows = compare('alone', again)
  said = [f'run alone, observed more often: {describe(rows)}']
  is_other = any(row['max_ulps'] for row in rows)
  if values['whole_chunk']:
    own = compare('whole_chunk', replaying.rerun_chunk(original))
    said.append(f"the sweep's own program: {describe(own)}")
    rows += own
  elif is_other:
    said.append('--whole_chunk runs its whole chunk by the very same program')
  if any(row['max_ulps'] for row in rows):
    said += replaying.environment_differences(
      original.environment, workdir.manifest['invocations'][-1]
    ) or ['nothing differs between the machines']
  run = figures.make_trajectory(
    f'Run {original.run} of {original.stage.name}',
    steps,
    seen,
    original.folder.values['solved_sse'],
  )
  pictures = figures.pictures(
    run,
    num_stages=values['num_stages'],
    num_frames=values['num_frames'],
    outputs=values['tilt_outputs'],
  )
  return pictures._replace(
    parts=['\n'.join(said), Table('comparison', rows), *pictures.parts]
  )
