"""Pairs of words: the built-in lists, files that are right and files that are
not, and which pairs symmetry makes equal.
"""

import numpy as np
import pytest

from toyjax.data import word_pairs


def _write(tmp_path, text):
  path = tmp_path / 'pairs.txt'
  path.write_text(text, encoding='utf-8')
  return path


def _as_words(words):
  return [tuple(words.vocabulary[t] for t in pair) for pair in words.pairs]


def test_the_lists_of_the_source():
  four, six = word_pairs.get('four'), word_pairs.get('six')
  assert four.vocabulary == ('hello', 'world', 'cat', 'dog', '!')
  assert six.vocabulary == (*four.vocabulary, 'silly', 'cute')
  assert _as_words(four) == [
    ('hello', 'world'),
    ('cat', 'dog'),
    ('dog', '!'),
    ('world', '!'),
  ]
  assert set(_as_words(six)) == {
    *_as_words(four),
    ('silly', 'dog'),
    ('cute', 'cat'),
  }
  assert six.pairs.dtype == np.int32


def test_both_ways_to_write_a_pair_and_the_order_of_words(tmp_path):
  path = _write(tmp_path, 'b -> a\n\n  c b\r\na  ->  !\n')
  words = word_pairs.get(path)
  assert words.vocabulary == ('b', 'a', 'c', '!')
  assert _as_words(words) == [('b', 'a'), ('c', 'b'), ('a', '!')]


def test_the_byte_order_mark_of_an_editor_is_no_part_of_a_word(tmp_path):
  words = word_pairs.load(_write(tmp_path, '\ufeffa -> !\n'))
  assert words.vocabulary == ('a', '!')


def test_a_first_line_fixes_the_order(tmp_path):
  path = _write(tmp_path, 'vocabulary: ! a b\nb -> a\na -> !\n')
  words = word_pairs.load(str(path))
  assert words.vocabulary == ('!', 'a', 'b')
  np.testing.assert_array_equal(words.pairs, [[2, 1], [1, 0]])


@pytest.mark.parametrize(
  ('text', 'message'),
  [
    ('', 'no pair in this file'),
    (' \n\n', 'no pair in this file'),
    ('vocabulary: a b\n', 'no pair in this file'),
    ('a -> b\nb\n', r"line 2: expected .*'b'"),
    ('a -> b\n\na -> b -> c\n', r"line 3: expected .*'a -> b -> c'"),
    ('a ->\n', 'line 1: expected'),
    (
      'vocabulary: a b\na -> b\nb -> dgo\n',
      r"line 3: unknown token 'dgo'.*a b",
    ),
    ('vocabulary: a b a\na -> b\n', r"line 1: 'a' stands twice"),
  ],
)
def test_a_file_that_is_wrong_is_named_with_its_line(tmp_path, text, message):
  path = _write(tmp_path, text)
  with pytest.raises(ValueError, match=rf'pairs\.txt: {message}') as caught:
    word_pairs.load(path)
  assert '\n' not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
  with pytest.raises(ValueError, match=r'none\.txt: cannot be read: No such'):
    word_pairs.get(str(tmp_path / 'none.txt'))
  path = tmp_path / 'image.png'
  path.write_bytes(b'\x89PNG\xff')
  with pytest.raises(ValueError, match='not a UTF-8 text file'):
    word_pairs.load(path)


def test_a_start_outside_the_vocabulary():
  vocabulary = word_pairs.get('four').vocabulary
  assert word_pairs.index_of('!', vocabulary, role='end') == 4
  with pytest.raises(
    ValueError, match="start 'silly' is not in the vocabulary"
  ):
    word_pairs.index_of('silly', vocabulary, role='start')


def test_which_pairs_play_the_same_part():
  six = word_pairs.get('six').pairs
  assert word_pairs.exchangeable_pairs(six) == ((0, 4), (1, 2, 3, 5))
  four = word_pairs.get('four').pairs
  assert word_pairs.exchangeable_pairs(four) == ((0, 1), (2, 3))
  with pytest.raises(ValueError, match='two pairs'):
    word_pairs.exchangeable_pairs(np.asarray([[0, 1], [0, 2]]))


def test_notes_are_no_pairs(tmp_path):
  path = tmp_path / 'pairs.txt'
  path.write_text('# my pairs\nvocabulary: a b #\n# two words\n# -> a\na b\n')
  found = word_pairs.load(path)
  assert found.vocabulary == ('a', 'b', '#')
  assert found.pairs.tolist() == [[2, 0], [0, 1]]
