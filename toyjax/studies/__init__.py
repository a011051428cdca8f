"""Studies: settings, trials and reports, importable without a flag or a file.

    from toyjax import studies
    from toyjax.studies import sqrt_failure

    values = sqrt_failure.STUDY.resolve(hidden_dim=[2, 4])
    found = studies.run(sqrt_failure.STUDY, values, num_seeds=256)
    sqrt_failure.STUDY.report(found, values).table('summary').frame

Each is a package of its own: `settings` (one row a setting), `trial` (one run),
`report` (tables and sheets of finished runs). `toyjax.command` makes flags of
the settings, a folder of the runs, files of the report.
"""

from toyjax.studies.base import Plan, Report, Study, Task
from toyjax.studies.running import read, run, run_one
from toyjax.study_names import names

__all__ = ['Plan', 'Report', 'Study', 'Task', 'names', 'read', 'run', 'run_one']
