"""Runs tests with a fault in a module, in a fork that is gone afterwards.

The process that forks has imported what is slow to import (`prepare`), but has
neither started JAX nor imported gan_jax.
"""

import ast
import contextlib
import functools
import gc
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from typing import NamedTuple

from tests import mutations

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGE = f'{ROOT}/gan_jax/'
SLOW_IMPORTS = ('flax.linen', 'optax', 'scipy.stats', 'scipy.linalg', 'pytest')
# Exit codes: pytest's, and that of a fork in which something else failed.
PASSED, USAGE, NO_TESTS, BROKEN = 0, 4, 5, 70
# Before JAX is imported; the figures of tests are not of the last bit.
SETTINGS = {
  'JAX_PLATFORMS': 'cpu',
  'JAX_DISABLE_MOST_OPTIMIZATIONS': '1',
  'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0',
  'OPENBLAS_NUM_THREADS': '1',
}


def prepare():
  """Imports what is slow to import; from here on forks are cheap."""
  os.environ |= SETTINGS
  cache = pathlib.Path(tempfile.gettempdir()) / f'gan_jax_mutants_{os.getuid()}'
  os.environ['JAX_COMPILATION_CACHE_DIR'] = str(cache)
  with contextlib.suppress(ImportError):
    for name in SLOW_IMPORTS:
      importlib.import_module(name)
  warnings.filterwarnings('ignore', message='.*fork.*')
  gc.freeze()  # forks need not look through all that


class Suite(NamedTuple):
  """Test files, and what their tests do when there is no fault."""

  files: tuple[str, ...]
  seconds: dict[str, float]  # of each test that passes
  lines: dict[str, dict[str, list[int]]]  # by test, by module: run through


class _Loader(importlib.machinery.SourceFileLoader):
  """Loads other code in place of the file's."""

  def __init__(self, name, path, code):
    super().__init__(name, path)
    self.code = code

  def get_code(self, fullname):
    return self.code


class _Finder:
  """Finds the changed module before Python's own finders do."""

  def __init__(self, path, code):
    self.path, self.code = str(path), code
    self.name = '.'.join(path.relative_to(ROOT).with_suffix('').parts)

  def find_spec(self, name, path=None, target=None):
    if name != self.name:
      return None
    loader = _Loader(name, self.path, self.code)
    return importlib.util.spec_from_file_location(
      name, self.path, loader=loader
    )


class _Watch:
  """Notes what each test runs through, and how long it takes."""

  def __init__(self):
    self.seconds, self.lines, self.failed = {}, {}, []
    self.started, self.now = 0.0, {}

  def trace(self, frame, event, arg):
    if not frame.f_code.co_filename.startswith(PACKAGE):
      return None
    lines = self.now.setdefault(frame.f_code.co_filename, set())

    def line(frame, event, arg):
      lines.add(frame.f_lineno)
      return line

    return line

  def pytest_runtest_logstart(self):
    self.started, self.now = time.monotonic(), {}
    sys.settrace(self.trace)

  def pytest_runtest_logreport(self, report):
    if report.when == 'call' and report.passed:
      self.lines[report.nodeid] = {k: sorted(v) for k, v in self.now.items()}
      self.seconds[report.nodeid] = time.monotonic() - self.started
    elif report.failed:
      self.failed.append(report.nodeid)

  def pytest_runtest_logfinish(self):
    sys.settrace(None)


class _Choose:
  """Only tests that may notice the fault, and the quickest of them first."""

  def __init__(self, suite, path, fault):
    self.suite, self.path = suite, str(path)
    self.changed = set(range(fault.old.lineno, fault.old.end_lineno + 1))
    self.anywhere = not fault.in_function

  def pytest_collection_modifyitems(self, items):
    items[:] = sorted(
      (item for item in items if self._may(item.nodeid)),
      key=lambda item: (
        self.changed.isdisjoint(self._lines(item.nodeid)),
        self.suite.seconds[item.nodeid],
      ),
    )

  def _may(self, test):
    """Not only those that meet the line: others may have its cached values."""
    passes = test in self.suite.seconds
    return passes and (self.anywhere or bool(self._lines(test)))

  def _lines(self, test):
    return self.suite.lines[test].get(self.path, ())


def _pytest(tests, plugin, *options) -> int:
  import pytest

  idle = ('-pno:cacheprovider', '-pno:xdist', '--tb=no')
  return int(pytest.main([*idle, *options, *tests], plugins=[plugin]))


def _forked(job: Callable[[], int], *, timeout: float) -> int | None:
  """The job's exit code in a silent fork; None if it took too long."""
  child = os.fork()
  if not child:
    _become(job)
  until = time.monotonic() + timeout
  while time.monotonic() < until:
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
      return os.waitstatus_to_exitcode(status)
    time.sleep(0.02)
  os.killpg(child, 9)
  os.waitpid(child, 0)
  return None


def _become(job):
  """Does the job in this process, which ends with it."""
  os.setpgid(0, 0)
  code = BROKEN
  try:
    for stream in (1, 2):
      os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    os.chdir(ROOT)
    code = job()
  except BaseException:
    traceback.print_exc()
  finally:
    os._exit(code)


@functools.cache
def measured(files: tuple[str, ...]) -> Suite:
  """Runs the tests without any fault; also fills the compile cache."""
  with tempfile.NamedTemporaryFile('r', suffix='.json') as file:

    def job():
      watch = _Watch()
      code = _pytest(files, watch)
      with open(file.name, 'w') as out:
        json.dump([watch.seconds, watch.lines, watch.failed], out)
      return code

    _forked(job, timeout=1800)
    text = file.read()
  seconds, lines, failed = json.loads(text) if text else ({}, {}, [])
  if failed:
    print(f'left out, as they fail without a fault: {", ".join(failed)}')
  if not seconds:
    raise SystemExit(f'none of these tests passes: {", ".join(files)}')
  return Suite(files, seconds, lines)


def outcome(
  path: pathlib.Path, tree: ast.Module, fault: mutations.Fault, suite: Suite
) -> str:
  """'killed', 'timeout' or 'survived'.

  Args:
    path: of the module.
    tree: its own.
    fault: of the tree.
    suite: the module's tests.
  """

  def job():
    code = compile(mutations.apply(tree, fault), path, 'exec')
    sys.meta_path.insert(0, _Finder(path, code))
    return _pytest(suite.files, _Choose(suite, path, fault), '-x')

  code = _forked(job, timeout=30 + 2 * sum(suite.seconds.values()))
  if code in (USAGE, BROKEN):
    raise RuntimeError(f'{path}: the tests could not be run with {fault}')
  named = {None: 'timeout', PASSED: 'survived', NO_TESTS: 'survived'}
  return named.get(code, 'killed')
