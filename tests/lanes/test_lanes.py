"""What `lanes` promises beside values: axes, errors, composition, layout."""

import functools

import jax
from jax import lax
from jax.extend import core
from jax.interpreters import batching, mlir
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec
import numpy as np
import pytest

from tests.compiler import FAST
from tests.lanes.agreement import assert_agree
from toyjax.lanes import interpreter, is_tiny, lanes, rules

# A handful of operations, and sums of at most 16 terms.
ULPS = 32


def _normal(*shape, seed=0):
  rng = np.random.default_rng(seed)
  return jnp.asarray(rng.normal(size=shape), jnp.float32)


def _small(x, y):
  """Of x [3] and y [2, 3]: contractions, a loop, a reduction."""
  hidden = jnp.tanh(y @ x)
  final, seen = lax.scan(
    lambda c, row: (0.5 * c + row * hidden[0], c.sum()), x, y
  )
  return {'final': final, 'seen': (seen, jnp.sum(hidden**2))}


def _loss(x, y):
  return sum(map(jnp.sum, jax.tree.leaves(_small(x, y))))


def _check_compiled(make, *args):
  """As `_check`, for programs of many steps: compiled fast, and as one."""
  found, expected = jax.jit(
    lambda *args: [make(mapper)(*args) for mapper in (lanes, jax.vmap)],
    compiler_options=FAST,
  )(*args)
  assert_agree(found, expected, ulps=ULPS)


def _check(make, *args):
  assert_agree(make(lanes)(*args), make(jax.vmap)(*args), ulps=ULPS)


# ----- axes -----


@pytest.mark.parametrize(
  ('in_axes', 'x_shape', 'y_shape'),
  [
    (0, (4, 3), (4, 2, 3)),
    (-1, (3, 4), (2, 3, 4)),
    (1, (3, 4), (2, 4, 3)),
    ((0, 1), (4, 3), (2, 4, 3)),
    ((0, -2), (4, 3), (2, 4, 3)),
    ([1, 2], (3, 4), (2, 3, 4)),
    ((None, 0), (3,), (4, 2, 3)),
    ((0, None), (4, 3), (2, 3)),
  ],
  ids=str,
)
def test_axes(in_axes, x_shape, y_shape):
  choices = [0, -1, {'final': 1, 'seen': 0}, {'final': -2, 'seen': (1, -1)}]

  def make(mapper):
    return lambda x, y: [
      mapper(_small, in_axes, out_axes)(x, y) for out_axes in choices
    ]

  _check_compiled(make, _normal(*x_shape), _normal(*y_shape))


@pytest.mark.parametrize(
  'in_axes',
  [
    0,
    (0, 0),
    ({'a': 0, 'b': (0, None)}, 0),
    ({'a': 0, 'b': 0}, None),
    ({'a': None, 'b': (None, 0)}, 0),
    ({'a': -2, 'b': (-1, -1)}, 1),
    (None, 1),
  ],
  ids=str,
)
def test_prefixes_of_nested_arguments(in_axes):
  # Every axis has four entries: each choice of axes is a program of its own.
  tree = {'a': _normal(4, 4), 'b': (_normal(4, 4), _normal(4, 4, seed=1))}

  def fun(tree, z):
    first, second = tree['b']
    return jnp.sum(tree['a']) * jnp.sum(first) + jnp.sum(second) * z.mean()

  _check(lambda m: m(fun, in_axes), tree, _normal(4, 4, seed=2))


def test_missing_leaves_stay_missing():
  tree = {'a': _normal(4, 3), 'b': None}
  _check(lambda m: m(lambda t: (t['a'] * 2, t['b'], ())), tree)


def test_results_that_do_not_vary():
  x, y = _normal(4, 3), _normal(2)

  def fun(x, y):
    return x + 1, jnp.sin(y), 2.0, jnp.arange(3), y

  found = lanes(fun, (0, None), (0, None, None, None, None))(x, y)
  expected = jax.vmap(fun, (0, None), (0, None, None, None, None))(x, y)
  assert found[1].shape == (2,)
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-6), found, expected
  )
  # Where an axis is asked for, they are repeated.
  repeated = lanes(fun, (0, None), (0, 0, 0, 1, -1))(x, y)
  assert [leaf.shape for leaf in repeated] == [
    (4, 3),
    (4, 2),
    (4,),
    (3, 4),
    (2, 4),
  ]
  np.testing.assert_array_equal(repeated[3], np.tile(np.arange(3)[:, None], 4))


