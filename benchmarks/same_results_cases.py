"""Every script, small: the commands whose results `same_results` compares."""

from collections.abc import Mapping
import pathlib

_FILES = pathlib.Path(__file__).parents[1] / 'tests' / 'data_files'
_TRACE = f'--trace={next(_FILES.glob("math_rollouts/*/*/*/problem_7"))}'
_SMALL_SWEEP = (
  *('optimization_failure', '--num_features=5,6', '--num_seeds=20'),
  *('--num_steps=300', '--observe_steps=100,300', '--chunk_size=16'),
  '--learning_rate=0.01,0.1',
)
_TRAINED = (
  *('optimization_failure', '--num_features=8', '--num_seeds=12'),
  *('--num_steps=10000', '--observe_steps=200,10000'),
  '--learning_rate=.01,1e3',
)
_CERTIFIED = (_TRAINED, ('certify_failure', '--chunk_size=8'))
# Script -> commands on one folder, each a script and its flags.
CASES: Mapping[str, tuple[tuple[str, ...], ...]] = {
  'optimization_failure': (_SMALL_SWEEP,),
  'certify_failure': _CERTIFIED,
  'descend_runaways': (
    *_CERTIFIED,
    (
      *('descend_runaways', '--max_evaluations=60', '--chunk_size=4'),
      *('--num_flows=2', '--flow_time=100', '--num_paths=2'),
    ),
  ),
  'latent_atlas': (
    _TRAINED,
    ('latent_atlas', '--num_members=2', '--max_panels=5'),
  ),
  'replay_seed': (
    _SMALL_SWEEP,
    (
      *('replay_seed', '--group=n5_m2', '--run=7', '--whole_chunk'),
      *('--num_observed=4', '--num_frames=2', '--num_stages=2'),
    ),
  ),
  'failure_sizes': (
    (
      *('optimization_failure', '--num_features=4,5', '--num_hidden=2,3'),
      *('--num_seeds=16', '--num_steps=200', '--observe_steps=200'),
    ),
    ('failure_sizes',),
  ),
  'failure_survival': (
    (
      *('failure_survival', '--num_features=4', '--num_steps=150'),
      *('--report_steps=60', '--num_seeds=12', '--optimizer=adamw'),
      *('--learning_rate=3e-2,1e30', '--adam_eps=1e-8', '--adam_b2=0.999'),
      *('--weight_decay=1e-2', '--init_scale=1', '--loss_reduction=mean'),
      *('--dtype=float32,float64', '--map=vmap'),
    ),
  ),
  'symmetric_failure': (
    (
      *('symmetric_failure', '--num_features=5', '--optimizer=adamw'),
      *('--norm_factor=1,1.1', '--num_seeds=16', '--num_steps=400'),
      *('--kick=1e-2', '--num_descents=4', '--descent_iterations=40'),
      *('--nudge=0.1', '--state_features=5', '--state_steps=100,300'),
      *('--state_decay=0.01', '--num_state_seeds=64'),
      '--num_random_states=64',
    ),
  ),
  'symmetric_escape': (
    (
      *('symmetric_escape', '--num_seeds=64', '--num_steps=400'),
      *('--adam_b2=0.999,0.9', '--adam_eps=1e-8', '--weight_decay=1e-2'),
    ),
  ),
  'resampling_trial': (
    (
      *('resampling_trial', '--num_features=6', '--learning_rate=1e-2'),
      *('--state_steps=100,300', '--num_steps=200', '--num_seeds=40'),
      *('--spell_evaluations=40', '--delta=0.1', '--factor=0.05'),
    ),
  ),
  'latent_resampling': (
    (
      *('latent_resampling', '--num_features=12', '--num_inputs=6'),
      *('--num_latents=10', '--batch_size=16', '--num_fresh=200'),
      *('--state_steps=40', '--num_steps=60', '--num_seeds=6'),
    ),
  ),
  'chaos_map': (
    (
      *('chaos_map', '--observe_steps=500,2000', '--solved_sse=0.856'),
      *('--size=16', '--lyapunov_size=8', '--zoom_size=16', '--num_chains=1'),
      *('--scan_size=8', '--scan_loss_reductions=sum', '--norm_factor=1.15'),
      *('--scan_separations=1', '--scan_norm_factors=1', '--zoom_levels=1'),
      *('--scan_deltas=0.2,0.1', '--chunk_size=256'),
    ),
  ),
  'text_failure': (
    (
      *('text_failure', '--num_seeds=24', '--num_epochs=60'),
      *('--observe_epochs=10,60', '--optimizer=adam', '--chunk_size=16'),
      *('--temperature=0.7,2', '--max_tokens=3,9', '--pairs=six,four'),
      '--printed_losses=0:1.9,60:0.5',
    ),
  ),
  'sqrt_failure': (
    (
      *('sqrt_failure', '--learning_rate=0.01,0.03', '--num_seeds=24'),
      *('--num_steps=120', '--observe_steps=40,120', '--num_points=9'),
      *('--num_counted=10', '--num_checked=20', '--newton_iterations=3'),
      *('--solved_rmse=0.2', '--chunk_size=16'),
    ),
  ),
  'walk_text': (
    (
      *('walk_text', '--pairs=four', '--num_epochs=20', '--seed_index=4'),
      *('--num_hidden_layers=1', '--num_samples=2000', '--digits=3'),
      *('--temperature=0.6,1.5', '--max_tokens=5', '--map=vmap'),
    ),
  ),
  'walk_sqrt': (
    (
      *('walk_sqrt', '--num_steps=300', '--seed=3', '--num_points=9'),
      *('--seed_index=5', '--x=0,1.5,4', '--digits=17', '--num_checked=50'),
    ),
  ),
  'changepoint_replay': (
    (
      *('changepoint_replay', f'--counts={_FILES / "counts.csv"}'),
      *('--policy=eig,omega', '--prior=published,jeffreys', '--focus=7'),
      *('--num_rollouts=30', '--chunk_size=8', '--num_repeats=3'),
    ),
  ),
  'changepoint_study': (
    (
      *('changepoint_study', '--policies=eig,omega_fair', '--batch_sizes=2'),
      *('--priors=published,jeffreys', '--num_positions=8', '--p1=prior,.8'),
      *('--p2=prior,.1', '--num_traces=12', '--num_null_traces=6'),
      '--num_rollouts=12',
    ),
  ),
  'locate_error': (
    (
      *('locate_error', _TRACE, '--concentration=20', '--max_segments=2'),
      '--num_draws=50',
    ),
  ),
  'superposition_phase': (
    (
      *('superposition_phase', '--density=0.1:1:2', '--importance=1,4'),
      *('--num_steps=60', '--observe_steps=20,60', '--num_seeds=12'),
      '--batch_size=16',
    ),
  ),
  'single_polygons': (
    (
      *('single_polygons', '--num_steps=60', '--observe_steps=20,60'),
      *('--num_seeds=12', '--batch_size=16'),
    ),
  ),
  'sparse_autoencoder': (
    (
      *('sparse_autoencoder', '--num_features=6', '--num_inputs=3'),
      *('--num_latents=5', '--num_steps=30', '--observe_steps=10,30'),
      *('--num_seeds=12', '--num_fresh=300', '--batch_size=16'),
      *('--sparsity=top_k', '--encoder=untied', '--mean_norm=2'),
    ),
  ),
  'superposition': (
    (
      *('superposition', '--part=sparser,correlated', '--num_features=4'),
      *('--relative_density=0.1,1', '--num_steps=40', '--observe_steps=20,40'),
      *('--batch_size=16', '--num_evaluations=2', '--num_seeds=12'),
    ),
  ),
  'feature_dimensionality': (
    (
      *('feature_dimensionality', '--num_features=6,7', '--num_hidden=2'),
      *('--density=0.1,1', '--num_steps=40', '--observe_steps=20,40'),
      *('--batch_size=16', '--num_evaluations=2', '--num_seeds=12'),
    ),
  ),
  'hand_written_gradient': (
    (
      *('hand_written_gradient', '--num_features=5', '--importance_decay=0.7'),
      *('--batch_size=32', '--num_steps=60', '--observe_steps=20,60'),
      *('--then_steps=5', '--num_test=256', '--num_states=2'),
      *('--num_frames=2', '--num_seeds=12'),
    ),
  ),
  'double_descent': (
    (
      *('double_descent', '--num_features=12', '--num_samples=3,8'),
      *('--sparsity=0.7', '--num_steps=60', '--num_test=100'),
      '--num_seeds=12',
    ),
  ),
  'sentence_dendrogram': (('sentence_dendrogram', _TRACE, '--position=2'),),
}
