"""Compares columns: exact types as far as a reader has them, every bit of a float except which NaN it is."""

import struct
import uuid

import pyarrow as pa
import pyarrow.compute as pc

t = pa.types


def is_list(kind):
    return any(f(kind) for f in (t.is_list, t.is_large_list, t.is_fixed_size_list, t.is_list_view, t.is_large_list_view))


def difference(expected, actual, sees, path=""):
    """What is different, as text, or None. `sees` maps a leaf's type to the one that the reader gives it."""
    expected, actual = bare(expected), bare(actual)
    if len(expected) != len(actual):
        return f"{path or 'rows'}: {len(expected)} slots are {len(actual)}"
    if is_list(expected.type) or t.is_map(expected.type):
        return list_difference(expected, actual, sees, path)
    if t.is_struct(expected.type):
        return struct_difference(expected, actual, sees, path)
    return leaf_difference(expected, actual, sees, path)


def bare(array):
    """One array without labels: no chunks, extension types, dictionaries, runs."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    if t.is_dictionary(array.type):
        return bare(array.dictionary_decode())
    if t.is_run_end_encoded(array.type):
        return bare(pc.run_end_decode(array))
    if t.is_string(array.type) or t.is_string_view(array.type):
        return array.cast(pa.large_string())
    if t.is_binary(array.type) or t.is_binary_view(array.type):
        return array.cast(pa.large_binary())
    if t.is_decimal(array.type):
        return array.cast(pa.decimal256(array.type.precision, array.type.scale))
    return array


def bare_type(kind):
    return bare(pa.array([], kind)).type


def list_difference(expected, actual, sees, path):
    if not (is_list(actual.type) or t.is_map(actual.type)):
        return f"{path}: a list or map is {actual.type}"
    (lengths, items), (actual_lengths, actual_items) = parts(expected), parts(actual)
    if not lengths.equals(actual_lengths):
        return f"{path}: {first(lengths, actual_lengths, 'lengths')}"
    return difference(items, actual_items, sees, f"{path}[]")


def parts(array):
    """Lengths of lists and their items; lists that are null have neither."""
    if t.is_map(array.type):
        entries = pa.StructArray.from_arrays([array.keys, array.items], names=["key", "value"])
        offsets = array.offsets
        array = pa.ListArray.from_arrays(offsets, entries, mask=array.is_null())
    return pc.cast(pc.list_value_length(array), pa.int64()), array.flatten()


def struct_difference(expected, actual, sees, path):
    if not t.is_struct(actual.type):
        return f"{path}: a struct is {actual.type}"
    names = [[array.type.field(i).name for i in range(array.type.num_fields)] for array in (expected, actual)]
    if names[0] != names[1]:
        return f"{path}: fields {names[0]} are {names[1]}"
    if not expected.is_null().equals(actual.is_null()):
        return f"{path}: {first(expected.is_null(), actual.is_null(), 'is null')}"
    for name, a, b in zip(names[0], expected.flatten(), actual.flatten()):
        found = difference(a, b, sees, f"{path}.{name}")
        if found:
            return found
    return None


def leaf_difference(expected, actual, sees, path):
    source, wanted = expected.type, bare_type(sees(expected.type))
    if actual.type != wanted:
        return f"{path}: a column of {source} should be {wanted} and is {actual.type}"
    try:
        expected = expected if source == wanted else convert(expected, wanted)
    except pa.ArrowInvalid as error:
        return f"{path}: {error}"
    if t.is_decimal(source) and t.is_floating(wanted):
        # Readers divide by powers of ten, which rounds twice.
        near = pc.less_equal(pc.abs(pc.subtract(expected, actual)), pc.multiply(pc.abs(expected), 1e-15))
        actual = pc.if_else(near, expected, actual)
    expected, actual = bits(expected), bits(actual)
    return None if expected.equals(actual) else f"{path}: {first(expected, actual, 'values')}"


def convert(array, wanted):
    """Values as another type holds them; moments are cut to the coarser unit, downwards as everybody does."""
    source = array.type
    if t.is_timestamp(source) and t.is_timestamp(wanted):
        if source.unit == "ns" and wanted.unit == "us":
            return pc.floor_temporal(array, unit="microsecond").cast(pa.timestamp("us", source.tz)).cast(wanted)
        return array.cast(pa.timestamp(wanted.unit, source.tz)).cast(wanted)
    if t.is_time(source) and t.is_time(wanted):
        return array.cast(wanted, safe=False)
    if (t.is_timestamp(source) or t.is_time(source) or t.is_duration(source)) and t.is_integer(wanted):
        return array.view(pa.int64() if source.bit_width == 64 else pa.int32()).cast(wanted)
    if t.is_interval(source) and wanted == pa.binary(12):
        return mapped(array, wanted, lambda parts: struct.pack("<III", parts.months, parts.days, parts.nanoseconds // 1_000_000))
    if source == pa.binary(16) and t.is_large_string(wanted):
        return mapped(array, wanted, lambda value: str(uuid.UUID(bytes=value)))
    if t.is_large_string(source) and wanted == pa.binary(16):
        return mapped(array, wanted, lambda text: uuid.UUID(text).bytes)
    return array.cast(wanted)


def mapped(array, wanted, f):
    return pa.array([None if value is None else f(value) for value in array.to_pylist()], wanted)


def bits(array):
    """Floats as integers, so that zeros have signs and a NaN equals any other."""
    if not t.is_floating(array.type):
        return array
    if array.type == pa.float16():
        array = array.cast(pa.float32())
    nan = pa.scalar(float("nan"), array.type)
    array = pc.if_else(pc.is_nan(array), nan, array)
    return array.view(pa.int64() if array.type == pa.float64() else pa.int32())


def first(expected, actual, what):
    """The first slot that is different."""
    for at, (a, b) in enumerate(zip(expected, actual)):
        if not a.equals(b):
            return f"{what} at {at}: {shown(a)} is {shown(b)}"
    return f"{what} differ"


def shown(scalar):
    text = str(scalar.cast(pa.int64())) if t.is_temporal(scalar.type) and scalar.type.bit_width == 64 else repr(scalar.as_py())
    return text if len(text) < 80 else text[:77] + "..."
