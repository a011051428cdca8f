"""The toy autoencoder's failed states, and how each arm goes on from them.

x (key) --make_search--> the whole state of training at the state steps
x (a state) --make_spell--> where L-BFGS and steepest descent take it
x (a state, numbers of an arm) --make_go_on--> when it solves, what it broke
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import optax

from toyjax import adam_states, chunks, descent, loops, observing
from toyjax.analysis.autoencoder import lbfgs, pieces, resampling
from toyjax.analysis.autoencoder.resampling import Numbers
from toyjax.base import Array, ArrayTree, Dynamics
from toyjax.settings import Values
from toyjax.store import Variable
from toyjax.studies.optimization_failure.trial import (
  make_dynamics,
  with_first_solved,
)
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import Outcome, Params
from toyjax.variables import coded, described

STATE = adam_states.names(Params._fields)
_KEY = 1  # Of `loops.side_key`: what a method draws.

_DIMS = {'weights': ('hidden', 'feature'), 'bias': ('feature',), 'count': ()}


SEARCH_VARIABLES = {
  'outcome': coded(Outcome, 'how the run stands', 'step'),
  **{
    name: Variable(
      ('step', *_DIMS[name.rpartition('_')[2]]),
      {'long_name': f'{name} of the state'},
    )
    for name in STATE
  },
}
SPELL_VARIABLES = {
  **described('hidden', 'feature', spell_weights='W at the end of the spell'),
  **described('feature', spell_bias='b at the end of the spell'),
  **described(
    num_evaluations='of F and its gradient',
    length='distance from the state, in all parameters',
  ),
  'end': coded(lbfgs.End, 'how the spell ended'),
}
VARIABLES = {
  'outcome': coded(Outcome, 'how the run stands at the end'),
  **described(
    before='code of its outcome at the state',
    solved_step='steps from the state until solved, -1 for never',
    sse='sum of squared errors at the end',
    sse_after='sum of squared errors right after the method',
    distance='how far the method moved all parameters',
    num_learned='features that were learned at the state',
    num_broken='of these, those that are not at the end',
  ),
}


def make_search(values: Values) -> chunks.Trial:
  """Returns the training that keeps its whole state at some steps."""
  seen = observing.with_earlier(values['state_steps'])

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    _, states = loops.unroll(
      x['key'],
      make_dynamics(values, x),
      values['state_steps'][-1],
      observe=lambda state, info: adam_states.arrays_of(state),
      observe_at=seen.steps,
    )
    params = Params(states['weights'], states['bias'])
    sse = jax.vmap(relu_autoencoder.one_hot_sse)(params)
    states = {name: leaf[seen.at] for name, leaf in states.items()}
    outcome = jax.vmap(_classify, in_axes=(0, 0, None))(
      Params(states['weights'], states['bias']),
      sse[seen.earlier_at],
      values['solved_sse'],
    )
    return {'outcome': outcome, **states}

  return trial


def _classify(params: Params, earlier_sse: Array, solved_sse: float) -> Array:
  return relu_autoencoder.classify(
    params,
    earlier_sse=earlier_sse,
    solved_sse=solved_sse,
    thresholds=relu_autoencoder.THRESHOLDS,
  )


def make_spell(values: Values) -> chunks.Trial:
  """Returns a spell of L-BFGS, or of steepest descent where `memory` is 0."""
  num_features = values['num_features']
  tolerances = lbfgs.Tolerances(solved_sse=values['solved_sse'], gradient=1e-12)

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    start = pieces.vector(Params(x['weights'], x['bias']))
    state = lbfgs.descend(
      start,
      num_features=num_features,
      num_pairs=values['num_pairs'],
      tolerances=tolerances,
      max_evaluations=values['spell_evaluations'],
      remembers=x['memory'] > 0,
    )
    params = pieces.params_of(state.v, num_features)
    return {
      'spell_weights': params.weights,
      'spell_bias': params.bias,
      'num_evaluations': state.num_evaluations,
      'length': jnp.sqrt(jnp.sum((state.v - start) ** 2)),
      'end': state.end,
    }

  return trial


def make_go_on(values: Values) -> chunks.Trial:
  """Returns the training from a state that an arm has changed.

  x holds the state, the numbers of the arm, and weights for `Method.GIVEN`.
  """
  num_steps, solved_sse = values['num_steps'], values['solved_sse']

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    rate = x['learning_rate'] * x['rate']
    training = make_dynamics(values, {**x, 'learning_rate': rate})
    before = adam_states.state_of(training.init(x['key']), x)
    _, was_learned = resampling.failed_features(before.params)
    params, is_set = resampling.apply(
      # Two states of one run are changed by other draws.
      jax.random.fold_in(loops.side_key(x['key'], _KEY), x['count']),
      before.params,
      method=x['method'],
      numbers=Numbers(*(x[name] for name in Numbers._fields)),
      given=Params(x['given_weights'], x['given_bias']),
    )
    anew = is_set & (x['reset'] > 0)

    def forget(moments: Params) -> Params:
      return Params(
        jnp.where(anew[None, :], 0.0, moments.weights),
        jnp.where(anew, 0.0, moments.bias),
      )

    adam, *rest = before.opt_state
    adam = adam._replace(mu=forget(adam.mu), nu=forget(adam.nu))
    start = descent.DescentState(params, (adam, *rest))

    dynamics = with_first_solved(
      Dynamics(lambda key: start, training.step), values
    )
    state, earlier = loops.unroll(
      x['key'],
      dynamics,
      num_steps,
      observe=lambda state, info: relu_autoencoder.one_hot_sse(
        state.inner.params
      ),
      observe_at=[max(num_steps * 9 // 10, 1)],
    )
    ended = state.inner.params
    _, is_learned = resampling.failed_features(ended)
    sse = relu_autoencoder.one_hot_sse(ended)
    solved_late = (state.record < 0) & (sse < solved_sse)
    return {
      'outcome': _classify(ended, earlier[0], solved_sse),
      'before': x['before'].astype(jnp.int32),
      'solved_step': jnp.where(solved_late, num_steps, state.record),
      'sse': sse,
      'sse_after': relu_autoencoder.one_hot_sse(params),
      'distance': optax.global_norm(
        jax.tree.map(jnp.subtract, params, before.params)
      ),
      'num_learned': jnp.sum(was_learned, dtype=jnp.int32),
      'num_broken': jnp.sum(was_learned & ~is_learned, dtype=jnp.int32),
    }

  return trial
