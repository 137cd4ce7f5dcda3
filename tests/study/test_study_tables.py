"""The table of a study as Markdown, LaTeX and CSV, and its numbers."""

import csv
import io
import math

import pytest

from gan_jax.study.report import csv_table, figures, latex, markdown
from tests import study_views
from tests.study.test_study_page import BASE, WORSE


def test_markdown():
  assert markdown.table(study_views.view()) == (
    r"""**Is \<b\> \& 50% of it\_ better?**

Modes captured (modes), higher is better: mean over 2 seeds, 0 to 1, with 95 % interval. IQM: mean of the middle half of the runs. Runs without a score are left out of the means. Failures: runs that diverged, exploded, missed the data or collapsed. Differences are paired by seed (cell minus base); exact paired permutation test, p corrected by Holm over 4 comparisons; effect: difference in standard deviations of the differences (Hedges). Intervals are not corrected.

| cell | Modes captured ↑ | median | IQM | failures | difference | p (Holm) | effect | verdict | Fréchet distance ↓ |
| :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: |
| base (baseline) | 6.50 (6.25 to 6.75) | 6.50 | 6.50 | 0 of 2 |  |  |  |  | 6.50 (6.25 to 6.75) |
| b_1 \| 50% | **7.75** (7.50 to 8.00) | 7.75 | 7.75 | 0 of 2 | +1.25 (+1.00 to +1.50) | 0.001 | +1.50 | better | 7.75 (7.50 to 8.00) |
| c \& \<script\>hacked = 1\</script\> | 2.50 | 2.50 | 2.50 | 1 of 2 | -4.50 (-6.00 to -3.00) | 0.001 | +1.50 | worse | **2.50** |

- b_1 \| 50%: better by 1.25
- c \& \<script\>hacked = 1\</script\>: worse by -4.5
- loss: x: no difference by 0.5
- loss: x × d: y: cannot tell by 0.75
"""  # noqa: E501
  )


def test_latex():
  body = latex.table(study_views.view())
  lines = [line.strip() for line in body.splitlines()]
  assert lines[:4] == [
    r'% \usepackage{booktabs}',
    r'\begin{table}',
    r'\centering',
    r'\small',
  ]
  assert lines[4].startswith(
    r'\caption{Is \textless{}b\textgreater{} \& 50\% of it\_ better? Modes '
  )
  assert lines[5:] == [
    r'\label{tab:small-study}',
    r'\begin{tabular}{lrrrrrr}',
    r'\toprule',
    r'Cell & Modes captured $\uparrow$ & Failures & Difference & $p$ & Verdict'
    r' & Fréchet distance $\downarrow$ \\',
    r'\midrule',
    r'base (baseline) & 6.50 {\scriptsize [6.25, 6.75]} & 0 of 2 &  &  & '
    r' & 6.50 {\scriptsize [6.25, 6.75]} \\',
    r'b\_1 \textbar{} 50\% & \textbf{7.75} {\scriptsize [7.50, 8.00]} & 0 of 2'
    r' & +1.25 {\scriptsize [+1.00, +1.50]} & 0.001 & better & 7.75'
    r' {\scriptsize [7.50, 8.00]} \\',
    r'c \& \textless{}script\textgreater{}hacked = 1\textless{}/script'
    r'\textgreater{} & 2.50 & 1 of 2 & $-$4.50 {\scriptsize [$-$6.00, $-$3.00]}'
    r' & 0.001 & worse & \textbf{2.50} \\',
    r'\bottomrule',
    r'\end{tabular}',
    r'\end{table}',
  ]


def test_csv_has_all_digits_and_nothing_where_there_is_none():
  third = study_views.spread(BASE, (1 / 3, 2 / 3))
  empty = study_views.spread(WORSE, (None, math.nan))._replace(mean=math.inf)
  tested = study_views.analysis('modes')._replace(cells=(third, empty))
  body = csv_table.table(study_views.view(analyses={'modes': tested}))
  base, better, worse = csv.DictReader(io.StringIO(body))
  assert (base['cell'], better['cell'], worse['cell']) == study_views.NAMES
  assert float(base['modes_mean']) == 0.5 and base['modes_n'] == '2'
  assert float(base['modes_low']) == 0.25
  assert base['difference'] == '' and base['is_baseline'] == '1'
  assert better['modes_mean'] == '' and better['difference'] == '1.25'
  assert better['p_adjusted'] == '0.00125' and better['verdict'] == 'better'
  assert worse['modes_mean'] == '' and worse['fid_mean'] == ''
  assert (worse['runs'], worse['failures']) == ('2', '1')
  assert (worse['failures_low'], worse['failures_high']) == ('0.1', '0.9')
  assert better['differs'] == '{"loss.name": "b_1 | 50%", "penalties": {}}'


@pytest.mark.parametrize(
  'words, shown',
  [
    ('a_b', 'a_b'),
    ('_a_ *b*', r'\_a\_ \*b\*'),
    ('a|b\nc', r'a\|b c'),
    ('x [1] `y` <i>', r'x \[1\] \`y\` \<i\>'),
  ],
)
def test_markdown_escapes(words, shown):
  assert markdown.escape(words) == shown


def test_latex_escapes_every_special_character_once():
  assert latex.escape('\\{}$&#_%~^') == (
    r'\textbackslash{}\{\}\$\&\#\_\%\textasciitilde{}\textasciicircum{}'
  )


@pytest.mark.parametrize(
  'values, intervals, digits',
  [
    ((6.1, 7.2), ((5.6, 6.6), (6.7, 7.7)), 2),  # half a point: two digits
    ((6.1, 7.2), ((5.0, 7.2), None), 1),
    ((0.99512, 0.9961), ((0.9946, 0.9956),), 5),
    ((1234.0, 12.0), ((1000.0, 1468.0),), 0),
    ((0.5,), ((0.5, 0.5),), 4),  # no width: four of the number
    ((), (), 0),
  ],
)
def test_digits_follow_the_interval(values, intervals, digits):
  assert figures.places(values, intervals) == digits


@pytest.mark.parametrize(
  'value, digits, shown',
  [
    (6.5, 2, '6.50'),
    (12345.678, 1, '12,345.7'),
    (2e-7, 3, '2.0e-07'),
    (3e12, 0, '3.0e+12'),
    (0.0, 1, '0.0'),
    (math.nan, 1, '–'),
    (None, 1, '–'),
  ],
)
def test_fixed(value, digits, shown):
  assert figures.fixed(value, digits) == shown


def test_settings_are_told_without_brackets():
  assert figures.setting({'r1': {'gamma': 0.1}}) == 'r1 gamma=0.1'
  assert figures.setting({'r1': {'gamma': 0.1}, 'r2': {}}) == 'r1 gamma=0.1, r2'
  assert figures.setting({}) == figures.setting(()) == 'none'
  assert figures.setting(False) == 'no'
