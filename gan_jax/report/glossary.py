"""What the names of scores and measurements are on a page, and what they mean.

One place for both: a page shows the title, and the sentence where one points at
it and in the list at its end.
"""

import html
from collections.abc import Iterable

from gan_jax.report.terms import MEASURES, PROTOCOL, Term

# Scores, in the order in which they are shown.
SCORES = {
  'fid': Term(
    'Fréchet distance',
    'Distance of the means and covariances of features of generated and real'
    ' samples; 0 is best, and its scale is that of the features.',
  ),
  'kid': Term(
    'Kernel distance',
    'Squared maximum mean discrepancy of the features, estimated without bias:'
    ' around 0, also below, if nothing tells generated from real.',
  ),
  'is': Term(  # Inception score, if it is Inception's
    'Classifier score',
    'Exponential of the mean divergence of class probabilities from their'
    ' average: from 1 to the number of classes, more is better.',
  ),
  'precision': Term(
    'Precision',
    'Share of generated samples that lie among the real ones: do they look'
    ' real?',
  ),
  'recall': Term(
    'Recall',
    'Share of real samples that lie among the generated ones: is everything'
    ' there?',
  ),
  'density': Term(
    'Density',
    'How many neighbourhoods of real samples a generated one lies in, over the'
    ' number expected: around 1 for the data itself.',
  ),
  'coverage': Term(
    'Coverage',
    'Share of real samples with a generated one in their neighbourhood.',
  ),
  'class_coverage': Term(
    'Class coverage',
    "Share of the data's classes that appear among the generated samples at"
    ' least a tenth as often as in the data, as the classifier sees them.',
  ),
  'modes': Term(
    'Modes captured',
    'Number of the known modes that samples fall near.',
  ),
  'high_quality': Term(
    'High-quality samples',
    'Share of generated samples that lie near a known mode.',
  ),
  'stacked_modes': Term(
    'Modes of 1,000',
    'How many of the 1,000 combinations of three digits appear.',
  ),
  'stacked_kl': Term(
    'KL to even modes',
    'Divergence of the combinations of three digits from the even distribution;'
    ' 0 is best.',
  ),
  'fd_infinity': Term(
    'Fréchet distance, N → ∞',
    'Fréchet distance extrapolated to infinitely many samples, so that their'
    ' number does not matter.',
  ),
  'sfid': Term(
    'Spatial Fréchet distance',
    'Fréchet distance of features that know their place in the picture.',
  ),
  'intra_fid': Term(
    'Fréchet distance in classes',
    'Mean over the classes of the Fréchet distance within each.',
  ),
  'swd': Term(
    'Sliced Wasserstein',
    'Mean Wasserstein distance of the features along random directions; 0 is'
    ' best.',
  ),
  'vendi': Term(
    'Vendi score',
    'Effective number of distinct samples among the generated ones.',
  ),
  'authenticity': Term(
    'Authenticity',
    'Share of generated samples that are no near copies of a training sample.',
  ),
  'c_t': Term(
    'Data-copying C_T',
    'Whether samples lie nearer to the training data than held-out ones do:'
    ' far below 0 they are copies, around 0 they are not.',
  ),
  'classifier_accuracy': Term(
    'Classifier accuracy',
    'Share of real samples that a classifier trained on generated ones gets'
    ' right.',
  ),
  'discriminative': Term(
    'Discriminative score',
    'How much more often than by guessing a recurrent network tells generated'
    ' series from real ones that it has not seen: from 0 to .5, 0 is best.',
  ),
  'mmd': Term(
    'Discrepancy of series',
    'Squared maximum mean discrepancy of whole series, at the bandwidth that'
    ' tells others best apart: around 0, also below, if nothing does.',
  ),
  'predictive': Term(
    'Predictive score',
    'Error, one step ahead on real series, of a forecaster that learned on'
    ' generated ones; compare it with one that learned on real ones.',
  ),
  'tstr': Term(
    'Train on generated, test on real',
    'Share of real series whose class a recurrent network gets right that'
    ' learned on generated ones.',
  ),
  'trts': Term(
    'Train on real, test on generated',
    'Share of generated series whose class a recurrent network gets right that'
    ' learned on real ones; it does not see missing variety.',
  ),
  'acf_distance': Term(
    'Distance of autocorrelations',
    'How far the autocorrelations of values, their sizes and their squares are'
    ' from those of real series; 0 is best.',
  ),
  'leverage_distance': Term(
    'Distance of leverage',
    'How far the correlations of values with the squares of later ones are from'
    ' those of real series; 0 is best.',
  ),
  'tail_distance': Term(
    'Distance of distributions',
    "Earth mover's distance of values, and of their sums over 5 and 20 steps,"
    ' in deviations of the real ones; 0 is best.',
  ),
  'js_4': Term(
    'JS of runs of 4',
    'Jensen-Shannon divergence of runs of four characters from those of as many'
    ' real samples, in bits: 0 to 1. The floor is what unseen real ones have.',
  ),
  'js_3': Term(
    'JS of runs of 3',
    'Jensen-Shannon divergence of runs of three characters, in bits.',
  ),
  'js_2': Term(
    'JS of pairs',
    'Jensen-Shannon divergence of pairs of characters, in bits.',
  ),
  'js_1': Term(
    'JS of characters',
    'Jensen-Shannon divergence of single characters, in bits.',
  ),
  'grammatical': Term(
    'Grammatical lines',
    'Share of generated lines that the grammar of the data makes.',
  ),
  'word_share': Term(
    'Known words',
    'Share of the words in generated samples that some real sample has.',
  ),
  'longest_copy': Term(
    'Longest copied run',
    'Characters of the longest run of each sample that stands in real ones, in'
    ' the mean. The floor is what unseen real samples have.',
  ),
  'self_bleu': Term(
    'Self-BLEU',
    'How alike generated samples are: BLEU of each with all others for'
    ' references. Near 1 they repeat each other.',
  ),
  'reconstruction_error': Term(
    'Error of reconstruction',
    'Mean squared difference of held-out real samples from what G makes of'
    ' their codes, in model range; 0 is best.',
  ),
  'train_reconstruction_error': Term(
    'Error of reconstruction, training',
    'The same of samples that were trained on.',
  ),
  'knn_accuracy': Term(
    'Nearest code',
    'Share of held-out real samples whose class is that of the training sample'
    ' with the nearest code.',
  ),
  'pitch_accuracy': Term(
    'Pitch accuracy',
    'Share of generated sounds whose fundamental lies within a quarter tone of'
    " one of the data's pitches.",
  ),
  'class_pitch_accuracy': Term(
    'Pitch accuracy by class',
    'Share of generated sounds whose fundamental lies within a quarter tone of'
    ' the pitch of the class that they were made for.',
  ),
  'log_spectral_distance': Term(
    'Log-spectral distance',
    'Mean difference of the levels of generated and real sounds over all'
    ' frequencies, in dB; 0 is best.',
  ),
  'reverse_kl': Term(
    'Reverse KL',
    'Divergence of the samples among the modes from the true shares of these;'
    ' 0 is best.',
  ),
}

