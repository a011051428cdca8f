"""lanes: the meaning of `jax.vmap`, laid out for tiny programs.

`jax.vmap` puts the mapped axis first, so that a 2 x 7 matrix product of each of
a thousand seeds becomes a thousand tiny products. `lanes` puts the mapped axis
last: each number of the per-seed program becomes a contiguous vector over the
seeds, a product becomes a few multiply-adds of such vectors, and the machine
runs at the width of its vector units.

    fun --trace for one seed--> jaxpr --interpreter--> the same steps on
                                                       arrays [..., seeds]

`mapped` traces it, and on a CPU `blocks` hands it seeds that fit the cache.
`interpreter` walks the program, `rules` says how each primitive acts with the
seed axis last, `lookups` and `slices` read and write at indices, `control`
walks into loops, `branches` into branches, `customs` into functions with
derivatives of their own; `derivatives` keeps those of `jax.vmap` where another
way of computing would have others. `axes` reads axes as `jax.vmap` does. A
primitive without a rule is mapped by `jax.vmap`, so every program works.

On a GPU `kernel` makes a whole loop one kernel: `cells` takes the program apart
into single numbers that stay in registers, by the rules in `cell_*`, and
`backends` chooses the compiler: Mosaic GPU, which lacks more than Triton does
(`cell_mosaic`), or Triton.
On a CPU `compiler` says which options the compiler needs.
"""

from typing import Any

from toyjax.lanes.blocks import block_size, is_tiny, largest_contraction
from toyjax.lanes.compiler import cpu_compiler_options
from toyjax.lanes.mapped import lanes
from toyjax.lanes.shared_draws import has_shared_draws

__all__ = [
  'CPU_COMPILER_OPTIONS',
  'block_size',
  'cpu_compiler_options',
  'has_shared_draws',
  'is_tiny',
  'lanes',
  'largest_contraction',
]


def __getattr__(name: str) -> Any:
  """Finds `CPU_COMPILER_OPTIONS` when asked, as that compiles a program."""
  if name == 'CPU_COMPILER_OPTIONS':
    return cpu_compiler_options()
  raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