def test_constants_are_repeated_for_every_seed():
  _check(lambda m: m(lambda x: (jnp.ones((2, 3)), 1, True)), _normal(4))


def test_python_numbers_that_are_not_mapped_stay_what_they_are():
  x = jnp.ones((3, 2), jnp.bfloat16)
  assert lanes(lambda x, c: x * c, (0, None))(x, 2.5).dtype == jnp.bfloat16
  _check(lambda m: m(lambda x, n: x.sum() * len(range(n)), (0, None)), x, 4)


def test_types_follow_weakly_typed_arguments():
  weak = jnp.broadcast_to(2.0, (3,))
  assert weak.weak_type
  found = lanes(lambda a, b: a * b)(jnp.ones(3, jnp.bfloat16), weak)
  assert found.dtype == jnp.bfloat16


def test_one_seed_and_no_seed():
  for size in (1, 0):
    _check(lambda m: m(_small), _normal(size, 3), _normal(size, 2, 3))


def test_numpy_arguments():
  _check(lambda m: m(_small), np.ones((4, 3)), np.ones((4, 2, 3)))


# ----- errors, as those of jax.vmap -----


@pytest.mark.parametrize(
  ('fun', 'in_axes', 'out_axes', 'shapes'),
  [
    (jnp.sin, None, 0, [(3,)]),
    (jnp.add, (None, None), 0, [(3,), (3,)]),
    (jnp.add, 0, 0, [(3,), (4,)]),
    (jnp.add, (0, 1), 0, [(3, 3), (3, 2)]),
    (jnp.sin, 2, 0, [(3, 3)]),
    (jnp.sin, -3, 0, [(3, 3)]),
    (jnp.sin, 0, 0, [()]),
    (jnp.sin, (0, 0), 0, [(3,)]),
    (jnp.sin, ((0, 0),), 0, [(3,)]),
    (jnp.sin, 0, None, [(3,)]),
    (jnp.sin, 0, 2, [(3,)]),
    (jnp.sin, 0, (0, 0), [(3,)]),
  ],
  ids=[
    'nothing_mapped',
    'none_of_two_mapped',
    'sizes_differ',
    'sizes_of_axes_differ',
    'axis_too_large',
    'axis_too_small',
    'scalar',
    'too_many_axes',
    'no_prefix',
    'varies_but_shared',
    'result_axis_too_large',
    'no_prefix_of_results',
  ],
)
def test_errors(fun, in_axes, out_axes, shapes):
  args = [jnp.ones(shape) for shape in shapes]
  for mapper in (jax.vmap, lanes):
    with pytest.raises(ValueError):  # noqa: PT011 (the words are JAX's)
      mapper(fun, in_axes, out_axes)(*args)


def test_errors_name_the_values():
  with pytest.raises(ValueError, match=r'\[3, 4\]'):
    lanes(jnp.add)(jnp.ones(3), jnp.ones(4))
  with pytest.raises(ValueError, match=r'axis 2 .* \(3, 3\)'):
    lanes(jnp.sin, 2)(jnp.ones((3, 3)))


# ----- composition -----

