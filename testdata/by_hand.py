"""Files in layouts that the libraries of the other sections do not write: old ones, new ones, odd but lawful ones."""

import decimal
import random
import struct

import pyarrow as pa
import raw
from raw import Column, group, leaf, logical


def rng(name):
    return random.Random("by hand " + name)


def column(name, physical, values, top=0, **options):
    """A chunk to be filled from values with nulls, with its definition levels and what is there."""
    defs = [0 if v is None else 1 for v in values] if top else None
    return Column(name, physical, max_def=top, **options), defs, [v for v in values if v is not None]


def lists(rows, nullable=True, element_nullable=True):
    """Levels and values of a list column."""
    defs, reps, values = [], [], []
    top = int(nullable) + 1 + int(element_nullable)
    for row in rows:
        if not row:
            defs.append(0 if row is None else int(nullable))
            reps.append(0)
        for i, v in enumerate(row or []):
            defs.append(top - (v is None))
            reps.append(int(i > 0))
            if v is not None:
                values.append(v)
    return top, defs, reps, values


def list_chunk(path, physical, rows, nullable=True, element_nullable=True, page=Column.v1):
    top, defs, reps, values = lists(rows, nullable, element_nullable)
    c = Column(path, physical, max_def=top, max_rep=1)
    return page(c, raw.PLAIN, raw.plain(physical, values), len(defs), defs, reps)


# ---------------------------------------------------------------------------------------------------------------------


def legacy_lists():
    """The layouts of lists and maps from before the three-level form, as LogicalTypes.md has them."""
    numbers = [[1, 2, 3], [], None, [4], [5, 6], None]
    words = [[b"a", b"bc"], [], None, [b""], [b"d", b"e"], None]
    some = [n or [] for n in numbers]
    yes = {"converted": raw.LIST_OF, "repetition": raw.OPTIONAL}
    fields, chunks = [], []

    def add(elements, *columns):
        fields.append(elements)
        chunks.extend(columns)

    add([group("two_level", 1, **yes), leaf("element", raw.INT32, raw.REPEATED)], list_chunk("two_level.element", raw.INT32, numbers, True, False))
    add([group("array_of_one", 1, **yes), group("array", 1, raw.REPEATED), leaf("str", raw.BYTE_ARRAY, converted=raw.UTF8)], list_chunk("array_of_one.array.str", raw.BYTE_ARRAY, words, True, False))
    add([group("tuples", 1, **yes), group("tuples_tuple", 1, raw.REPEATED), leaf("str", raw.BYTE_ARRAY, converted=raw.UTF8)], list_chunk("tuples.tuples_tuple.str", raw.BYTE_ARRAY, words, True, False))
    add(
        [group("pairs", 1, **yes), group("element", 2, raw.REPEATED), leaf("str", raw.BYTE_ARRAY, converted=raw.UTF8), leaf("num", raw.INT32)],
        list_chunk("pairs.element.str", raw.BYTE_ARRAY, words, True, False),
        list_chunk("pairs.element.num", raw.INT32, [w if w is None else [len(x) for x in w] for w in words], True, False),
    )
    add([group("bags", 1, **yes), group("bag", 1, raw.REPEATED), leaf("array_element", raw.INT32, raw.OPTIONAL)], list_chunk("bags.bag.array_element", raw.INT32, [[1, None], [], None, [None], [2], []]))
    add([leaf("bare", raw.INT32, raw.REPEATED)], list_chunk("bare", raw.INT32, some, False, False))
    add([group("bare_group", 1, raw.REPEATED), leaf("x", raw.INT32, raw.OPTIONAL)], list_chunk("bare_group.x", raw.INT32, [[1, None], [], [2], [None], [], [3, 4, 5]], False, True))
    # A list of lists with two levels each.
    deep = [[[1, 2], []], [], None, [[3]], [[], [4]], [[5, 6, 7]]]
    defs, reps, values = [], [], []
    for row in deep:
        if not row:
            defs.append(0 if row is None else 1)
            reps.append(0)
        for i, inner in enumerate(row or []):
            if not inner:
                defs.append(2)
                reps.append(int(i > 0))
            for k, v in enumerate(inner):
                defs.append(3)
                reps.append(2 if k else int(i > 0))
                values.append(v)
    c = Column("lists.array.array", raw.INT32, max_def=3, max_rep=2).v1(raw.PLAIN, raw.plain(raw.INT32, values), len(defs), defs, reps)
    add([group("lists", 1, **yes), group("array", 1, raw.REPEATED, raw.LIST_OF), leaf("array", raw.INT32, raw.REPEATED)], c)
    keys = [[b"k", b"l"], [], None, [b"m"], [b"n"], None]
    held = [[1, None], [], None, [2], [3], None]
    add(
        [group("old_map", 1, raw.OPTIONAL, raw.MAP_KEY_VALUE), group("map", 2, raw.REPEATED), leaf("key", raw.BYTE_ARRAY, converted=raw.UTF8), leaf("value", raw.INT32, raw.OPTIONAL)],
        list_chunk("old_map.map.key", raw.BYTE_ARRAY, keys, True, False),
        list_chunk("old_map.map.value", raw.INT32, held),
    )
    add(
        [group("odd_names", 1, raw.OPTIONAL, raw.MAP), group("entries", 2, raw.REPEATED, raw.MAP_KEY_VALUE), leaf("k", raw.BYTE_ARRAY, converted=raw.UTF8), leaf("v", raw.INT32, raw.OPTIONAL)],
        list_chunk("odd_names.entries.k", raw.BYTE_ARRAY, keys, True, False),
        list_chunk("odd_names.entries.v", raw.INT32, held),
    )
    yield "raw-lists.legacy", raw.file([e for f in fields for e in f], [chunks], [6], top=len(fields)), None
    # `element` with a single field: by the rules this is the three-level form.
    c = list_chunk("one.element.x", raw.INT32, numbers, True, False)
    yield "raw-lists.one-field-element", raw.file([group("one", 1, **yes), group("element", 1, raw.REPEATED), leaf("x", raw.INT32)], [[c]], [6], top=1), None


