"""One sparse autoencoder on a bank of its own: train, observe, label.

x (key and traced settings of one run) --trial--> results by name
"""

from collections.abc import Mapping

import jax.numpy as jnp

from toyjax import chunks, descent, loops, optimizer_settings
from toyjax.base import Array, ArrayTree
from toyjax.data import feature_bank
from toyjax.settings import Values
from toyjax.studies import banks
from toyjax.toys import sparse_autoencoder
from toyjax.toys.sparse_autoencoder import Latent, Outcome, Params
from toyjax.variables import coded, described

# What is kept of a diagnosis.
_SEEN = (
  *('outcome', 'latents', 'recovered', 'mean_cosine', 'explained', 'active'),
)
# What is drawn beside the training, for `loops.side_key`.
_BANK, _FRESH = range(2)

VARIABLES = {
  'outcome': coded(Outcome, 'how many features are recovered', 'step'),
  'latents': coded(Latent, 'what each latent is', 'step', 'latent'),
  **described('step', 'feature', recovered='whether a latent matches it'),
  **described(
    'step',
    mean_cosine='mean over features of the largest cosine to a live latent',
    explained='1 - E|x - x_hat|^2 / E|x - E x|^2',
    active='mean number of latents that fire',
  ),
  **described('latent', dead_at_start='whether it is dead before any step'),
  **described('latent', 'input', decoder='W_d at the end, unit rows'),
  **described('feature', 'input', features='F, unit rows'),
  **described('input', mean='mu'),
}


def top_k(values: Values) -> int | None:
  """Returns how many latents stay, None for all."""
  return values['top_k'] if values['sparsity'] == 'top_k' else None


def make_trial(values: Values) -> chunks.Trial:
  """Returns the experiment for one seed: train on fresh inputs, observe."""
  dtype = jnp.dtype(values['dtype'])
  given, kept = banks.drawn(values), top_k(values)

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    bank = banks.make(loops.side_key(x['key'], _BANK), values, x['mean_norm'])
    mean, _ = feature_bank.moments(bank, **given)
    toy = sparse_autoencoder.make(
      num_inputs=values['num_inputs'],
      num_latents=values['num_latents'],
      sample=feature_bank.sampler(
        bank, batch_size=values['batch_size'], **given
      ),
      l1=x['l1'] if kept is None else 0.0,
      top_k=kept,
      tied=values['encoder'] == 'tied',
      center=x['centering'].astype(dtype) * mean,
      dtype=dtype,
    )
    optimizer = optimizer_settings.make(
      values['optimizer'], x, schedule=None, dtype=dtype
    )
    dynamics = loops.intervene(
      descent.descend(toy, optimizer), None, sparse_autoencoder.unit_rows
    )
    fresh = feature_bank.draw(
      loops.side_key(x['key'], _FRESH),
      bank,
      batch_size=values['num_fresh'],
      **given,
    )

    def diagnose(params: Params) -> sparse_autoencoder.Diagnosis:
      return sparse_autoencoder.diagnose(
        params,
        features=bank.features,
        inputs=fresh.x,
        present=fresh.amplitudes > 0.0,
        top_k=kept,
        thresholds=sparse_autoencoder.THRESHOLDS,
      )

    state, seen = loops.unroll(
      x['key'],
      dynamics,
      values['num_steps'],
      observe=lambda state, info: diagnose(state.inner.params),
      observe_at=values['observe_steps'],
    )
    first, _ = loops.unroll(x['key'], dynamics, 0)
    frequencies = sparse_autoencoder.firing_frequencies(
      first.inner.params, fresh.x, top_k=kept
    )
    return {
      **{name: getattr(seen, name) for name in _SEEN},
      'dead_at_start': sparse_autoencoder.is_dead(
        frequencies, sparse_autoencoder.THRESHOLDS
      ),
      'decoder': state.inner.params.decoder,
      'features': bank.features,
      'mean': bank.mean,
    }

  return trial
