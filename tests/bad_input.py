"""What the tests of bad input share: one clear line, and nothing written.

How many of them there are, and how many are refused as they should be:

  python -m tests.bad_input
"""

import os
import pathlib
import sys

import pytest

from gan_jax import train
from gan_jax.run import command
from tests import shared

ROOT = pathlib.Path(__file__).resolve().parents[1]
RING, DIGITS = (
  f'--config={ROOT}/configs/{name}.py:tiny' for name in ('ring8', 'digits')
)


def finished_run() -> pathlib.Path:
  """The workdir of a finished tiny run; not to be changed."""
  return shared.folder(
    'ring', lambda path: train.main(['train', RING, f'--workdir={path}'])
  )


def tree(root) -> dict:
  """All that lies below a folder, by its path: kind, size, time, target."""
  found = {}
  for folder, folders, files in os.walk(root):
    for name in (*folders, *files):
      path = os.path.join(folder, name)
      stat = os.lstat(path)
      target = os.readlink(path) if os.path.islink(path) else ''
      size = 0 if os.path.isdir(path) else stat.st_size
      # A folder's time tells of files that came and went.
      found[path] = stat.st_mode, size, stat.st_mtime_ns, target
  return found


def check_line(err: str, words=()):
  """Sees that a command has said one printable line, with these words."""
  assert err.startswith('error: ') and err.endswith('\n'), err
  line = err[:-1]
  assert line.isprintable(), ascii(line)
  assert len(line) < 1500, line
  assert 'Traceback' not in line
  for word in words:
    assert word in line, line


def refused(capfd, main, argv, *words, root):
  """A command refuses its arguments as a user's mistake.

  Args:
    capfd: pytest's.
    main: of the command.
    argv: its arguments.
    *words: that the line has to hold.
    root: folder in which nothing may change.
  """
  before = tree(root)
  capfd.readouterr()
  with pytest.raises(SystemExit) as leaving:
    command.run(main, ['command', *map(str, argv)])
  out, err = capfd.readouterr()
  assert leaving.value.code == 2, (leaving.value.code, err)
  assert 'Traceback' not in out and len(out.splitlines()) <= 1, out
  check_line(err, words)
  after = tree(root)
  assert after == before, set(after.items()) ^ set(before.items())


class _Count:
  """Counts the tests of bad input."""

  def __init__(self):
    self.passed = self.all = 0

  def pytest_runtest_logreport(self, report):
    """Counts those that ran, and those that passed."""
    if report.when == 'call' and not report.skipped:
      self.all += 1
      self.passed += report.passed


def main() -> int:
  """Runs every test of a refusal and tells the count."""
  count = _Count()
  files = sorted(map(str, (ROOT / 'tests').rglob('test_bad_*.py')))
  chosen = ['-k', 'refused', '-m', 'slow or not slow']
  code = pytest.main([*files, *chosen, '-q'], plugins=[count])
  print(f'bad inputs refused cleanly: {count.passed} of {count.all}')
  return int(code)


if __name__ == '__main__':
  sys.exit(main())