def big_endian(n):
    return n.to_bytes(max(1, (n.bit_length() + 8) // 8), "big", signed=True)


def converted_types():
    """Files from before logical types: converted types alone, and decimals of any physical type."""
    n = 40
    r = rng("converted")
    kinds = [
        ("int8", raw.INT32, raw.INT_8, lambda: r.randrange(-128, 128)), ("int16", raw.INT32, raw.INT_16, lambda: r.randrange(-(1 << 15), 1 << 15)),
        ("int32", raw.INT32, raw.INT_32, lambda: r.randrange(-(1 << 31), 1 << 31)), ("int64", raw.INT64, raw.INT_64, lambda: r.randrange(-(1 << 63), 1 << 63)),
        ("uint8", raw.INT32, raw.UINT_8, lambda: r.randrange(256)), ("uint16", raw.INT32, raw.UINT_16, lambda: r.randrange(1 << 16)),
        ("uint32", raw.INT32, raw.UINT_32, lambda: r.randrange(-(1 << 31), 1 << 31)), ("uint64", raw.INT64, raw.UINT_64, lambda: r.randrange(-(1 << 63), 1 << 63)),
        ("utf8", raw.BYTE_ARRAY, raw.UTF8, lambda: b"herring %d" % r.randrange(100)), ("enum", raw.BYTE_ARRAY, raw.ENUM, lambda: r.choice([b"RED", b"GREEN"])),
        ("json", raw.BYTE_ARRAY, raw.JSON, lambda: b'{"a": %d}' % r.randrange(9)), ("bson", raw.BYTE_ARRAY, raw.BSON, lambda: b"\x05\0\0\0\0"),
        ("date", raw.INT32, raw.DATE, lambda: r.randrange(-9999, 30000)), ("time_ms", raw.INT32, raw.TIME_MILLIS, lambda: r.randrange(86_400_000)),
        ("time_us", raw.INT64, raw.TIME_MICROS, lambda: r.randrange(86_400_000_000)), ("ts_ms", raw.INT64, raw.TIMESTAMP_MILLIS, lambda: r.randrange(1 << 41)),
        ("ts_us", raw.INT64, raw.TIMESTAMP_MICROS, lambda: r.randrange(1 << 51)),
    ]  # fmt: skip
    fields, chunks = [], []
    for name, physical, converted, make in kinds:
        values = [make() if r.random() > 0.2 else None for _ in range(n)]
        c, defs, there = column(name, physical, values, top=1)
        chunks.append(c.v1(raw.PLAIN, raw.plain(physical, there), n, defs))
        fields.append(leaf(name, physical, raw.OPTIONAL, converted))
    yield "raw-types.converted", raw.file(fields, [chunks], [n]), None
    fields, chunks, known = [], [], []
    for name, physical, length, precision, scale in (
        ("int32", raw.INT32, None, 9, 2), ("int64", raw.INT64, None, 18, 4), ("fixed5", raw.FLBA, 5, 11, 3), ("fixed16", raw.FLBA, 16, 38, 6), 
        ("fixed32", raw.FLBA, 32, 76, 30), ("binary5", raw.BYTE_ARRAY, None, 5, 2), ("binary30", raw.BYTE_ARRAY, None, 30, 10), ("binary60", raw.BYTE_ARRAY, None, 60, 20),
    ):  # fmt: skip
        top = 10**precision - 1
        values = [0, 1, -1, top, -top, 127, 128, -128, -129, None] + [r.randint(-top, top) // 10 ** r.randrange(precision) for _ in range(30)]
        c, defs, there = column(name, physical, values, top=1)
        if physical == raw.FLBA:
            there = [v.to_bytes(length, "big", signed=True) for v in there]
        elif physical == raw.BYTE_ARRAY:
            there = [big_endian(v) for v in there]
        chunks.append(c.v1(raw.PLAIN, raw.plain(physical, there), len(values), defs))
        fields.append(leaf(name, physical, raw.OPTIONAL, raw.DECIMAL, length=length, scale=scale, precision=precision))
        typ = (pa.decimal128 if precision <= 38 else pa.decimal256)(precision, scale)
        known.append(pa.array([v if v is None else decimal.Decimal(v).scaleb(-scale, decimal.Context(prec=99)) for v in values], typ))
    yield "raw-types.decimals", raw.file(fields, [chunks], [40]), pa.Table.from_arrays(known, names="int32 int64 fixed5 fixed16 fixed32 binary5 binary30 binary60".split())
    # More bytes than the precision needs.
    values = [0, 1, -1, 10**30 - 1, 1 - 10**30, 255, -256]
    c = Column("x", raw.FLBA).v1(raw.PLAIN, b"".join(v.to_bytes(20, "big", signed=True) for v in values), 7)
    known = pa.array([decimal.Decimal(v) for v in values], pa.decimal128(30, 0))
    fields = [leaf("x", raw.FLBA, converted=raw.DECIMAL, length=20, scale=0, precision=30)]
    yield "raw-types.wide-decimal", raw.file(fields, [[c]], [7]), pa.table([known], pa.schema([pa.field("x", known.type, nullable=False)]))
    months = [struct.pack("<III", i, i * 2, i * 1000) for i in range(20)] + [struct.pack("<III", (1 << 32) - 1, 1 << 31, 7)]
    c = Column("interval", raw.FLBA).v1(raw.PLAIN, raw.plain(raw.FLBA, months), 21)
    yield "raw-types.interval", raw.file([leaf("interval", raw.FLBA, converted=raw.INTERVAL, length=12)], [[c]], [21]), None


def logical_types():
    """Logical types without their converted ones, unknown ones, and those that annotate groups."""
    n = 12
    unit = lambda which: raw.record({which: raw.record()})
    whole = lambda bits, signed: logical(10, {1: raw.i8(bits), 2: raw.flag(signed)})
    clock = lambda id, utc, which: logical(id, {1: raw.flag(utc), 2: unit(which)})
    kinds = [
        ("string", raw.BYTE_ARRAY, logical(1), [b"w%d" % i for i in range(n)], None),
        ("enum", raw.BYTE_ARRAY, logical(4), [b"A", b"B"] * 6, None),
        ("date", raw.INT32, logical(6), [i * 100 for i in range(n)], None),
        ("time_ms", raw.INT32, clock(7, True, 1), [i * 1000 for i in range(n)], None),
        ("time_ns", raw.INT64, clock(7, False, 3), [i * 10**9 for i in range(n)], None),
        ("ts_ms", raw.INT64, clock(8, False, 1), [i * 10**6 for i in range(n)], None),
        ("ts_ns", raw.INT64, clock(8, True, 3), [i * 10**15 for i in range(n)], None),
        ("uint8", raw.INT32, whole(8, False), [i * 20 for i in range(n)], None),
        ("int16", raw.INT32, whole(16, True), [-i for i in range(n)], None),
        ("uint64", raw.INT64, whole(64, False), [-i for i in range(n)], None),
        ("json", raw.BYTE_ARRAY, logical(12), [b"[%d]" % i for i in range(n)], None),
        ("bson", raw.BYTE_ARRAY, logical(13), [b"\x05\0\0\0\0"] * n, None),
        ("uuid", raw.FLBA, logical(14), [bytes([i]) * 16 for i in range(n)], 16),
        ("float16", raw.FLBA, logical(15), [struct.pack("<e", i / 4) for i in range(n)], 2),
        ("no_type", raw.INT32, None, list(range(n)), None),
        ("from_the_future", raw.INT64, logical(99), list(range(n)), None),
        ("from_the_future_with_fields", raw.BYTE_ARRAY, logical(77, {1: raw.i32(5), 2: raw.text("x"), 3: raw.record({1: raw.many([raw.i64(1)])})}), [b"x"] * n, None),
    ]
    fields = [leaf(name, physical, logical=kind, length=length) for name, physical, kind, _, length in kinds]
    chunks = [Column(name, physical).v1(raw.PLAIN, raw.plain(physical, values), n) for name, physical, _, values, _ in kinds]
    # In Thrift an empty `logicalType` and an unknown one look alike to a reader that knows neither.
    yield "raw-types.logical", raw.file(fields, [chunks], [n]), None
    kinds = [("binary", raw.BYTE_ARRAY, None), ("int64", raw.INT64, None), ("bool", raw.BOOLEAN, None), ("fixed", raw.FLBA, 3)]
    fields = [leaf(name, physical, raw.OPTIONAL, logical=logical(11), length=length) for name, physical, length in kinds]
    chunks = [Column(name, physical, max_def=1).v1(raw.PLAIN, b"", n, [0] * n) for name, physical, _ in kinds]
    yield "raw-types.null", raw.file(fields, [chunks], [n]), None
    point = lambda x, y: struct.pack("<BIdd", 1, 1, x, y)
    points = [point(i, -i) for i in range(n)]
    geo = [("geometry", logical(17)), ("geometry_crs", logical(17, {1: raw.text("OGC:CRS83")})), ("geography", logical(18, {2: raw.i32(1)}))]
    fields = [leaf(name, raw.BYTE_ARRAY, logical=kind) for name, kind in geo]
    chunks = [Column(name, raw.BYTE_ARRAY).v1(raw.PLAIN, raw.plain(raw.BYTE_ARRAY, points), n) for name, _ in geo]
    yield "raw-types.geo", raw.file(fields, [chunks], [n]), pa.table([points] * 3, pa.schema([pa.field(name, pa.binary(), False) for name, _ in geo]))
    # A variant whose values are all null, then the number 5; and a file reference.
    meta, value = b"\x01\0\0", [b"\0", b"\x0c\x05"] * 6
    fields = [group("variant", 2, logical=logical(16, {1: raw.i8(1)})), leaf("metadata", raw.BYTE_ARRAY), leaf("value", raw.BYTE_ARRAY)]
    chunks = [Column("variant.metadata", raw.BYTE_ARRAY).v1(raw.PLAIN, raw.plain(raw.BYTE_ARRAY, [meta] * n), n), Column("variant.value", raw.BYTE_ARRAY).v1(raw.PLAIN, raw.plain(raw.BYTE_ARRAY, value), n)]
    must = lambda name, typ: pa.field(name, typ, False)
    variant = [must("metadata", pa.binary()), must("value", pa.binary())]
    variants = pa.StructArray.from_arrays([pa.array([meta] * n), pa.array(value)], fields=variant)
    fields += [group("file", 3, logical=logical(19)), leaf("path", raw.BYTE_ARRAY, logical=logical(1)), leaf("offset", raw.INT64), leaf("size", raw.INT64)]
    paths = [b"a/%d.jpg" % i for i in range(n)]
    chunks += [Column("file.path", raw.BYTE_ARRAY).v1(raw.PLAIN, raw.plain(raw.BYTE_ARRAY, paths), n)]
    chunks += [Column(f"file.{c}", raw.INT64).v1(raw.PLAIN, raw.plain(raw.INT64, range(n)), n) for c in ("offset", "size")]
    ref = [must("path", pa.utf8()), must("offset", pa.int64()), must("size", pa.int64())]
    refs = pa.StructArray.from_arrays([pa.array([p.decode() for p in paths]), pa.array(range(n), pa.int64()), pa.array(range(n), pa.int64())], fields=ref)
    known = pa.table([variants, refs], pa.schema([must("variant", pa.struct(variant)), must("file", pa.struct(ref))]))
    yield "raw-types.groups", raw.file(fields, [chunks], [n], top=2), known


def levels():
    """BIT_PACKED levels, and runs of levels cut in every way."""
    r = rng("levels")
    rows = [None if r.random() < 0.2 else [r.randrange(100) if r.random() > 0.2 else None for _ in range(r.randrange(5))] for _ in range(150)]
    top, defs, reps, values = lists(rows)
    fields = [group("x", 1, raw.OPTIONAL, raw.LIST_OF), group("list", 1, raw.REPEATED), leaf("element", raw.INT32, raw.OPTIONAL), leaf("y", raw.INT64, raw.OPTIONAL)]
    flat = [None if r.random() < 0.3 else i for i in range(150)]
    known = pa.table({"x": pa.array(rows, pa.list_(pa.field("element", pa.int32()))), "y": pa.array(flat, pa.int64())})
    for name, kind in (("bit-packed", raw.BIT_PACKED), ("rle", raw.RLE)):
        x = Column("x.list.element", raw.INT32, max_def=top, max_rep=1).v1(raw.PLAIN, raw.plain(raw.INT32, values), len(defs), defs, reps, kind)
        y, flat_defs, there = column("y", raw.INT64, flat, top=1)
        y.v1(raw.PLAIN, raw.plain(raw.INT64, there), 150, flat_defs, levels=kind)
        yield f"raw-levels.{name}", raw.file(fields, [[x, y]], [150], top=2), known


def pages():
    """Pages in every order and of every kind."""
    n, r = 60, rng("pages")
    ints = [r.randrange(1000) for _ in range(n)]
    plain = lambda values: raw.plain(raw.INT32, values)
    indices = lambda values, width: bytes([width]) + raw.hybrid(values, width)
    table = [5, 500, 50]
    picks = [r.randrange(3) for _ in range(n)]
    picked = [table[i] for i in picks]
    nullable = [None if i % 3 == 0 else v for i, v in enumerate(ints)]
    fields, chunks, known = [], [], {}

    def add(name, c, values, optional=False):
        fields.append(leaf(name, raw.INT32, raw.OPTIONAL if optional else raw.REQUIRED))
        chunks.append(c)
        known[name] = pa.array(values, pa.int32()), optional

    c = Column("every_encoding", raw.INT32)
    c.dictionary(plain(table), 3).v1(raw.RLE_DICTIONARY, indices(picks[:20], 2), 20).v1(raw.PLAIN, plain(ints[:10]), 10).v2(raw.DELTA, raw.delta(ints[10:20], 32), 10)
    c.v1(raw.BSS, raw.split(raw.INT32, ints[20:30]), 10).v2(raw.RLE_DICTIONARY, indices(picks[20:30], 2), 10)
    add("every_encoding", c, picked[:20] + ints[:10] + ints[10:20] + ints[20:30] + picked[20:30])
    c = Column("other_pages", raw.INT32).extra(raw.INDEX, b"index").v1(raw.PLAIN, plain(ints[:30]), 30).extra(raw.INDEX, b"").extra(42, b"a page of the future").v1(raw.PLAIN, plain(ints[30:]), 30)
    add("other_pages", c, ints)
    c = Column("unused_dictionary", raw.INT32).dictionary(plain(table), 3).v1(raw.PLAIN, plain(ints), n)
    add("unused_dictionary", c, ints)
    for how in ("none", "zero"):
        c = Column(f"dictionary_offset_{how}", raw.INT32).dictionary(plain(table), 3).v1(raw.RLE_DICTIONARY, indices(picks, 2), n)
        c.dictionary_offset = how
        add(f"dictionary_offset_{how}", c, picked)
    c = Column("plain_dictionary", raw.INT32, raw.GZIP).dictionary(plain(table), 3, raw.PLAIN_DICTIONARY).v1(raw.PLAIN_DICTIONARY, indices(picks, 2), n)
    add("plain_dictionary", c, picked)
    for width in (0, 1, 9, 20, 32):
        c = Column(f"width_{width}", raw.INT32).dictionary(plain(table[: 1 if width == 0 else 2]), 1 if width == 0 else 2)
        some = [0] * n if width == 0 else [i % 2 for i in picks]
        c.v1(raw.RLE_DICTIONARY, bytes([width]) + (raw.varint(n << 1) if width == 0 else raw.hybrid(some, width)), n)
        add(f"width_{width}", c, [table[i] for i in some])
    c = Column("one_run_too_long", raw.INT32).dictionary(plain(table), 3).v1(raw.RLE_DICTIONARY, b"\x02" + raw.varint(1000 << 1) + b"\x01", n)
    add("one_run_too_long", c, [table[1]] * n)
    c = Column("padded_groups", raw.INT32).dictionary(plain(table), 3).v1(raw.RLE_DICTIONARY, b"\x02" + raw.varint(10 << 1 | 1) + raw.pack(picks + [3] * 20, 2), n)
    add("padded_groups", c, picked)
    add("v2_not_compressed", Column("v2_not_compressed", raw.INT32, raw.ZSTD).v2(raw.PLAIN, plain(ints), n, compressed=False), ints)
    add("v2_silent", Column("v2_silent", raw.INT32, raw.ZSTD).v2(raw.PLAIN, plain(ints), n, say=False), ints)
    none = [None] * n
    c, defs, _ = column("v2_all_null", raw.INT32, none, top=1, codec=raw.SNAPPY)
    add("v2_all_null", c.v2(raw.PLAIN, b"", n, defs, compressed=False), none, True)
    c, defs, _ = column("v2_all_null_zero_bytes", raw.INT32, none, top=1, codec=raw.SNAPPY, squeeze=lambda data: b"")
    add("v2_all_null_zero_bytes", c.v2(raw.PLAIN, b"", n, defs), none, True)
    c, defs, there = column("both_versions", raw.INT32, nullable, top=1, codec=raw.LZ4_RAW)
    add("both_versions", c.v1(raw.PLAIN, plain(there[:20]), 30, defs[:30]).v2(raw.PLAIN, plain(there[20:]), 30, defs[30:]), nullable, True)
    c, defs, _ = column("all_null_dictionary", raw.INT32, none, top=1)
    add("all_null_dictionary", c.dictionary(b"", 0).v1(raw.RLE_DICTIONARY, b"\0", n, defs), none, True)
    c, defs, _ = column("all_null_no_indices", raw.INT32, none, top=1)
    add("all_null_no_indices", c.dictionary(b"", 0).v1(raw.RLE_DICTIONARY, b"", n, defs), none, True)
    schema = pa.schema([pa.field(name, a.type, nullable=optional) for name, (a, optional) in known.items()])
    yield "raw-pages.odd", raw.file(fields, [chunks], [n]), pa.Table.from_arrays([a for a, _ in known.values()], schema=schema)
    empty = lambda: Column("x", raw.INT32, raw.SNAPPY).v1(raw.PLAIN, b"", 0).v2(raw.PLAIN, b"", 0)
    known = pa.table([pa.array(ints, pa.int32())], pa.schema([pa.field("x", pa.int32(), nullable=False)]))
    c = empty().v1(raw.PLAIN, plain(ints[:9]), 9).v1(raw.DELTA, raw.delta([], 32), 0).v2(raw.PLAIN, b"", 0, compressed=False).v2(raw.PLAIN, plain(ints[9:]), n - 9).v1(raw.PLAIN, b"", 0)
    yield "raw-pages.empty", raw.file([leaf("x", raw.INT32)], [[c]], [n]), known
    # A row that goes on over the end of a page, which version 1 pages may do.
    rows = [[1, 2, 3], [4], list(range(50)), [], None, [7]]
    top, defs, reps, values = lists(rows)
    c = Column("x.list.element", raw.INT32, max_def=top, max_rep=1)
    at = 0
    for end in (2, 3, 10, 30, 54, len(defs)):
        there = sum(d == top for d in defs[:at]), sum(d == top for d in defs[:end])
        c.v1(raw.PLAIN, plain(values[slice(*there)]), end - at, defs[at:end], reps[at:end])
        at = end
    fields = [group("x", 1, raw.OPTIONAL, raw.LIST_OF), group("list", 1, raw.REPEATED), leaf("element", raw.INT32, raw.OPTIONAL)]
    yield "raw-pages.rows-over-pages", raw.file(fields, [[c]], [6], top=1), pa.table({"x": pa.array(rows, pa.list_(pa.field("element", pa.int32())))})


def codecs():
    """The codecs' odd framings."""
    words = [b"herring %d" % (i % 7) for i in range(120)]
    data = raw.plain(raw.BYTE_ARRAY, words)
    whole = lambda name: lambda body: pa.Codec(name).compress(body, asbytes=True)
    kinds = [
        ("lz4_hadoop", raw.LZ4, raw.hadoop_lz4), ("lz4_hadoop_blocks", raw.LZ4, lambda body: raw.hadoop_lz4(body, 500)), ("lz4_frame", raw.LZ4, whole("lz4")), ("lz4_bare", raw.LZ4, whole("lz4_raw")),
        ("gzip_members", raw.GZIP, raw.gzip_members), ("zstd_frames", raw.ZSTD, raw.zstd_frames),
    ]  # fmt: skip
    for name, codec, squeeze in kinds:
        for version, page in (("v1", Column.v1), ("v2", Column.v2)):
            c = page(Column("x", raw.BYTE_ARRAY, codec, squeeze=squeeze), raw.PLAIN, data, 120)
            yield f"raw-codecs.{name.replace('_', '-')}-{version}", raw.file([leaf("x", raw.BYTE_ARRAY)], [[c]], [120]), pa.table([pa.array(words)], pa.schema([pa.field("x", pa.binary(), nullable=False)]))


def deltas():
    """Blocks and miniblocks of other sizes than the usual ones."""
    r, n = rng("deltas"), 450
    values = [r.randrange(-(1 << k % 63), 1 << k % 63) if k % 5 else k for k in range(n)]
    sorted_words = sorted(b"prefix %d %s" % (r.randrange(30), bytes(r.choice(b"abc") for _ in range(r.randrange(9)))) for _ in range(n))
    fields, chunks, known = [], [], {}
    for block, minis in ((128, 1), (128, 4), (256, 8), (1024, 32), (2048, 1)):
        name = f"i64_{block}_{minis}"
        fields.append(leaf(name, raw.INT64))
        chunks.append(Column(name, raw.INT64).v1(raw.DELTA, raw.delta(values, 64, block, minis, junk_widths=block == 256), n))
        known[name] = pa.array(values, pa.int64())
    narrow = [v % 1000 for v in values]
    for name, data in (("dlba", raw.delta_lengths(sorted_words, block=256, minis=2)), ("dba", raw.delta_prefixes(sorted_words, block=256, minis=2))):
        fields.append(leaf(name, raw.BYTE_ARRAY))
        chunks.append(Column(name, raw.BYTE_ARRAY, raw.ZSTD).v1(raw.DLBA if name == "dlba" else raw.DBA, data, n))
        known[name] = pa.array(sorted_words)
    fields.append(leaf("i32_wrapping", raw.INT32))
    extremes = [(1 << 31) - 1 if i % 2 else -(1 << 31) for i in range(n)]
    chunks.append(Column("i32_wrapping", raw.INT32).v1(raw.DELTA, raw.delta(extremes, 32), n))
    known["i32_wrapping"] = pa.array(extremes, pa.int32())
    fields.append(leaf("constant", raw.INT32))
    chunks.append(Column("constant", raw.INT32).v1(raw.DELTA, raw.delta([3] * n, 32), n))
    known["constant"] = pa.array([3] * n, pa.int32())
    fields.append(leaf("short_pages", raw.INT32, raw.OPTIONAL))
    c, at = Column("short_pages", raw.INT32, max_def=1), 0
    for size in (1, 2, 31, 32, 33, 64, 65, 128, 94):
        c.v1(raw.DELTA, raw.delta(narrow[at : at + size], 32), size, [1] * size)
        at += size
    chunks.append(c)
    known["short_pages"] = pa.array(narrow, pa.int32())
    schema = pa.schema([pa.field(name, a.type, nullable=name == "short_pages") for name, a in known.items()])
    yield "raw-deltas.blocks", raw.file(fields, [chunks], [n]), pa.Table.from_arrays(list(known.values()), schema=schema)


def floats_as_decimals():
    """ALP: decimals, exceptions, vectors of several sizes, a last vector that is not full."""
    r, n = rng("alp"), 1100
    odd = [0.0, -0.0, float("nan"), float("inf"), float("-inf"), 5e-324, 1e300, 1 / 3]
    prices = [r.randrange(-100_000, 100_000) / 100 for _ in range(n)]
    single = lambda v: struct.unpack("<f", struct.pack("<f", v))[0]
    mixed = [odd[i % 8] if r.random() < 0.1 else v for i, v in enumerate(prices)]
    mixed32 = [single(v) if abs(v) < 1e30 or v != v or abs(v) == float("inf") else 1e30 for v in mixed]
    columns = [
        ("f64", raw.DOUBLE, prices, 2, 0, 10), ("f64_mixed", raw.DOUBLE, mixed, 14, 12, 10), ("f64_vectors_of_8", raw.DOUBLE, mixed, 2, 0, 3), ("f64_one_vector", raw.DOUBLE, mixed, 5, 1, 15),
        ("f64_constant", raw.DOUBLE, [1.25] * n, 2, 0, 10), ("f64_only_odd", raw.DOUBLE, [odd[2 + i % 3] for i in range(n)], 0, 0, 10), ("f64_wide", raw.DOUBLE, [float((-1) ** i * 2**60) for i in range(n)], 0, 0, 10),
        ("f32", raw.FLOAT, [single(v) for v in prices], 2, 0, 10), ("f32_mixed", raw.FLOAT, mixed32, 4, 2, 9), ("f32_exponent_10", raw.FLOAT, mixed32, 10, 8, 10),
    ]  # fmt: skip
    for version, page in (("v1", Column.v1), ("v2", Column.v2)):
        rows = 1100 if version == "v1" else 130
        fields, chunks, known = [], [], []
        for name, physical, values, e, f, log in columns:
            if version == "v1" and not name.endswith("_mixed"):
                continue
            values = values[:rows]
            typ = pa.float32() if physical == raw.FLOAT else pa.float64()
            fields.append(leaf(name, physical))
            chunks.append(page(Column(name, physical, raw.ZSTD), raw.ALP, raw.alp(physical, values, e, f, log), rows))
            known.append((pa.array(values, typ), pa.field(name, typ, nullable=False)))
        nulls = [None if i % 3 == 0 else v for i, v in enumerate(prices[:rows])]
        fields.append(leaf("nulls", raw.DOUBLE, raw.OPTIONAL))
        c, defs, there = column("nulls", raw.DOUBLE, nulls, top=1)
        half = rows // 2
        first = [v for v in nulls[:half] if v is not None]
        c.v1(raw.ALP, raw.alp(raw.DOUBLE, first, 2, 0), half, defs[:half])
        page(c, raw.ALP, raw.alp(raw.DOUBLE, there[len(first) :], 2, 0), rows - half, defs[half:])
        chunks.append(c)
        known.append((pa.array(nulls, pa.float64()), pa.field("nulls", pa.float64())))
        yield f"raw-alp.{version}", raw.file(fields, [chunks], [rows]), pa.Table.from_arrays([a for a, _ in known], schema=pa.schema([f for _, f in known]))


def shapes():
    """Footers that are odd but lawful."""
    ints = [1, 2, 3]
    one = lambda: Column("x", raw.INT32).v1(raw.PLAIN, raw.plain(raw.INT32, ints), 3)
    known = pa.table([pa.array(ints * 2, pa.int32())], pa.schema([pa.field("x", pa.int32(), nullable=False)]))
    field = [leaf("x", raw.INT32)]
    yield "raw-shapes.no-created-by", raw.file(field, [[one()], [one()]], [3, 3], created_by=None), known
    yield "raw-shapes.odd-key-values", raw.file(field, [[one()], [one()]], [3, 3], keys=[("k", None), ("k", "twice"), ("k", "twice"), ("", "")], created_by="who knows"), None
    orders = [raw.record({2: raw.record()})] * 2 + [raw.record({3: raw.record()}), raw.record({57: raw.record()})]
    stats = lambda low, high, nans: raw.record({3: raw.i64(0), 5: raw.text(high), 6: raw.text(low), 7: raw.flag(True), 8: raw.flag(True), 9: nans is not None and raw.i64(nans) or None})
    nan = float("nan")
    f = Column("f", raw.DOUBLE).v1(raw.PLAIN, raw.plain(raw.DOUBLE, [1.0, nan, -0.0]), 3)
    f.statistics = stats(struct.pack("<d", -0.0), struct.pack("<d", 1.0), 1)
    g = Column("g", raw.FLOAT).v1(raw.PLAIN, raw.plain(raw.FLOAT, [nan, nan, nan]), 3)
    g.statistics = stats(struct.pack("<f", nan), struct.pack("<f", nan), 3)
    moment = lambda day, ns: struct.pack("<qi", ns, 2_440_588 + day)
    t = Column("t", raw.INT96).v1(raw.PLAIN, b"".join([moment(18000, 5), moment(-1, 0), moment(0, 86_399_999_999_999)]), 3)
    t.statistics = stats(moment(-1, 0), moment(18000, 5), None)
    fields = [leaf("f", raw.DOUBLE), leaf("g", raw.FLOAT), leaf("t", raw.INT96), leaf("x", raw.INT32)]
    table = pa.Table.from_arrays([pa.array([1.0, nan, -0.0]), pa.array([nan] * 3, pa.float32()), pa.array([18000 * 86400 * 10**9 + 5, -86400 * 10**9, 86_399_999_999_999], pa.int64()).view(pa.timestamp("ns")), pa.array(ints, pa.int32())], schema=pa.schema([pa.field("f", pa.float64(), False), pa.field("g", pa.float32(), False), pa.field("t", pa.timestamp("ns"), False), pa.field("x", pa.int32(), False)]))
    yield "raw-shapes.column-orders", raw.file(fields, [[f, g, t, one()]], [3], orders=orders), table
    # What cannot be read stands beside what can: only asking for it is an error.
    strange = Column("strange", raw.INT32).v1(63, b"????", 3)
    lzo = Column("lzo", raw.INT32, raw.LZO).v1(raw.PLAIN, b"????????????", 3)
    future = Column("future_codec", raw.INT32, 63).v1(raw.PLAIN, b"????????????", 3)
    fields = [leaf(name, raw.INT32) for name in ("strange", "x", "lzo", "future_codec")]
    yield "unsupported.columns", raw.file(fields, [[strange, one(), lzo, future]], [3]), pa.table([pa.array(ints, pa.int32())], pa.schema([pa.field("x", pa.int32(), nullable=False)]))


def files():
    """Name, bytes and, where it is known without asking pyarrow, what is in it."""
    for make in (legacy_lists, converted_types, logical_types, levels, pages, codecs, deltas, floats_as_decimals, shapes):
        yield from make()
