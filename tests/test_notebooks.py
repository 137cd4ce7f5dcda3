"""Every notebook runs from top to bottom, with few steps."""

import pathlib
import warnings

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / 'notebooks').glob('*.ipynb'))


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda p: p.name)
def test_notebook_runs(path, monkeypatch):
  nbclient = pytest.importorskip('nbclient')
  nbformat = pytest.importorskip('nbformat')
  monkeypatch.setenv('GAN_JAX_QUICKSTART_STEPS', '30')
  notebook = nbformat.read(path, as_version=4)
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')  # of the notebook server's own packages
    nbclient.NotebookClient(
      notebook, timeout=300, resources={'metadata': {'path': str(path.parent)}}
    ).execute()
  pictures = [
    output
    for cell in notebook.cells
    for output in cell.get('outputs', [])
    if 'image/png' in output.get('data', {})
  ]
  assert len(pictures) >= 4


def test_there_are_notebooks_and_they_hold_no_outputs():
  assert NOTEBOOKS
  for path in NOTEBOOKS:
    text = path.read_text()
    assert '"outputs": []' in text and 'image/png' not in text
