"""What is kept of files until they change."""

import os

from gan_jax.storage import files


def test_a_file_is_read_again_only_once_it_has_changed(tmp_path):
  paths = [tmp_path / f'{i}.txt' for i in range(100)]
  asked = []

  @files.until_changed
  def read(path):
    asked.append(path)
    return path.read_text() if path.exists() else ''

  for path in paths:
    path.write_text('a')
  for _ in range(3):  # in turn, however many there are
    assert [read(path) for path in paths] == ['a'] * len(paths)
  assert asked == paths
  paths[7].write_text('other')
  assert read(paths[7]) == 'other' and read(paths[8]) == 'a'
  assert asked[len(paths) :] == [paths[7]]
  # Of the same size, at another time.
  paths[8].write_text('b')
  os.utime(paths[8], ns=(1, 1))
  assert read(paths[8]) == 'b'
  missing = tmp_path / 'none.txt'
  assert read(missing) == read(missing) == ''
  missing.write_text('there')
  assert read(missing) == 'there'