X, Y = _normal(4, 3), _normal(4, 2, 3, seed=1)
COMPOSITIONS = {
  'jit_of': lambda m: jax.jit(m(_small)),
  'of_jit': lambda m: m(jax.jit(_small)),
  'grad_of': lambda m: jax.grad(
    lambda x, y: jnp.sum(m(_loss)(x, y) ** 2), argnums=(0, 1)
  ),
  'of_grad': lambda m: m(jax.grad(_loss, argnums=(0, 1))),
  'grad_of_grad_of': lambda m: jax.grad(
    lambda x, y: jnp.sum(
      jax.grad(lambda x: jnp.sum(m(_loss)(x, y) ** 2))(x) ** 2
    )
  ),
  'grad_of_of_grad': lambda m: jax.grad(
    lambda x, y: jnp.sum(m(jax.grad(_loss))(x, y) ** 2)
  ),
  'jacfwd_of': lambda m: jax.jacfwd(m(_loss)),
  'jacrev_of': lambda m: jax.jacrev(m(_loss)),
  'of_jacfwd': lambda m: m(jax.jacfwd(_small)),
  'of_hessian': lambda m: m(jax.hessian(_loss)),
  'jvp_of': lambda m: lambda x, y: jax.jvp(m(_small), (x, y), (x, y)),
  'of_checkpoint': lambda m: m(jax.grad(jax.checkpoint(_loss))),
  'checkpoint_of': lambda m: jax.grad(
    lambda x, y: jnp.sum(jax.checkpoint(m(_loss))(x, y))
  ),
  'linearize_of': lambda m: lambda x, y: jax.linearize(m(_loss), x, y)[1](x, y),
  'of_vmap': lambda m: (
    lambda x, y: m(jax.vmap(_small, (None, 0)))(x, jnp.stack([y, y * 2], 1))
  ),
  'vmap_of': lambda m: (
    lambda x, y: jax.vmap(m(_small), (None, 2))(x, jnp.stack([y, y * 2], 2))
  ),
  'vmap_of_unmapped': lambda m: (
    lambda x, y: jax.vmap(m(_small, (0, None)), (None, 0))(x, y)
  ),
  'twice': lambda m: (
    lambda x, y: m(m(_small), (None, 0))(x, jnp.stack([y, y * 2]))
  ),
  'closed_over': lambda m: jax.jit(
    lambda x, y: m(lambda x: _small(x, y[0] * 2))(x)
  ),
  'in_a_scan': lambda m: (
    lambda x, y: lax.scan(
      lambda c, _: (m(_small)(c, y)['final'], None), x, length=3
    )[0]
  ),
  'in_a_map': lambda m: (
    lambda x, y: lax.map(
      lambda xy: m(_small)(*xy),
      (x.reshape(2, 2, 3), y.reshape(2, 2, 2, 3)),
    )
  ),
}


@pytest.mark.parametrize('name', COMPOSITIONS)
def test_composition(name):
  _check_compiled(COMPOSITIONS[name], X, Y)


def _mesh(kind):
  return jax.make_mesh((2,), ('runs',), axis_types=(kind,))


@pytest.mark.parametrize('check_vma', [False, True])
def test_shard_map(check_vma):
  split = PartitionSpec('runs')

  def make(mapper):
    return jax.jit(
      jax.shard_map(
        mapper(jax.value_and_grad(_loss)),
        mesh=_mesh(AxisType.Auto),
        in_specs=split,
        out_specs=split,
        check_vma=check_vma,
      )
    )

  _check(make, X, Y)
  assert_agree(
    make(lanes)(X, Y), jax.vmap(jax.value_and_grad(_loss))(X, Y), ulps=ULPS
  )


@pytest.mark.parametrize('kind', [AxisType.Auto, AxisType.Explicit])
def test_sharded_arguments(kind):
  sharding = NamedSharding(_mesh(kind), PartitionSpec('runs'))
  args = jax.device_put((X, Y), sharding)
  found = jax.jit(lanes(_loss))(*args)
  assert_agree(found, jax.vmap(_loss)(X, Y), ulps=ULPS)
  assert len(found.devices()) == 2


def test_the_second_call_does_not_retrace():
  traces = []

  @jax.jit
  @lanes
  def fun(x):
    traces.append(1)
    return x * 2

  fun(X)
  fun(X + 1)
  assert len(traces) == 1


def test_a_seed_does_not_depend_on_the_others():
  fun = jax.jit(lanes(_small))
  full = fun(X, Y)
  for other in (X[::-1] * 1e3, jnp.full_like(X, jnp.nan)):
    changed = fun(other.at[2].set(X[2]), Y)
    jax.tree.map(
      lambda a, b: np.testing.assert_array_equal(a[2], b[2]), full, changed
    )


# ----- layout -----


def _primitives(jaxpr):
  found = []
  for equation in jaxpr.eqns:
    found.append(equation.primitive.name)
    for inner in core.jaxprs_in_params(equation.params):
      found += _primitives(inner)
  return found


def _of_lanes(fun, *args):
  return _primitives(jax.make_jaxpr(lanes(fun))(*args).jaxpr)


def test_small_contractions_are_unrolled_and_sums_too():
  found = _of_lanes(lambda a, b: jnp.sum(a @ b, 0), Y, _normal(4, 3, 2))
  assert 'dot_general' not in found
  assert 'reduce_sum' not in found
  assert found.count('mul') == 3


def test_large_contractions_keep_dot_general():
  n = 1 + round(interpreter.MAX_PRODUCTS ** (1 / 3))
  a = _normal(2, n, n)
  assert 'dot_general' in _of_lanes(lambda a: a @ a, a)
  _check(lambda m: m(lambda a: a @ a), a)
  looped = functools.partial(lax.fori_loop, 0, 2, lambda _, a: a @ a * 0.1)
  assert 'dot_general' in _of_lanes(looped, a)
  _check(lambda m: m(looped), a)
  assert not is_tiny(jax.make_jaxpr(looped)(a[0]).jaxpr)
  assert is_tiny(jax.make_jaxpr(looped)(a[0, :2, :2]).jaxpr)


