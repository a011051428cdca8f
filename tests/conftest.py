"""Settings of all tests: two CPU devices, no silent broadcasting of ranks."""

import jax

jax.config.update('jax_num_cpu_devices', 2)
jax.config.update('jax_numpy_rank_promotion', 'raise')
