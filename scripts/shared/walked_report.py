"""The walk of one tiny text net as text: run, weights, inputs, generation."""

from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags
import numpy as np

from scripts.shared import optimizer_flags, walked_net
from scripts.shared.tables import format_table
from toyjax.analysis import dense_layers, walking
from toyjax.toys import text_mlp

flags.disclaim_key_flags()


def words_of(outcome: text_mlp.Outcome) -> str:
  """Returns an outcome's name in words."""
  return outcome.name.lower().replace('_', ' ')


def describe_run(
  static: Mapping[str, Any],
  axes: Mapping[str, np.ndarray],
  settings: Mapping[str, Any],
) -> str:
  """Says in one line what is trained, and how."""
  words = settings['words'][static['pairs']]
  hidden = [static['hidden_dim']] * settings['num_hidden_layers']
  sizes = [static['embed_dim'], *hidden, len(words['vocabulary'])]
  used = optimizer_flags.used(static['optimizer'])
  options = ''.join(f', {name} {axes[name][0]:g}' for name in used)
  return (
    f'{static["pairs"]}: {len(words["pairs"])} pairs over '
    f'{len(words["vocabulary"])} words ({" ".join(words["vocabulary"])}); net '
    f'{"-".join(map(str, sizes))}, init {static["init"]}, '
    f'{settings["dtype"]}; {static["optimizer"]}, learning rate '
    f'{axes["learning_rate"][0]:g}{options}, batches {static["batches"]}, '
    f'{settings["num_epochs"]} epochs; seed {settings["seed"]}, index '
    f'{settings["seed_index"]}'
  )


def describe_training(trained: walked_net.Trained) -> str:
  """Returns losses, the outcome with its pairs, ties and dead units."""
  last = int(trained.epochs[-1])
  shown = [
    k
    for k, epoch in enumerate(trained.epochs)
    if epoch % walked_net.stride(last) == 0 or epoch == last
  ]
  losses = format_table(
    ['epoch', 'loss / nats'],
    [[str(trained.epochs[k]), f'{trained.losses[k]:.4f}'] for k in shown],
  )
  now = {name: values[-1] for name, values in trained.labels.items()}
  vocabulary, pairs = trained.words
  wrong = [
    f'{vocabulary[a]} -> {vocabulary[now["predictions"][a]]} '
    f'instead of {vocabulary[b]}'
    for (a, b), right in zip(pairs, now['correct'])
    if not right
  ]
  lines = [
    losses,
    '',
    f'outcome: {words_of(trained.outcome)}; {now["correct"].sum()} of '
    f'{len(pairs)} pairs are right',
    f'wrong: {"; ".join(wrong) or "none"}',
    f'exact ties ({text_mlp.TIE_RULE}): '
    + (
      ', '.join(vocabulary[a] for a in trained.inputs if now['tied'][a])
      or 'none'
    ),
  ]
  for k, (number, dead) in enumerate(
    zip(now['num_dead_units'], now['dead_layers']), start=1
  ):
    lines.append(
      f'layer {k}: {number} of {len(trained.params.layers[k - 1].bias)} units '
      'are off for all inputs'
      + (': a dead layer, the biases alone answer' if dead else '')
    )
  return '\n'.join(lines)


def describe_weights(trained: walked_net.Trained, *, digits: int) -> str:
  """Returns the embedding and each unit's equation, to follow by hand."""
  vocabulary = trained.words.vocabulary
  stack = dense_layers.read_stack(trained.params)
  width = max(len(word) for word in vocabulary)
  lines = ['embedding e'] + [
    f'  {word:<{width}}  {_numbers(row, digits)}'
    for word, row in zip(vocabulary, trained.params.embedding)
  ]
  values = 'e'
  num_hidden = len(stack.layers) - 1
  for k, (weight, bias) in enumerate(stack.layers, start=1):
    is_last = k > num_hidden
    lines.append('logits' if is_last else f'z{k}, and a{k} = max(z{k}, 0)')
    names = vocabulary if is_last else range(1, len(bias) + 1)
    for name, row, b in zip(names, weight, bias):
      lines.append(
        f'  {name!s:<{width}}  {_numbers(row, digits)} . {values} '
        f'{"-" if b < 0 else "+"} {abs(b):.{digits}f}'
      )
    values = f'a{k}'
  return '\n'.join(lines)


