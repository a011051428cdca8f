"""Linked numbers of the documents stand in their files, and are compared."""

import pytest

from benchmarks import verify
from benchmarks.verify import Link

DOCUMENTS = [
  pytest.param(link, id=f'{name}-{number}')
  for name in verify.DOCUMENTS
  for number, link in enumerate(
    verify.links((verify.ROOT / name).read_text(encoding='utf-8'))
  )
]
SUMMARY = 'results/optimization_failure/float32/summary.csv'


@pytest.mark.parametrize('link', DOCUMENTS)
def test_a_linked_number_is_that_of_its_file(link):
  assert not verify.problem(link)


def test_no_file_of_results_was_changed():
  assert not list(verify.changed_files())


def test_most_numbers_of_claims_are_linked():
  assert len(DOCUMENTS) >= 396  # None was lost; `test_claims` has the others.


@pytest.mark.parametrize(
  ('text', 'query', 'word'),
  [
    ('2,755 of 4,096, 67.3 % [65.8, 68.7]', '', ''),
    ('2,755 of 4,096', '', ''),
    ('2,756 of 4,096', '', '2756 is 2755'),
    ('2,755 of 4,095', '', '4095 is 4096'),
    ('2,755 of 4,096, 67.4 %', '', '67.4 is 67.26'),
    ('2,755 of 4,096, 67.3 % [65.8, 68.8]', '', '68.8 is 68.68'),
    ('most', '', '5 numbers for it'),
    ('1 of 2, 3 % [4, 5], 6', '', '5 numbers'),
    ('2 rows', '&rows=', ''),
    ('2,755 of 8,192', '&pooled=', ''),
    ('345 of 4,096', '&filter=count < 1000', ''),
    ('2,755', '&each=', 'rows that differ'),
    ('4,096', '&each=&cells=total', ''),
    ('345 and 2,410', '&cells=count', ''),
    ('345', '&cells=count', '2 numbers for it'),
    ('345, 4,096, 2,410, 4,096', '&cells=count,total', ''),
    ('345 to 2,410', '&cells=count.min(),count.max()', ''),
    ('67.3 %', '&cells=100 * fraction.sum()', ''),
    ('345 of 4,096', '&share=count * (fraction < .1)/total', ''),
    ('345', '&cells=colour.max()', "'colour' is not defined"),
    ('345', '&cells=count.most()', 'most'),
    ('345', '&cells=count +', 'invalid syntax'),
    ('0.0', '&cell=fraction&outcome=OFF', ''),
    ('2.8e3 of 4,096', '', ''),
    ('2.7e3 of 4,096', '', '2.7e3 is 2755'),
    ('3e3 of 4,096', '', '3e3 needs two digits'),
    ('2.0e-5', '&cell=fraction&outcome=OFF', '2.0e-5 is 0'),
  ],
)
def test_what_is_wrong_is_said(text, query, word):
  # Solved runs are those of two rows of one total.
  where = 'num_features=8&step=25000&filter=outcome.str.startswith("SOLVED")'
  if 'cell=' in query:
    where = 'num_features=8&step=25000'
  found = verify.problem(Link(text, SUMMARY, where + query))
  assert (word in found) if word else not found


@pytest.mark.parametrize(
  ('path', 'query', 'word'),
  [
    ('results/none.csv', 'a=1', 'No such file'),
    (SUMMARY, 'colour=red', 'no column colour'),
    (SUMMARY, 'step=7', 'selects no row'),
    (SUMMARY, 'step=25000&cell=count', 'rows'),
    (SUMMARY, 'step=25000&share=count/all', 'all'),
  ],
)
def test_a_link_to_nothing_is_said(path, query, word):
  assert word in verify.problem(Link('1 of 2', path, query))


def test_rows_of_different_totals_are_not_added_up_unless_pooled(
  tmp_path, monkeypatch
):
  monkeypatch.setattr(verify, 'ROOT', tmp_path)
  (tmp_path / 'a.csv').write_text('count,total\n1,4\n2,6\n')
  said = verify.problem(Link('3 of 10', 'a.csv', 'filter=count>0'))
  assert 'selects rows of' in said
  assert not verify.problem(Link('3 of 10', 'a.csv', 'filter=count>0&pooled='))


def test_links_hold_one_pair_of_brackets():
  text = (
    'a [b] (c) [1 of 2, 50.0 % [9.5, 90.5]](results/a/b.csv#c=d&e=f) '
    '[file](results/a/b.csv) [2](results/a/b.csv#rows=)'
  )
  assert verify.links(text) == [
    Link('1 of 2, 50.0 % [9.5, 90.5]', 'results/a/b.csv', 'c=d&e=f'),
    Link('2', 'results/a/b.csv', 'rows='),
  ]
  assert verify.plain(text).startswith('a [b] (c) 1 of 2, 50.0 % [9.5, 90.5] ')


def test_numbers_in_a_text():
  assert verify.numbers('1,201 of 4,000, .5 % [-0.08, +2e-3]; n8') == [
    *('1201', '4000', '.5', '-0.08', '+2e-3'),
  ]
