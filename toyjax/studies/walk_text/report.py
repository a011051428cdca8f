"""What is said of one tiny text net, as text, and what is drawn.

Trained --report--> training, weights, walks, generation, samples; sheets
"""

from collections.abc import Sequence

import numpy as np

from toyjax import optimizer_settings, statistics, tables
from toyjax.analysis.nets import dense_layers, walking
from toyjax.plots.sheets import Sheet
from toyjax.studies.base import Report
from toyjax.studies.text_failure.settings import start_of
from toyjax.studies.walk_text import figures, net
from toyjax.studies.walk_text.net import Sampled, Trained
from toyjax.texts import printable
from toyjax.toys import text_mlp

_MAX_WALKS = 20  # Inputs that are walked where none are named.


def report(trained: Trained) -> Report:
  """Returns all text, which is walk.txt too, and pictures of a finite net."""
  parts = [describe_run(trained), describe_training(trained)]
  pictures: list[Sheet] = []
  missing = ''
  if trained.is_finite:
    found, values = net.sample(trained), trained.values
    among = f', top {values["top_k"]}' if values['top_k'] else ''
    titled = {
      'The weights': describe_weights(trained),
      'The walk of each input': describe_walks(trained),
      f'Greedy generation, to {values["end"]!r}': describe_greedy(trained),
      f'Texts sampled from {start_of(values)!r}{among}': (
        describe_sampling(trained, found)
      ),
    }
    parts += [f'{t}\n{"-" * len(t)}\n{text}' for t, text in titled.items()]
    if (size := trained.embeddings.shape[-1]) == 2:
      pictures.append(figures.plane(trained))
    else:
      missing = f'no map: the embedding has {size} dimensions, a plane has 2'
    pictures.append(figures.lengths(trained, found))
  else:
    parts.append('Its numbers are not finite: there is nothing to follow.')
    missing = 'no map and no lengths: its numbers are not finite'
  text = printable('\n\n'.join(parts), keep='\n')
  return Report(
    (text, missing),
    pictures,
    files={'walk.txt': lambda path: path.write_text(f'{text}\n', 'utf-8')},
  )


def describe_run(trained: Trained) -> str:
  """Says in one line what is trained, and how."""
  values, (vocabulary, pairs) = trained.values, trained.words
  sizes = [
    values['embed_dim'],
    *[values['hidden_dim']] * values['num_hidden_layers'],
    len(vocabulary),
  ]
  chosen = trained.run.configuration
  options = ''.join(
    f', {name} {chosen[name]:g}'
    for name in optimizer_settings.used(values['optimizer'])
  )
  return (
    f'{values["pairs"]}: {len(pairs)} pairs over {len(vocabulary)} words '
    f'({" ".join(vocabulary)}); net {"-".join(map(str, sizes))}, init '
    f'{values["init"]}, {values["dtype"]}; {values["optimizer"]}, learning '
    f'rate {chosen["learning_rate"]:g}{options}, batches {values["batches"]}, '
    f'{values["num_epochs"]} epochs; seed {values["seed"]}, index '
    f'{values["seed_index"]}'
  )


def describe_training(trained: Trained) -> str:
  """Returns losses, the outcome with its pairs, ties and dead units."""
  last, (vocabulary, pairs) = trained.epochs[-1], trained.words
  losses = tables.align(
    ['epoch', 'loss / nats'],
    [
      [str(epoch), f'{loss:.4f}']
      for epoch, loss in zip(trained.epochs, trained.losses)
      if epoch % net.stride(last) == 0 or epoch == last
    ],
  )
  predictions, correct = trained.last('predictions'), trained.last('correct')
  wrong = [
    f'{vocabulary[a]} -> {vocabulary[predictions[a]]} '
    f'instead of {vocabulary[b]}'
    for (a, b), right in zip(pairs, correct)
    if not right
  ]
  tied = [vocabulary[a] for a in trained.inputs if trained.last('tied')[a]]
  layers = zip(
    trained.params.layers,
    trained.last('num_dead_units'),
    trained.last('dead_layers'),
  )
  return '\n'.join(
    [
      losses,
      '',
      f'outcome: {trained.outcome}; {correct.sum()} of {len(pairs)} pairs are '
      'right',
      f'wrong: {"; ".join(wrong) or "none"}',
      f'exact ties ({text_mlp.TIE_RULE}): {", ".join(tied) or "none"}',
      *(
        f'layer {k}: {number} of {len(layer.bias)} units are off for all inputs'
        + ': a dead layer, the biases alone answer' * bool(is_dead)
        for k, (layer, number, is_dead) in enumerate(layers, start=1)
      ),
    ]
  )