ALL = SCORES | MEASURES | PROTOCOL
_PENALTY = 'What the penalty adds to the loss, mean since the last report.'


def title(name: str) -> str:
  """The name in words: 'fid' is 'Fréchet distance'."""
  term = ALL.get(name)
  return term.title if term else name.replace('_', ' ').capitalize()


def sentence(name: str) -> str:
  """What a score or a measurement is; '' if it is not known here."""
  if term := ALL.get(name):
    return term.sentence
  return _PENALTY if 'penalty_' in name else ''


def marked(name: str, heading: str = '') -> str:
  """A heading as HTML that says what it means where one points at it.

  Args:
    name: of what it heads.
    heading: its title by default.
  """
  words, shown = sentence(name), html.escape(heading or title(name))
  if not words:
    return shown
  return f'<abbr class="term" title="{html.escape(words)}">{shown}</abbr>'


def listing(names: Iterable[str]) -> str:
  """A <dl> of names in words, for touch and print; '' if none is known."""
  order = [*ALL]
  place = lambda name: order.index(name) if name in ALL else len(order)
  rows = {title(name): sentence(name) for name in sorted(names, key=place)}
  items = ''.join(
    f'<div><dt>{html.escape(shown)}</dt><dd>{html.escape(words)}</dd></div>'
    for shown, words in rows.items()
    if words
  )
  return f'<dl class="card glossary">{items}</dl>' if items else ''
