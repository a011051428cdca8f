"""Runs each stage of the chaos map, tabulates it and draws it.

stage --compute--> store --report--> one CSV file, one table, one figure
"""

from collections.abc import Mapping
import pathlib
from typing import Any

import numpy as np

from scripts.shared import (
  chaos_figures,
  chaos_report,
  chaos_study,
  tables,
)
from scripts.shared.grids import text_of
from toyjax.analysis.chaos_endings import Ending


def report_map(
  path: pathlib.Path, settings: Mapping[str, Any], compute: chaos_study.Compute
) -> None:
  """Runs, tabulates and draws the map itself."""
  stage = chaos_study.map_stage(settings)
  results = compute(stage)
  rows = tables.outcome_rows(
    chaos_study.variant(settings),
    settings['observe_steps'],
    results['ending'],
    Ending,
  )
  tables.write_csv(path / 'summary.csv', rows)
  chaos_report.print_rows(
    'How runs stand (95 % Wilson intervals)',
    rows,
    ('step', 'outcome', 'count', 'total', 'fraction', 'lower', 'upper'),
  )
  for k, step in enumerate(settings['observe_steps']):
    norms = results['total_norm'][:, k]
    norms = norms[np.isfinite(norms)]
    print(
      f'after {step:,} steps the sum of |W_i| spans {norms.min():.3f} to '
      f'{norms.max():.3f}'
    )
  edges = chaos_report.edge_rows(results, stage, settings)
  tables.write_csv(path / 'edges.csv', edges)
  last = [row for row in edges if row['step'] == settings['observe_steps'][-1]]
  chaos_report.print_rows(
    'Learning rates that recover, at some Delta',
    last[:: max(len(last) // 12, 1)],
    ('delta', 'slow_edge', 'fast_edge', 'failures_between'),
  )
  chaos_figures.draw_map(path / 'map.png', stage, results, settings)


def report_lyapunov(
  path: pathlib.Path, settings: Mapping[str, Any], compute: chaos_study.Compute
) -> None:
  """Runs, tabulates and draws the Lyapunov map."""
  stage = chaos_study.lyapunov_stage(settings)
  results = compute(stage)
  rows = chaos_report.lyapunov_rows(results, settings)
  tables.write_csv(path / 'lyapunov.csv', rows)
  chaos_report.print_rows(
    'ln of the largest growth of a difference at the start; how many runs grow '
    'one rounding to order 1',
    rows,
    (
      *('ending', 'runs', 'log_peak_p5', 'log_peak_median', 'log_peak_p95'),
      *('exponent_median', 'beyond_float32', 'beyond_float64'),
    ),
  )
  chaos_figures.draw_lyapunov(path / 'lyapunov.png', stage, results, settings)


def report_zooms(
  path: pathlib.Path, settings: Mapping[str, Any], compute: chaos_study.Compute
) -> None:
  """Runs the chains of windows, measures and draws them."""
  found = chaos_study.run_zooms(compute, settings)
  rows = chaos_report.zoom_rows(found, settings)
  tables.write_csv(path / 'zooms.csv', rows)
  null = chaos_study.run_null(settings)
  dimensions = chaos_report.dimension_rows(rows, null, settings)
  tables.write_csv(path / 'dimensions.csv', dimensions)
  chaos_report.print_rows(
    'Labels that one rounding of the start, or float64, flips',
    rows,
    (
      *('level', 'dtype', 'edge', 'chain', 'width', 'pixels', 'recovered'),
      *('box_dimension', 'box_dimension_shuffled', 'flips_nudged'),
      *('flips_by_chance', 'flips_float64'),
    ),
  )
  chaos_report.print_rows(
    "Dimension of the edge (mean over windows, Student's t interval)",
    dimensions,
    (
      *('edge', 'dtype', 'windows', 'method', 'count', 'without_edge'),
      *('decades', 'estimate', 'lower', 'upper'),
    ),
  )
  chaos_figures.draw_zooms(path / 'zooms.png', found, settings)
  chaos_figures.draw_dimensions(
    path / 'dimensions.png', rows, dimensions, settings
  )


def report_scan(
  path: pathlib.Path, settings: Mapping[str, Any], compute: chaos_study.Compute
) -> None:
  """Runs and tabulates the variants that the source leaves open."""
  rows = [
    row
    for stage in chaos_study.scan_stages(settings)
    for row in chaos_report.scan_rows(stage, compute(stage), settings)
  ]
  tables.write_csv(path / 'scan.csv', rows)
  ends = [f'slow_edge_at_{text_of(d)}' for d in settings['scan_deltas']]
  chaos_report.print_rows(
    'Variants (published: sum of |W_i| 8.5 to 14.1, edge 1.55 to 2.4)',
    rows,
    (
      *('loss_reduction', 'separation', 'norm_factor', 'step', 'recovered'),
      *('diverged', 'total_norm_min', 'total_norm_max', ends[0], ends[-1]),
    ),
  )