def describe_weights(trained: Trained) -> str:
  """Returns the embedding and each unit's equation, to follow by hand."""
  vocabulary, digits = trained.words.vocabulary, trained.values['digits']
  layers = dense_layers.read_stack(trained.params).layers
  width = max(len(word) for word in vocabulary)

  def numbers(row: np.ndarray) -> str:
    return '[' + ', '.join(f'{x: .{digits}f}' for x in row) + ']'

  lines = ['embedding e'] + [
    f'  {word:<{width}}  {numbers(row)}'
    for word, row in zip(vocabulary, trained.params.embedding)
  ]
  inputs = 'e'
  for k, (weight, bias) in enumerate(layers, start=1):
    is_last = k == len(layers)
    lines.append('logits' if is_last else f'z{k}, and a{k} = max(z{k}, 0)')
    names = vocabulary if is_last else range(1, len(bias) + 1)
    lines += [
      f'  {name!s:<{width}}  {numbers(row)} . {inputs} '
      f'{"-" if b < 0 else "+"} {abs(b):.{digits}f}'
      for name, row, b in zip(names, weight, bias)
    ]
    inputs = f'a{k}'
  return '\n'.join(lines)


def describe_walks(trained: Trained) -> str:
  """Returns the walks of the words that are named, or of the first inputs."""
  vocabulary, inputs = trained.words.vocabulary, trained.inputs
  if named := trained.values['walk_words']:
    inputs = [vocabulary.index(word) for word in named]
  shown = inputs if named else inputs[:_MAX_WALKS]
  texts = [_describe_walk(trained, token) for token in shown]
  if (num_more := len(inputs) - len(shown)) > 0:
    texts.append(
      f'and {num_more} more inputs: name those you want in --walk_words'
    )
  return '\n\n'.join(texts)


def _describe_walk(trained: Trained, token: int) -> str:
  """Returns every number from an input to its prediction."""
  words = trained.words.vocabulary
  walked = walking.walk(trained.params, token)
  text = walking.describe(walked, digits=trained.values['digits'], words=words)
  logits, prediction = walked.values[-1].numbers, walked.prediction
  others = [k for k in range(len(logits)) if k != prediction]
  second = max(others, key=lambda k: logits[k])
  margin = logits[prediction] - logits[second]
  text += f'\nmargin {margin:.3g} over {words[second]!r}'
  if wanted := trained.outputs(token):
    names = ' and '.join(repr(words[b]) for b in wanted)
    right = 'right' if wanted == [prediction] else 'wrong'
    text += f'; to be learned {names}: {right}'
  was = int(trained.last('predictions')[token])
  is_tied = bool(trained.last('tied')[token])
  if (prediction, len(walked.tied) > 1) != (was, is_tied):
    text += (
      f'\nin training it was {words[was]!r}{" by a tie" * is_tied}: the last '
      'bits differ'
    )
  return text


def describe_greedy(trained: Trained) -> str:
  """Returns where greedy generation leads from each word."""
  vocabulary = trained.words.vocabulary
  end = vocabulary.index(trained.values['end'])
  predictions = trained.last('predictions')
  rows = []
  for start, word in enumerate(vocabulary):
    path = [start]  # Up to the end, or once around the cycle.
    while path[-1] != end and path[-1] not in path[:-1]:
      path.append(int(predictions[path[-1]]))
    cycle = text_mlp.trace_cycle(predictions, start=start, end=end)
    if cycle:
      name = text_mlp.name_cycle(cycle, vocabulary)
      fate = f'never ends: cycle {name} of length {len(cycle)}'
    else:
      number = len(path) - 1
      fate = f'ends after {number} token{"s" * (number != 1)}'
    dots = ' -> ...' if cycle else ''
    rows.append([word, ' -> '.join(vocabulary[t] for t in path) + dots, fate])
  return tables.align(['start', 'greedy generation', 'fate'], rows)


def describe_sampling(trained: Trained, found: Sequence[Sampled]) -> str:
  """Returns exact chances and lengths beside those of sampled walks.

  Args:
    trained: the net.
    found: one for each temperature.
  """
  most, start = trained.values['max_tokens'], start_of(trained.values)
  place = trained.words.vocabulary.index(start)
  columns = []
  for each in found:
    absorbed, lengths = each.absorbed, each.lengths
    share = statistics.wilson(int(each.ended.sum()), len(lengths))
    within = each.exact_lengths.sum()
    cut = np.arange(most + 1) @ each.exact_lengths + most * (1.0 - within)
    mean, error = lengths.mean(), 1.96 * (lengths.std() / len(lengths) ** 0.5)
    columns.append(
      {
        f'P(end within {most} tokens), exact': f'{within:.5f}',
        f'  of {len(lengths):,} sampled': f'{share.estimate:.5f} '
        f'[{share.lower:.5f}, {share.upper:.5f}]',
        f'mean tokens, cut at {most}, exact': f'{cut:.4f}',
        '  of the sampled': f'{mean:.4f} '
        f'[{mean - error:.4f}, {mean + error:.4f}]',
        'P(ever end), exact': f'{absorbed.prob_ends[place]:.10g}',
        'expected tokens, exact': f'{absorbed.expected_length[place]:.5g}',
        'standard deviation, exact': (
          f'{np.sqrt(absorbed.variance_length[place]):.5g}'
        ),
      }
    )
  table = tables.align(
    ['at temperature', *(f'{each.temperature:g}' for each in found)],
    [[name, *(column[name] for column in columns)] for name in columns[0]],
  )
  return (
    f'{table}\nin brackets 95 % intervals: Wilson for shares, 1.96 standard '
    'errors for means'
  )
