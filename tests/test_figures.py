"""The package keeps its shape: short functions, short lists, short files."""

from tests import figures

SOURCES = figures.sources()
MEASURED = figures.functions(SOURCES)
SAMPLE = '''
class A:
  def f(self, x, y=1, *rest, z: bool = False, **options):
    """One
    two."""
    found = x

    def inner(flag: bool, other: bool | None = None, last=True):
      return [told for told in rest]

  @classmethod
  async def g(cls, said): ...


class Fields:
  train: bool = True
'''


def test_typical_functions_are_short():
  assert len(MEASURED) > 1000
  assert figures.median_length(MEASURED) <= 9


def test_no_function_but_the_loop_is_long():
  assert figures.MAX_LENGTH == 60
  assert not figures.too_long(MEASURED)


def test_argument_lists_are_short():
  assert figures.MAX_ARGUMENTS == 8
  assert not figures.too_many_arguments(MEASURED)


def test_booleans_are_passed_by_name():
  assert not figures.positional_booleans(MEASURED)


def test_files_are_short():
  lengths = figures.file_lengths()
  assert figures.MAX_LINES == 300
  assert len(lengths) > 300
  assert not figures.too_long_files(lengths)


def test_variables_are_named_for_what_they_hold():
  names = [str(name) for name in figures.vague_names(SOURCES)]
  assert not names


def test_exceptions_exist():
  places = {(function.path, function.name) for function in MEASURED}
  assert figures.LONGER | figures.MORE <= places


def test_the_figures_count_what_they_say():
  f, g, inner = sorted(
    figures.functions({'a.py': SAMPLE}), key=lambda function: function.name
  )
  assert (f.length, f.arguments, f.booleans) == (7, 5, ())
  assert (g.length, g.arguments, g.line) == (1, 1, 12)
  assert (inner.length, inner.arguments) == (2, 3)
  assert inner.booleans == ('flag', 'other', 'last')
  names = [name.name for name in figures.vague_names({'a.py': SAMPLE})]
  assert sorted(names) == ['found', 'said', 'told']


def test_the_table_has_a_row_per_room_and_one_for_all():
  lines = figures.table().splitlines()
  assert lines[0].split()[:3] == ['room', 'count', 'median']
  assert lines[-1].split()[:2] == ['gan_jax', str(len(MEASURED))]
  assert len({line.split()[0] for line in lines}) == len(lines)
