"""Cross-entropy or hinge, on lines by a grammar?"""


def get_study():
  """Two losses under the recipe's R1, on text whose grammar is known."""
  return {
    'question': 'Does the loss matter on lines by a grammar?',
    'base': 'configs/grammar_chargan.py',
    'factors': {'loss.name': ('cross_entropy', 'hinge')},
    'num_seeds': 5,
    'metric': 'js_4',
    'also': ('grammatical', 'word_share', 'longest_copy', 'self_bleu'),
    'baseline': {'loss.name': 'cross_entropy'},
  }
