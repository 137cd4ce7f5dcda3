"""The tool that puts faults into formulas, and what it finds in a sample."""

import ast
import random
import subprocess
import sys

import pytest

from tests import mutant_runs, mutants, mutations

SOURCE = '''
"""No fault of a text."""
import jax

def loss(x, y, *, weight: float = 2.0, clip=True):
  """Nor of this one."""
  if weight < 0:
    raise ValueError(f'{weight + 1} is negative')
  z = jax.lax.stop_gradient(x) - weight * y.sum(axis=0)
  z += min(x, y)
  values = {'z': -z, **dict(x, **y)}
  return (z, values) if clip else z
'''


def changes(source):
  return [str(fault) for fault in mutations.faults(ast.parse(source))]


def test_faults_of_a_formula():
  assert set(changes(SOURCE)) >= {
    '2.0 -> 4.0',
    'True -> False',
    'jax.lax.stop_gradient(x) -> (lambda x: x)(x)',
    'weight * y.sum(axis=0) -> weight / y.sum(axis=0)',
    'y.sum -> y.mean',
    'axis=0 -> axis=1',
    'z += min(x, y) -> pass',
    'z += min(x, y) -> z -= min(x, y)',
    'min(x, y) -> max(x, y)',
    'x -> y',
    '-z -> z',
    '**y -> **{}',
    '(z, values) if clip else z -> z if clip else (z, values)',
  }


def test_texts_and_refusals_are_left_alone():
  assert not [c for c in changes(SOURCE) if 'negative' in c or 'fault' in c]
  assert 'weight < 0 -> weight <= 0' not in changes(SOURCE)
  assert changes('x: int = "a" + name\nimport y') == []


def test_each_fault_is_one_that_compiles():
  tree = ast.parse(SOURCE)
  for i in range(len(mutations.faults(tree))):
    tree = ast.parse(SOURCE)
    fault = mutations.faults(tree)[i]
    before = ast.unparse(tree)
    changed = mutations.apply(tree, fault)
    compile(changed, 'file', 'exec')
    assert ast.unparse(changed) != before, fault


def test_returned_tuples_are_turned():
  assert changes('def f():\n  return a, b') == [
    'return (a, b) -> return (b, a)'
  ]


def test_what_is_judged_is_there_and_has_a_reason():
  known, every = mutants.judged(), set()
  for path in {mutant_runs.ROOT / file for file, _, _ in known}:
    for fault in mutations.faults(ast.parse(path.read_text())):
      every.update(mutants.places(path, fault))
  assert not known.keys() - every
  assert all(known.values())


@pytest.mark.parametrize('room', mutants.ROOMS)
def test_each_module_has_tests(room):
  for path in mutants.sources(room):
    assert mutants.tests_of(path), path


@pytest.mark.slow
@pytest.mark.parametrize('room', mutants.ROOMS)
def test_no_fault_of_a_sample_survives(room):
  """Two faults in each of two files; `python -m tests.mutants` tries all."""
  files = mutants.sources(room)
  files = random.Random(0).sample(files, min(2, len(files)))
  names = [str(path.relative_to(mutant_runs.ROOT)) for path in files]
  command = [sys.executable, '-m', 'tests.mutants', *names, '--limit=2']
  done = subprocess.run(
    command, cwd=mutant_runs.ROOT, capture_output=True, text=True
  )
  assert done.returncode == 0, done.stdout + done.stderr
