"""What is wrong with a component of one's own is a line that helps."""

import jax
import numpy as np
import pytest

from gan_jax import select
from gan_jax.components import modules, options
from gan_jax.data import loading, memory
from gan_jax.game import forward, optim
from gan_jax.metrics import measured, measures
from gan_jax.types import UserError
from tests.components.packages import importable

BOTH = """
def d_loss(real_logits, fake_logits): {}
def g_loss(real_logits, fake_logits): return -fake_logits
"""
FILES = {
  'raises': BOTH.format("raise RuntimeError('oh')"),
  'lacks': BOTH.format("return {'a': 1}['b']"),
  'asserts': BOTH.format('assert len(real_logits) == 3'),
  'decides': BOTH.format('return 1 if real_logits[0] > 0 else 2'),
  'numpy': 'import numpy as np' + BOTH.format('return np.exp(real_logits)'),
  'colon': 'def d_loss(a, b) return a',
  'keyless': 'def penalty(critic, real, fake, memo, *, weight: float = 1.0):\n'
  '  return weight * critic(real), memo\n',
  'nothing': '',
  'array': 'import numpy as np\ndef load(): return np.ones((4, 2))\n',
  'holes': 'import numpy as np\nfrom gan_jax.data import memory\n'
  'def load():\n'
  "  x = np.full((4, 2), np.nan, 'f')\n"
  "  return memory.from_arrays('holes', 'point', x)\n",
  'rates': 'def make(init_value):\n'
  '  return lambda step: init_value if step < 3 else 0.0\n',
}


@pytest.fixture(scope='module', autouse=True)
def package(tmp_path_factory):
  with importable(tmp_path_factory.mktemp('mistakes'), 'odd', FILES):
    yield


@pytest.mark.parametrize(
  'name, words',
  [
    ('raises', r'RuntimeError: oh \(.*raises.py, line 2\)'),
    ('lacks', r"KeyError: 'b' \(.*lacks.py, line 2\)"),
    ('asserts', r'AssertionError \(.*asserts.py, line 2\)'),
    ('decides', r'value of an array or an option .*decides.py, line 2\)'),
    ('numpy', r'use jax.numpy. \(.*numpy.py, line 2\)'),
    ('colon', r'SyntaxError: .*colon.py, line 1\)\.'),
    ('rasies', "did you mean 'odd.raises'\\? losses: "),
  ],
)
def test_a_loss(name, words):
  with pytest.raises(UserError, match=words) as caught:
    select.loss(f'odd.{name}')
  assert 'frozen' not in str(caught.value)


@pytest.mark.parametrize(
  'name, meant',
  [
    ('Hinge', 'hinge'), ('hing', 'hinge'), ('odd/raises.py', 'odd.raises'),
    ('odd.raises.d_loss', 'odd.raises'),
  ],
)  # fmt: skip
def test_names_that_are_nearly_right(name, meant):
  with pytest.raises(UserError, match=f'did you mean {meant!r}'):
    select.module('losses', name, flag='loss.name')


def test_a_hint_ends_as_a_question():
  with pytest.raises(UserError) as caught:
    measures.outputs('odd.rasies')
  assert str(caught.value).endswith("did you mean 'odd.raises'?")


def test_a_file_that_lies_in_no_folder(tmp_path, monkeypatch):
  (tmp_path / 'alone.py').write_text(FILES['raises'])
  monkeypatch.chdir(tmp_path)
  with pytest.raises(UserError, match='alone.py has to lie in a folder'):
    select.module('losses', 'alone', flag='loss.name')


def test_a_penalty_takes_a_key_only_if_it_wants_one():
  made = select.penalty('odd.keyless', weight=2.0)
  value, _ = made.penalty(lambda x: x, np.ones(3), None, (), key=None)
  assert value.tolist() == [2.0] * 3
  with pytest.raises(UserError, match='odd.nothing: the module has no penalty'):
    select.penalty('odd.nothing', weight=2.0)


@pytest.mark.parametrize(
  'name, words',
  [
    ('array', r"name='odd.array': load gives ndarray; expected a Dataset"),
    ('holes', 'data holes: they hold NaN or infinity'),
  ],
)
def test_data(name, words):
  with pytest.raises(UserError, match=words):
    loading.load(f'odd.{name}')


@pytest.mark.parametrize(
  'given, words',
  [
    ({'name': 'Adam'}, "did you mean 'adam'"),
    ({'name': 'lions'}, "did you mean 'lion'"),
    ({'name': 'noisy_sgd', 'key': 0}, 'keeps random keys'),
    ({'name': 'sgd', 'schedule': {'name': 'odd.rates'}}, 'rates.py, line 2'),
  ],
)
def test_an_optimizer(given, words):
  with pytest.raises(UserError, match=words):
    optim.make_optimizer(**{'learning_rate': 0.1} | given)


@pytest.mark.parametrize(
  'made, words',
  [
    (1.0, 'compute gives float; expected'),
    (({'other': 1.0}, {}), 'gives no mine, but other'),
    (({}, {}), 'gives no mine, but nothing'),
  ],
)
def test_a_metric(made, words):
  metric = measures.Metric(('mine',), lambda *inputs: made, ())
  with pytest.raises(TypeError, match=words):
    measured.records_of(metric, (None, None, None), protocol={})


@pytest.mark.parametrize('made', [{'out': np.ones(2)}, (1, 2), None])
def test_what_a_discriminator_gives(made):
  with pytest.raises(UserError, match='expected logits .B., or a dict with'):
    forward.heads_of(made)


def test_the_line_of_an_error_is_in_a_file_of_ones_own():
  try:
    options.trace('x', lambda: jax.numpy.ones(2) @ jax.numpy.ones(3))
  except UserError as e:
    assert __file__ in str(e)
  assert modules.place(ValueError('never raised')) == ''
  with pytest.raises(UserError, match='NaN'):
    memory.from_arrays('x', 'point', np.array([[np.inf]]))


def test_names_near_one_whatever_their_capitals():
  there = ['hinge', 'lsgan', 'LSGAN', 'ralsgan']
  assert modules.near('Lsgam', there) == ['lsgan']
  assert modules.near('Lsgam', there, count=2) == ['lsgan', 'ralsgan']
  assert modules.near('wasserstein', there) == []