@pytest.mark.parametrize('length', [16, 17, 100])
def test_long_contractions_are_added_up_in_parts(length):
  a, b = _normal(2, 3, length), _normal(2, length, seed=1)
  found = _of_lanes(lambda a, b: a @ b, a, b)
  assert found.count('mul') == length
  num_parts = {16: 0, 17: 3, 100: 13}[length]
  assert found.count('optimization_barrier') >= num_parts
  expected = np.einsum('sil,sl->si', *map(np.float64, (a, b)))
  np.testing.assert_allclose(
    lanes(jnp.matmul)(a, b), expected, rtol=0, atol=1e-5
  )


def test_a_contraction_too_long_to_unroll_makes_a_program_not_tiny():
  def fun(a):
    return a @ jnp.ones((a.size, 2))

  assert is_tiny(jax.make_jaxpr(fun)(jnp.ones(rules.MAX_UNROLLED)).jaxpr)
  assert not is_tiny(
    jax.make_jaxpr(fun)(jnp.ones(rules.MAX_UNROLLED + 1)).jaxpr
  )


def test_a_program_that_is_not_tiny_takes_all_axes():
  n = 1 + round(interpreter.MAX_PRODUCTS ** (1 / 3))
  _check(
    lambda m: m(
      lambda a, b: {'c': a @ b, 'd': b}, (2, None), {'c': -1, 'd': None}
    ),
    _normal(n, n, 2),
    _normal(n, n),
  )


def test_long_sums_stay_one_reduction():
  found = _of_lanes(jnp.sum, _normal(2, 1000))
  assert found.count('reduce_sum') == 1
  assert 'add' not in found


def test_a_shared_counter_keeps_one_loop_for_all_seeds():
  def fun(x):
    return lax.while_loop(
      lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * 2), (0, x)
    )

  jaxpr = jax.make_jaxpr(lanes(fun))(X).jaxpr
  (loop,) = (e for e in jaxpr.eqns if e.primitive.name == 'while')
  assert [v.aval.shape for v in loop.outvars] == [(), (3, 4)]
  # Without a choice in its body, nor an `any` in its condition.
  assert not {'select_n', 'reduce_or'} & set(_primitives(jaxpr))


def test_what_does_not_vary_is_computed_once():
  jaxpr = jax.make_jaxpr(lanes(lambda x, y: x * jnp.sin(y), (0, None)))(
    X[:, 0], jnp.float32(2)
  ).jaxpr
  (sine,) = (e for e in jaxpr.eqns if e.primitive.name == 'sin')
  assert sine.outvars[0].aval.shape == ()


# ----- primitives that nobody told lanes about -----


@pytest.fixture
def scaled_total():
  """A primitive of the user's own: scale · Σ x over the last axis."""
  primitive = core.Primitive('scaled_total')

  def implementation(x, *, scale):
    return scale * x.sum(-1)

  primitive.def_impl(implementation)
  primitive.def_abstract_eval(
    lambda x, *, scale: jax.core.ShapedArray(x.shape[:-1], x.dtype)
  )
  mlir.register_lowering(
    primitive, mlir.lower_fun(implementation, multiple_results=False)
  )

  def batched(args, axes, *, scale):
    (x,), (axis,) = args, axes
    return primitive.bind(jnp.moveaxis(x, axis, 0), scale=scale), 0

  batching.primitive_batchers[primitive] = batched
  yield functools.partial(primitive.bind, scale=3.0)
  del batching.primitive_batchers[primitive]


def test_an_unknown_primitive_works(scaled_total):
  def fun(x, y):
    return scaled_total(jnp.sin(x)), scaled_total(y) + x[:2]

  _check(lambda m: m(fun), X, Y)
  _check(lambda m: jax.jit(m(fun)), X, Y)
  np.testing.assert_allclose(
    lanes(scaled_total)(X), 3 * np.sum(X, 1), rtol=1e-5
  )


def test_callbacks_work():
  def fun(x):
    shape = jax.ShapeDtypeStruct((), x.dtype)
    return jax.pure_callback(
      lambda x: np.sum(x, -1), shape, x, vmap_method='expand_dims'
    )

  _check(lambda m: jax.jit(m(fun)), X)
