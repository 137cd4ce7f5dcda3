"""A package of somebody's own, for the tests of a module."""

import contextlib

import pytest


@contextlib.contextmanager
def importable(folder, name: str, files: dict[str, str]):
  """Writes the package {module: source} into a folder where Python looks."""
  (folder / name).mkdir()
  for module, source in files.items():
    (folder / name / f'{module}.py').write_text(source)
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(folder)
    yield folder
