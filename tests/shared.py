"""What the processes of one test run share: made by the first that asks."""

import fcntl
import pathlib
import shutil
from collections.abc import Callable

import pytest

_root = []  # the folder of this test run, once there is one


@pytest.fixture(autouse=True, scope='session')
def shared_folder(tmp_path_factory, request):
  """Of all workers of pytest-xdist: each has its own below it."""
  own = tmp_path_factory.getbasetemp()
  is_worker = hasattr(request.config, 'workerinput')
  _root[:] = [own.parent if is_worker else own]
  yield
  _root.clear()


def folder(name: str, make: Callable) -> pathlib.Path:
  """The folder of that name; not to be changed.

  Args:
    name: of this folder, the same in every process.
    make: path -> None, fills it; it is called in one process only.
  """
  path = _root[0] / f'shared_{name}'
  with open(f'{path}.lock', 'w') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not path.exists():
      unfinished = path.with_suffix('.unfinished')
      shutil.rmtree(unfinished, ignore_errors=True)
      make(unfinished)
      unfinished.rename(path)
  return path