def describe_walks(
  trained: walked_net.Trained, tokens: Sequence[int], *, digits: int
) -> str:
  """Returns the walk of each token, every number from input to prediction."""
  texts = []
  for token in tokens:
    walked = walking.walk(trained.params, token)
    text = walking.describe(
      walked, digits=digits, words=trained.words.vocabulary
    )
    logits = walked.values[-1].numbers
    others = [k for k in range(len(logits)) if k != walked.prediction]
    second = max(others, key=lambda k: logits[k])
    text += (
      f'\nmargin {logits[walked.prediction] - logits[second]:.3g} over '
      f'{trained.words.vocabulary[second]!r}'
    )
    wanted = trained.outputs(token)
    if wanted:
      names = ' and '.join(repr(trained.words.vocabulary[b]) for b in wanted)
      right = 'right' if wanted == [walked.prediction] else 'wrong'
      text += f'; to be learned {names}: {right}'
    was = int(trained.labels['predictions'][-1][token])
    is_tied = bool(trained.labels['tied'][-1][token])
    if (walked.prediction, len(walked.tied) > 1) != (was, is_tied):
      text += (
        f'\nin training it was {trained.words.vocabulary[was]!r}'
        f'{" by a tie" if is_tied else ""}: the last bits differ'
      )
    texts.append(text)
  return '\n\n'.join(texts)


def describe_greedy(trained: walked_net.Trained, *, end: int) -> str:
  """Returns where greedy generation leads from each word."""
  vocabulary = trained.words.vocabulary
  predictions = trained.labels['predictions'][-1]
  rows = []
  for start, word in enumerate(vocabulary):
    path = trained.greedy_path(start, end)
    cycle = text_mlp.trace_cycle(predictions, start=start, end=end)
    if cycle:
      name = text_mlp.name_cycle(cycle, vocabulary)
      fate = f'never ends: cycle {name} of length {len(cycle)}'
    else:
      number = len(path) - 1
      fate = f'ends after {number} token{"s" * (number != 1)}'
    dots = ' -> ...' if cycle else ''
    rows.append([word, ' -> '.join(vocabulary[t] for t in path) + dots, fate])
  return format_table(['start', 'greedy generation', 'fate'], rows)


def describe_sampling(
  found: Sequence[walked_net.Sampled], *, most: int, num_samples: int
) -> str:
  """Returns exact chances and lengths beside those of sampled walks.

  Args:
    found: one for each temperature.
    most: L, the longest walk that is followed.
    num_samples: walks drawn at each temperature.
  """
  columns = []
  for each in found:
    share, error = each.ended, 1.96 * each.error_mean_cut
    columns.append(
      {
        f'P(end within {most} tokens), exact': f'{each.prob_within:.5f}',
        f'  of {num_samples:,} sampled': f'{share.estimate:.5f} '
        f'[{share.lower:.5f}, {share.upper:.5f}]',
        f'mean tokens, cut at {most}, exact': f'{each.expected_cut:.4f}',
        '  of the sampled': f'{each.mean_cut:.4f} '
        f'[{each.mean_cut - error:.4f}, {each.mean_cut + error:.4f}]',
        'P(ever end), exact': f'{each.prob_ends:.10g}',
        'expected tokens, exact': f'{each.expected_length:.5g}',
        'standard deviation, exact': f'{each.deviation_length:.5g}',
      }
    )
  table = format_table(
    ['at temperature', *(f'{each.temperature:g}' for each in found)],
    [[name, *(column[name] for column in columns)] for name in columns[0]],
  )
  return (
    f'{table}\nin brackets 95 % intervals: Wilson for shares, 1.96 standard '
    'errors for means'
  )


def _numbers(row: np.ndarray, digits: int) -> str:
  return '[' + ', '.join(f'{x: .{digits}f}' for x in row) + ']'
