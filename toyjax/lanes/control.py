"""How `lanes` walks into calls and loops.

A loop's carry may start equal for all seeds and come to differ: which part of
it varies is found before the loop is built, as a fixed point. A counter that
never varies stays a scalar, so its loop stays one loop for all seeds.
"""

from collections.abc import Sequence
from typing import Any

from jax import lax
from jax.extend import core
import jax.numpy as jnp

from toyjax.base import Array
from toyjax.lanes.rules import num_products, rule
from toyjax.lanes.values import (
  Context,
  Value,
  by_vmap,
  equations_within,
  lift,
  mark,
)

CALLS = ('jit', 'pjit', 'closed_call', 'core_call', 'checkpoint', 'remat2')


LOOPS = ('scan', 'while')


def has_loop(jaxpr: core.Jaxpr) -> bool:
  """Whether a program, or one that it calls, has a loop."""
  return any(e.primitive.name in LOOPS for e in equations_within(jaxpr))


def contractions(
  jaxpr: core.Jaxpr, in_loop: bool = False
) -> list[tuple[bool, float]]:
  """Lists the contractions of a program: in a loop or not, multiplications."""
  found = []
  for equation in jaxpr.eqns:
    if equation.primitive.name == 'dot_general':
      found.append((in_loop, num_products(equation)))
    within = in_loop or equation.primitive.name in LOOPS
    for program in core.jaxprs_in_params(equation.params):
      found += contractions(program, within)
  return found


def find_varying(jaxpr: core.Jaxpr, varies: Sequence[bool]) -> list[bool]:
  """Says which results of a program vary, given which arguments do."""
  known = dict(zip(jaxpr.invars, varies))

  def read(atom: core.Var | core.Literal) -> bool:
    return not isinstance(atom, core.Literal) and known.get(atom, False)

  for equation in jaxpr.eqns:
    operands = [read(atom) for atom in equation.invars]
    known.update(zip(equation.outvars, _equation_varies(equation, operands)))
  return [read(atom) for atom in jaxpr.outvars]


def _equation_varies(equation: core.JaxprEqn, varies: list[bool]) -> list[bool]:
  name, params = equation.primitive.name, equation.params
  if not any(varies):
    return [False] * len(equation.outvars)
  if name in CALLS:
    return find_varying(called(equation).jaxpr, varies)
  if name == 'scan':
    return scan_varies(equation, varies)
  if name == 'while':
    return while_varies(equation, varies)[0]
  if name == 'cond' and not varies[0]:
    return branches_vary(params['branches'], varies[1:])
  return [True] * len(equation.outvars)


def called(equation: core.JaxprEqn) -> Any:
  """Returns the closed program that an equation calls."""
  program: Any = equation.params.get('jaxpr', equation.params.get('call_jaxpr'))
  closed = hasattr(program, 'consts')
  return program if closed else core.ClosedJaxpr(program, ())


@rule(*CALLS)
def _call(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  return context.evaluate(called(equation), values)


# ----- scan -----


def scan_bounds(equation: core.JaxprEqn) -> tuple[int, int]:
  """Returns where the operands of a scan turn from constants to the carry, and
  from the carry to the scanned arrays.
  """
  params = equation.params
  if 'num_consts' in params:  # Until JAX 0.10.
    return params['num_consts'], params['num_consts'] + params['num_carry']
  consts, carry, _ = params['ft_in'].unpack()
  return len(consts), len(consts) + len(carry)


def scan_varies(equation: core.JaxprEqn, varies: list[bool]) -> list[bool]:
  """Says which results of a scan vary, given which operands do."""
  params, (first, last) = equation.params, scan_bounds(equation)
  carry = varies[first:last]
  while True:
    results = find_varying(
      params['jaxpr'].jaxpr, [*varies[:first], *carry, *varies[last:]]
    )
    following = [a or b for a, b in zip(carry, results)]
    if following == carry:
      return [*carry, *results[len(carry) :]]
    carry = following


@rule('scan')
def _scan(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  params, (first, last) = equation.params, scan_bounds(equation)
  consts, init, xs = values[:first], values[first:last], values[last:]
  varies = scan_varies(equation, [value.varies for value in values])
  carry_varies = varies[: len(init)]
  # A scanned array is [T, ..., S]: its slices end in the seed axis, too.
  xs_vary = [x.varies for x in xs]

  def body(
    carry: list[Array], slices: list[Array]
  ) -> tuple[list[Array], list[Array]]:
    results = context.evaluate_in_loop(
      params['jaxpr'],
      [*consts, *mark(carry, carry_varies), *mark(slices, xs_vary)],
    )
    arrays = lift(context, results, varies, params['jaxpr'].jaxpr.outvars)
    return arrays[: len(init)], arrays[len(init) :]

  carry, ys = lax.scan(
    body,
    lift(context, init, carry_varies, equation.invars[first:last]),
    [x.array for x in xs],
    length=params['length'],
    reverse=params['reverse'],
    unroll=params['unroll'],
  )
  return mark([*carry, *ys], varies)


# ----- while -----


def while_varies(
  equation: core.JaxprEqn, varies: list[bool]
) -> tuple[list[bool], bool]:
  """Says which part of the carry varies, and whether the condition does."""
  params = equation.params
  first = params['cond_nconsts']
  last = first + params['body_nconsts']
  carry = varies[last:]
  while True:
    results = find_varying(
      params['body_jaxpr'].jaxpr, [*varies[first:last], *carry]
    )
    (stops_apart,) = find_varying(
      params['cond_jaxpr'].jaxpr, [*varies[:first], *carry]
    )
    # Seeds that stop at different steps hold different carries.
    following = [a or b or stops_apart for a, b in zip(carry, results)]
    if following == carry:
      return carry, stops_apart
    carry = following


@rule('while')
def _while(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  params = equation.params
  first = params['cond_nconsts']
  last = first + params['body_nconsts']
  varies, stops_apart = while_varies(
    equation, [value.varies for value in values]
  )
  if stops_apart and (
    params['cond_jaxpr'].effects or params['body_jaxpr'].effects
  ):
    return by_vmap(context, equation, values)  # Which may refuse them.

  def goes_on(carry: list[Array]) -> Array:
    marked = [*values[:first], *mark(carry, varies)]
    return context.evaluate_in_loop(params['cond_jaxpr'], marked)[0].array

  def body(carry: list[Array]) -> list[Array]:
    marked = [*values[first:last], *mark(carry, varies)]
    results = context.evaluate_in_loop(params['body_jaxpr'], marked)
    variables = params['body_jaxpr'].jaxpr.outvars
    arrays = lift(context, results, varies, variables)
    if stops_apart:
      running = goes_on(carry)
      arrays = [jnp.where(running, a, b) for a, b in zip(arrays, carry)]
    return arrays

  carry = lax.while_loop(
    (lambda carry: jnp.any(goes_on(carry))) if stops_apart else goes_on,
    body,
    lift(context, values[last:], varies, equation.invars[last:]),
  )
  return mark(carry, varies)


# ----- cond, whose rule is in `branches` -----


def branches_vary(
  branches: Sequence[core.ClosedJaxpr], varies: Sequence[bool]
) -> list[bool]:
  """Says which results vary where all seeds take one branch."""
  found = [find_varying(branch.jaxpr, varies) for branch in branches]
  return [any(results) for results in zip(*found)]
