"""Makes every file of this folder that ends in .parquet or .arrow.

    python3 -m venv .venv && .venv/bin/pip install -r testdata/requirements.txt
    .venv/bin/python testdata/make.py [SECTION...]

Sections: pyarrow, by-hand, duckdb, polars, fastparquet, chdb (ClickHouse), spark (needs Java 17). Without arguments all of them.
`TABLE.VARIANT.parquet` has its golden answer, which is what pyarrow reads, in `TABLE.VARIANT.arrow`, or, when several
variants of a table read the same, in `TABLE.arrow`. Running the script twice gives the same bytes.
"""

import datetime
import decimal
import importlib.metadata
import io
import json
import os
import pathlib
import random
import re
import sys
import tempfile

import by_hand
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
BUDGET = 3_000_000

# ---------------------------------------------------------------------------------------------------------------------
# Values


def rng(name):
    """A random source that depends on the name alone."""
    return random.Random("herringbone " + name)


def some(values, name, part=0.15):
    """The values with nulls: here and there, and in runs."""
    r, out, run = rng("nulls " + name), [], 0
    for v in values:
        if run == 0 and r.random() < 0.01:
            run = r.randrange(5, 40)
        null = run > 0 or r.random() < part
        run = max(0, run - 1)
        out.append(None if null else v)
    return out


def int_values(bits, signed, n, name):
    """The extremes, a constant run, a rising run, a falling run, small and full-range noise."""
    lo, hi = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    r = rng(f"int {name} {bits} {signed}")
    out = [lo, hi, 0, 1, hi, lo, lo, hi - 1, lo + 1]
    out += [7] * (n // 6)
    out += [(lo + i * 3) if i * 3 < hi else hi for i in range(n // 6)]
    out += [max(lo, hi - i) for i in range(n // 6)]
    out += [r.randrange(0, 10) for _ in range(n // 6)]
    while len(out) < n:
        out.append(r.randint(lo, hi))
    return out[:n]


def column(typ, values, name, required=False):
    """An array and its field; values without nulls when required."""
    data = list(values) if required else some(values, name)
    return pa.array(data, typ), pa.field(name, typ, nullable=not required)


def table(*columns):
    """A table of (array, field) pairs."""
    return pa.Table.from_arrays([a for a, _ in columns], schema=pa.schema([f for _, f in columns]))


def both(typ, values, name):
    """The same values as a nullable and as a required column."""
    return [column(typ, values, name), column(typ, values, name + "_req", required=True)]


# ---------------------------------------------------------------------------------------------------------------------
# Files

GOLDENS = {}  # name of a golden answer -> its bytes and the table that was read
MADE = set()


def golden_bytes(t):
    """An Arrow IPC file of one batch with nothing left to chance: slots under a null are zero."""
    t = t.combine_chunks()
    t = pa.Table.from_arrays([settled(c) for c in t.columns], schema=t.schema)
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, t.schema, options=pa.ipc.IpcWriteOptions(unify_dictionaries=True)) as w:
        for batch in t.to_batches():
            w.write_batch(batch)
    return sink.getvalue()


def settled(column):
    """The column as one chunk that was copied value by value."""
    one = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    try:
        return one.take(pa.array(range(len(one)), pa.int64()))
    except pa.ArrowNotImplementedError:
        return one


def golden(name, t):
    """Keeps what reading the file gives; variants that read the same share the golden answer of their table."""
    data = golden_bytes(t)
    shared = name.split(".")[0]
    if shared in GOLDENS:
        first, known = GOLDENS[shared]
        if first == data or known.equals(t, check_metadata=True):
            return
    key = name if shared in GOLDENS else shared
    GOLDENS[key] = data, t
    (HERE / f"{key}.arrow").write_bytes(data)
    MADE.add(f"{key}.arrow")


def keep(name, data, read=None):
    """Writes one Parquet file and its golden answer."""
    path = HERE / f"{name}.parquet"
    assert path.name not in MADE, path
    path.write_bytes(data)
    MADE.add(path.name)
    golden(name, read if read is not None else pq.ParquetFile(io.BytesIO(data)).read())


def write(name, t, **options):
    """One file by pyarrow. What is read back must be what was written wherever the types say so."""
    sink = io.BytesIO()
    options.setdefault("compression", "none")
    pq.write_table(t, sink, **options)
    data = sink.getvalue()
    read = pq.ParquetFile(io.BytesIO(data)).read()
    if read.schema.equals(t.schema):
        same = read.equals(t) or golden_bytes(read.replace_schema_metadata()) == golden_bytes(t.replace_schema_metadata())
        assert same, name  # a NaN equals itself in the second comparison only
    keep(name, data, read)


def v(version):
    return {"data_page_version": f"{version}.0"}


PLAIN = {"use_dictionary": False}
BSS = {"use_dictionary": False, "use_byte_stream_split": True}


def encoded(**by_column):
    """Options that give columns an encoding; a name stands for itself and its required twin."""
    out = {}
    for name, encoding in by_column.items():
        out[name] = out[name + "_req"] = encoding
    return {"use_dictionary": False, "column_encoding": out}


# ---------------------------------------------------------------------------------------------------------------------
# Flat tables


def ints(n=140):
    columns = []
    for bits in (8, 16, 32, 64):
        for signed in (True, False):
            name = f"{'i' if signed else 'u'}{bits}"
            columns += both(getattr(pa, f"{'' if signed else 'u'}int{bits}")(), int_values(bits, signed, n, "ints"), name)
    return table(*columns)


def make_ints():
    t = ints()
    for i in (1, 2):
        write(f"ints.plain-v{i}", t, **PLAIN, **v(i))
        write(f"ints.dict-v{i}", t, **v(i), compression="snappy")
        write(f"ints.delta-v{i}", t, use_dictionary=False, column_encoding="DELTA_BINARY_PACKED", **v(i))
        write(f"ints.bss-v{i}", t, **BSS, **v(i), compression="zstd")
    write("ints.plain-noschema", t, **PLAIN, store_schema=False)
    write("ints.delta-pages", t, use_dictionary=False, column_encoding="DELTA_BINARY_PACKED", max_rows_per_page=37, **v(2))
    write("ints.format-1.0", t.drop_columns(["u32", "u32_req"]), version="1.0", store_schema=False)
    # Long enough for several blocks of deltas, each miniblock with a width of its own.
    r = rng("widths")
    for bits in (32, 64):
        values, at = [], 0
        for width in range(0, bits - 1):
            for _ in range(32):
                at += r.randrange(0, 1 << width)
                at = (at + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
                values.append(at)
        t = table(column(getattr(pa, f"int{bits}")(), values, "x", required=bits == 64))
        for i in (1, 2):
            write(f"delta-widths-i{bits}.v{i}", t, use_dictionary=False, column_encoding="DELTA_BINARY_PACKED", **v(i))
    # A dictionary of each size around powers of two, so that indices have each width.
    for size in (1, 2, 3, 4, 5, 8, 9, 16, 17, 64, 65, 255, 256, 257):
        r = rng(f"dict {size}")
        values = list(range(size)) + [r.randrange(size) for _ in range(60)] + [size - 1] * 20
        write(f"dict-of-{size}.v{size % 2 + 1}", table(*both(pa.int32(), values, "x")), **v(size % 2 + 1))


def floats(n=160):
    nan = float("nan")
    special = [0.0, -0.0, 1.0, -1.0, nan, float("inf"), float("-inf"), 0.5, nan, -0.0, 65504.0, 6e-8, 1e-7]
    r = rng("floats")
    columns = []
    for bits, largest in ((16, 65504.0), (32, 3.0e38), (64, 1.7e308)):
        values = special + [largest, -largest, 5e-324] + [0.25] * 40 + [i / 8 for i in range(n // 4)]
        while len(values) < n:
            values.append(r.uniform(-1, 1) * 10 ** r.randrange(-4, 4))
        typ = getattr(pa, f"float{bits}")()
        columns += both(typ, values[:n], f"f{bits}")
    return table(*columns)


def make_floats():
    t = floats()
    for i in (1, 2):
        write(f"floats.plain-v{i}", t, **PLAIN, **v(i))
        write(f"floats.dict-v{i}", t, **v(i), compression="gzip")
        write(f"floats.bss-v{i}", t, **BSS, **v(i))
    write("floats.bss-pages-zstd", t, **BSS, compression="zstd", max_rows_per_page=33)
    write("floats.plain-noschema", t, **PLAIN, store_schema=False)
    nan = float("nan")
    odd = table(
        column(pa.float64(), [nan] * 20, "all_nan", True),
        column(pa.float64(), [0.0, -0.0] * 10, "zeros", True),
        column(pa.float32(), [nan, 1.0, -3.0, 8.0] * 5, "some_nan", True),
        (pa.nulls(20, pa.float64()), pa.field("nulls", pa.float64())),
    )
    write("floats-statistics.index", odd, write_page_index=True, max_rows_per_page=5)


def make_bools():
    r, n = rng("bools"), 700
    t = table(
        *both(pa.bool_(), [r.random() < 0.5 for _ in range(n)], "noise"),
        *both(pa.bool_(), [True] * n, "true"),
        *both(pa.bool_(), [False] * n, "false"),
        *both(pa.bool_(), [i // 50 % 2 == 0 for i in range(n)], "runs"),
        *both(pa.bool_(), [r.random() < (0.5 if i // 100 % 2 else 1) for i in range(n)], "mixed"),
    )
    for i in (1, 2):
        write(f"bools.plain-v{i}", t, use_dictionary=False, column_encoding="PLAIN", **v(i))
        write(f"bools.rle-v{i}", t, use_dictionary=False, column_encoding="RLE", **v(i))
        write(f"bools.rle-v{i}-pages", t, use_dictionary=False, column_encoding="RLE", max_rows_per_page=61, **v(i), compression="snappy")
    write("bools.plain-v1-pages", t, use_dictionary=False, column_encoding="PLAIN", max_rows_per_page=61, **v(1), compression="zstd")


def decimal_values(precision, scale, n, name):
    r, top = rng(f"decimal {name}"), 10**precision - 1
    raw = [0, 1, -1, top, -top, 127, 128, -128, -129, 255, 256, -255, -256, 32767, 32768, -32768, -32769]
    raw += [12345] * 20 + [i * 7 - 50 for i in range(40)]
    while len(raw) < n:
        raw.append(r.randint(-top, top) // 10 ** r.randrange(0, precision))
    raw = [x if abs(x) <= top else 5 for x in raw]
    digits = lambda x: tuple(int(c) for c in str(abs(x)))
    return [decimal.Decimal((int(x < 0), digits(x), -scale)) for x in raw[:n]]


def decimals(n=70):
    columns = []
    for typ, precision, scale in (
        (pa.decimal32, 1, 0), (pa.decimal32, 9, 2), (pa.decimal64, 10, 3), (pa.decimal64, 18, 0), (pa.decimal128, 5, 2), (pa.decimal128, 16, 8),
        (pa.decimal128, 19, 4), (pa.decimal128, 38, 10), (pa.decimal256, 7, 1), (pa.decimal256, 39, 0), (pa.decimal256, 76, 20),
    ):  # fmt: skip
        name = f"d{typ.__name__[7:]}_{precision}_{scale}"
        values = decimal_values(precision, scale, n, name)
        columns.append(column(typ(precision, scale), values, name, required=precision in (9, 38, 76)))
    return table(*columns)


def make_decimals():
    t = decimals()
    ints_ok = {"store_decimal_as_integer": True}
    write("decimals.flba-plain-v1", t, **PLAIN)
    write("decimals.flba-dict-v2", t, **v(2), compression="snappy")
    write("decimals.flba-bss-v1", t, **BSS)
    write("decimals.flba-dba-v2", t, use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY", **v(2))
    write("decimals.int-plain-v2", t, **PLAIN, **ints_ok, **v(2))
    write("decimals.int-dict-v1", t, **ints_ok, compression="zstd")
    write("decimals.int-bss-v1", t, **BSS, **ints_ok)
    small = {f.name: "DELTA_BINARY_PACKED" for f in t.schema if f.type.precision <= 18}
    write("decimals.int-delta-v2", t, use_dictionary=False, column_encoding=small, **ints_ok, **v(2))
    write("decimals.flba-noschema", t, **PLAIN, store_schema=False)
    write("decimals.int-noschema", t, **PLAIN, **ints_ok, store_schema=False)


def temporal(n=70):
    """Dates, times, timestamps and durations; the extremes that every unit can hold."""
    r = rng("temporal")
    day = 86_400
    columns = []

    def add(name, typ, values):
        width = pa.int32() if typ.bit_width == 32 else pa.int64()
        for a, f in both(width, [values[i % len(values)] for i in range(n)], name):
            columns.append((a.view(typ), pa.field(f.name, typ, nullable=f.nullable)))

    days = [0, 1, -1, 18_000, -719_162, 2_932_896, 18_500] + [18_000 + i // 3 for i in range(100)]
    add("date32", pa.date32(), days)
    add("date64", pa.date64(), [d * day * 1000 for d in days])
    for unit, per in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        within = [0, day * per - 1, 1] + [r.randrange(day * per) for _ in range(60)] + [i * per for i in range(40)]
        add(f"time_{unit}", (pa.time32 if unit in ("s", "ms") else pa.time64)(unit), within)
        far = (1 << 63) // per // 10 if unit == "ns" else 200_000_000_000
        at = [0, 1, -1, 1_600_000_000 * per, -62_135_596_800 * per if unit != "ns" else -5, (far if unit == "ns" else 253_402_300_799) * per - 1]
        at += [r.randrange(0, 2_000_000_000) * per + r.randrange(per) for _ in range(50)] + [1_600_000_000 * per + i * per for i in range(50)]
        for zone, label in ((None, "local"), ("UTC", "utc"), ("Europe/Paris", "paris"), ("+05:30", "offset")):
            if zone is None or unit in ("us", "ns") or zone == "UTC":
                add(f"ts_{unit}_{label}", pa.timestamp(unit, zone), at)
        add(f"duration_{unit}", pa.duration(unit), [0, 1, -1, (1 << 63) - 1, -(1 << 63)] + [i * 1000 for i in range(60)])
    return table(*columns)


def make_temporal():
    t = temporal()
    write("temporal.plain-v1", t, **PLAIN)
    write("temporal.dict-v2", t, **v(2), compression="zstd")
    write("temporal.delta-v1", t, use_dictionary=False, column_encoding="DELTA_BINARY_PACKED")
    write("temporal.bss-v2", t, **BSS, **v(2), compression="gzip")
    write("temporal.dict-noschema", t, store_schema=False, compression="snappy")
    write("temporal.utc-times", t.select([c for c in t.schema.names if c.startswith("time")]), write_time_adjusted_to_utc=True, store_schema=False)
    old = t.select([c for c in t.schema.names if c.startswith(("date32", "time_us", "ts_us", "ts_ms"))])
    write("temporal.format-1.0", old, version="1.0", store_schema=False)
    write("temporal.coerce-ms", old.select([c for c in old.schema.names if c.startswith("ts")]), coerce_timestamps="ms", allow_truncated_timestamps=True)
    stamps = [c for c in t.schema.names if c.startswith("ts_")]
    near = t.select(stamps).slice(6, 40)
    for i in (1, 2):
        write(f"int96.dict-v{i}", near, use_deprecated_int96_timestamps=True, **v(i))
        write(f"int96.plain-v{i}", near, use_deprecated_int96_timestamps=True, **PLAIN, **v(i), compression="snappy")
    write("int96.noschema", near, use_deprecated_int96_timestamps=True, store_schema=False)


WORDS = ["", "a", "fish", "bone", "Grünkohl", "鯡の骨", "🐟", "herringbone", "herringbone parquet", "naïve café", "x" * 12, "y" * 13, "\u0000nul", "line\nbreak", '"quoted"']


def words(n, name):
    r = rng("words " + name)
    return WORDS + [r.choice(WORDS) + (str(r.randrange(10**6)) if r.random() < 0.6 else "") for _ in range(n - len(WORDS))]


def bytes_of(n, name):
    r = rng("bytes " + name)
    return [b"", b"\x00", b"\xff" * 5, b"\xc3\x28"] + [bytes(r.randrange(256) for _ in range(r.choice((0, 1, 3, 11, 12, 13, 30)))) for _ in range(n - 4)]


def strings(n=90):
    text, data = words(n, "strings"), bytes_of(n, "strings")
    r = rng("fixed")
    columns = []
    for name, typ in (("utf8", pa.utf8()), ("large_utf8", pa.large_utf8()), ("utf8_view", pa.string_view())):
        columns += both(typ, text, name)
    for name, typ in (("binary", pa.binary()), ("large_binary", pa.large_binary()), ("binary_view", pa.binary_view())):
        columns += both(typ, data, name)
    for width in (1, 2, 3, 4, 8, 12, 16, 17):
        pool = [bytes(r.randrange(256) for _ in range(width)) for _ in range(40)]
        columns.append(column(pa.binary(width), [r.choice(pool) for _ in range(n)], f"fixed{width}", required=width in (4, 16, 17)))
    return table(*columns)


def make_strings():
    t = strings()
    fixed = [c for c in t.schema.names if c.startswith("fixed")]
    for i in (1, 2):
        write(f"strings.plain-v{i}", t, **PLAIN, **v(i))
        write(f"strings.dict-v{i}", t, **v(i), compression="snappy")
        var = {c: "DELTA_LENGTH_BYTE_ARRAY" for c in t.schema.names if c not in fixed}
        write(f"strings.dlba-v{i}", t, use_dictionary=False, column_encoding={**var, **{c: "PLAIN" for c in fixed}}, **v(i))
        write(f"strings.dba-v{i}", t, use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY", **v(i))
    write("strings.dba-pages", t, use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY", max_rows_per_page=29, compression="zstd")
    write("strings.fixed-bss", t.select(fixed), **BSS)
    write("strings.plain-noschema", t, **PLAIN, store_schema=False)
    path = [f"/usr/share/doc/{w or 'empty'}/{i:05}/README.txt" for i, w in enumerate(sorted(words(200, "paths")))]
    t = table(*both(pa.utf8(), path, "path"))
    for i in (1, 2):
        write(f"sorted-paths.dba-v{i}", t, use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY", **v(i))
    write("sorted-paths.dlba-v1", t, use_dictionary=False, column_encoding="DELTA_LENGTH_BYTE_ARRAY")
    long = ["é" * 5_000, "", "short", "ab" * 3_000, None, "z"]
    t = table((pa.array(long), pa.field("x", pa.utf8())))
    for name, options in (("plain", PLAIN), ("dict", {}), ("dba", {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"})):
        write(f"long-strings.{name}-zstd", t, compression="zstd", **options)
        write(f"long-strings.{name}-snappy-v2", t, compression="snappy", **options, **v(2))


def make_extensions():
    r, n = rng("extensions"), 60
    uuids = [bytes(r.randrange(256) for _ in range(16)) for _ in range(n)]
    docs = [json.dumps({"id": i, "tags": ["a"] * (i % 4)}) for i in range(n)]
    cols = []
    for a, f in both(pa.binary(16), uuids, "uuid"):
        cols.append((pa.ExtensionArray.from_storage(pa.uuid(), a), f.with_type(pa.uuid())))
    for a, f in both(pa.utf8(), docs, "json"):
        cols.append((pa.ExtensionArray.from_storage(pa.json_(), a), f.with_type(pa.json_())))
    for a, f in both(pa.int8(), [i % 2 for i in range(n)], "bool8"):
        cols.append((pa.ExtensionArray.from_storage(pa.bool8(), a), f.with_type(pa.bool8())))
    t = table(*cols)
    write("extensions.plain-v1", t, **PLAIN)
    write("extensions.dict-v2", t, **v(2), compression="snappy")
    write("extensions.dict-noschema", t, store_schema=False)


def make_dictionaries():
    n = 100
    text = some(words(n, "dictionaries")[:40] * 4, "dictionaries")[:n]
    cols = []
    for index in ("int8", "uint8", "int16", "int32", "int64"):
        typ = pa.dictionary(getattr(pa, index)(), pa.utf8())
        cols.append((pa.array(text, typ), pa.field(f"utf8_{index}", typ)))
    typ = pa.dictionary(pa.int32(), pa.utf8(), ordered=True)
    grades = pa.DictionaryArray.from_arrays(pa.array([i % 3 for i in range(n)], pa.int32()), ["low", "middle", "high"], ordered=True)
    cols.append((grades, pa.field("ordered", typ, nullable=False)))
    typ = pa.dictionary(pa.int16(), pa.large_utf8())
    cols.append((pa.array(text, typ), pa.field("large_utf8", typ)))
    typ = pa.dictionary(pa.int32(), pa.binary())
    cols.append((pa.array([t and t.encode() for t in text], typ), pa.field("binary", typ)))
    for value, name in ((pa.int64(), "i64"), (pa.float64(), "f64"), (pa.binary(4), "fixed4")):
        plain = [(b"%04d" % (i % 7) if name == "fixed4" else i % 7) for i in range(n)]
        typ = pa.dictionary(pa.int32(), value)
        cols.append((pa.array(some(plain, name), value).dictionary_encode(), pa.field(name, typ)))
    t = table(*cols)
    write("dictionaries.v1", t)
    write("dictionaries.v2", t, **v(2), compression="zstd")
    write("dictionaries.row-groups", t, row_group_size=35)
    write("dictionaries.plain", t, **PLAIN)
    write("dictionaries.noschema", t, store_schema=False)
    # The dictionary outgrows its page limit in the middle of the chunk: dictionary pages first, plain ones after.
    r = rng("fallback")
    many = [f"value {i:04}" if i > 200 else f"value {i % 20:04}" for i in range(450)]
    t = table(*both(pa.utf8(), many, "text"), *both(pa.int64(), [i if i > 200 else i % 20 for i in range(450)], "number"), *both(pa.float64(), [r.random() for _ in range(450)], "float"))
    for i in (1, 2):
        write(f"dictionary-fallback.v{i}", t, dictionary_pagesize_limit=1000, max_rows_per_page=100, write_batch_size=50, **v(i))
    write("dictionary-fallback.snappy-index", t, dictionary_pagesize_limit=1000, max_rows_per_page=100, write_batch_size=50, write_page_index=True, compression="snappy")


def make_nulls():
    n = 70
    cols = [(pa.nulls(n), pa.field("null", pa.null()))]
    for typ in (pa.bool_(), pa.int8(), pa.uint64(), pa.float16(), pa.float64(), pa.utf8(), pa.large_binary(), pa.string_view(), pa.binary(3), pa.decimal128(20, 3),
                pa.timestamp("us", "UTC"), pa.list_(pa.int32()), pa.struct([("a", pa.int32()), ("b", pa.utf8())]), pa.map_(pa.utf8(), pa.int32()),
                pa.list_(pa.struct([("a", pa.list_(pa.bool_()))])), pa.dictionary(pa.int32(), pa.utf8()), pa.list_(pa.null())):  # fmt: skip
        cols.append((pa.nulls(n, typ), pa.field(re.sub(r"[^a-z0-9]+", "_", str(typ)).strip("_")[:20], typ)))
    t = table(*cols)
    write("all-null.plain-v1", t, **PLAIN)
    write("all-null.dict-v2-snappy", t, **v(2), compression="snappy")
    write("all-null.v2-zstd-index", t, **v(2), compression="zstd", write_page_index=True)
    one = table(*[column(typ, [val] + [None] * 69, name) for typ, val, name in ((pa.int32(), 5, "i"), (pa.utf8(), "five", "s"), (pa.bool_(), True, "b"), (pa.float64(), 5.0, "f"))])
    for i in (1, 2):
        write(f"one-value.v{i}", one, **v(i), max_rows_per_page=30)


# ---------------------------------------------------------------------------------------------------------------------
# Nested tables


def tree(typ, depth, r):
    """A random value of a type: null and empty now and then, at each level."""
    if isinstance(typ, pa.Field):
        if typ.nullable and r.random() < 0.12:
            return None
        typ = typ.type
    if pa.types.is_struct(typ):
        return {f.name: tree(f, depth + 1, r) for f in typ}
    if pa.types.is_map(typ):
        keys = r.sample(range(20), r.choice((0, 1, 1, 2, 4)))
        key = str if pa.types.is_string(typ.key_type) else int
        return [(key(k), tree(typ.item_field, depth + 1, r)) for k in keys]
    if pa.types.is_fixed_size_list(typ):
        return [tree(typ.value_field, depth + 1, r) for _ in range(typ.list_size)]
    if pa.types.is_nested(typ):
        return [tree(typ.value_field, depth + 1, r) for _ in range(r.choice((0, 0, 1, 1, 2, 3, 7) if depth < 3 else (0, 1, 1, 2)))]
    if pa.types.is_boolean(typ):
        return r.random() < 0.5
    if pa.types.is_integer(typ):
        return r.randrange(-100, 100)
    if pa.types.is_floating(typ):
        return r.randrange(-800, 800) / 8
    if pa.types.is_decimal(typ):
        return decimal.Decimal(r.randrange(-9999, 9999)).scaleb(-typ.scale)
    if pa.types.is_timestamp(typ):
        return datetime.datetime(2020, 1, 1) + datetime.timedelta(seconds=r.randrange(10**7))
    if pa.types.is_string(typ) or pa.types.is_large_string(typ) or pa.types.is_string_view(typ):
        return r.choice(WORDS)
    return r.choice(WORDS).encode()


def nested(fields, n, name):
    r = rng("nested " + name)
    return table(*[(pa.array([tree(f, 0, r) for _ in range(n)], f.type), f) for f in fields])


def must(name, typ):
    return pa.field(name, typ, nullable=False)


def make_structs():
    point = pa.struct([pa.field("x", pa.int32()), must("y", pa.float64())])
    t = nested(
        [
            pa.field("opt", point),
            must("req", point),
            pa.field("deep", pa.struct([pa.field("a", pa.struct([pa.field("b", pa.struct([pa.field("c", pa.utf8()), must("d", pa.bool_())]))])), pa.field("e", pa.int64())])),
            must("all_req", pa.struct([must("a", pa.struct([must("b", pa.int16())]))])),
            pa.field("one", pa.struct([pa.field("only", pa.utf8())])),
        ],
        130,
        "structs",
    )
    nested_variants("structs", t)
    write("structs.bss", t.select(["opt", "req"]), **BSS, **v(2))
    # Of a dictionary without nulls pyarrow counts none, whatever the struct around it has.
    text = pa.array([f"text {i % 3}" for i in range(40)]).dictionary_encode()
    inner = pa.StructArray.from_arrays([text], fields=[pa.field("text", text.type)], mask=pa.array([i % 4 == 1 for i in range(40)]))
    t = table((inner, pa.field("s", inner.type)))
    write("structs-of-dictionaries.null-counts", t, write_page_index=True, max_rows_per_page=10)


def nested_variants(name, t):
    """Both page versions, with and without dictionaries, few and many pages, row groups, codecs, no Arrow schema."""
    write(f"{name}.plain-v1", t, **PLAIN)
    write(f"{name}.dict-v2", t, **v(2), compression="snappy")
    write(f"{name}.tiny-pages-v1", t, max_rows_per_page=7, write_batch_size=3, compression="zstd")
    write(f"{name}.tiny-pages-v2-index", t, max_rows_per_page=5, write_batch_size=2, write_page_index=True, **PLAIN, **v(2))
    write(f"{name}.row-groups-noschema", t, row_group_size=45, store_schema=False, compression="gzip")


def make_lists():
    t = nested(
        [
            pa.field("ints", pa.list_(pa.field("element", pa.int32()))),
            must("req_of_req", pa.list_(must("element", pa.int64()))),
            pa.field("opt_of_req", pa.list_(must("element", pa.utf8()))),
            must("req_of_opt", pa.list_(pa.field("element", pa.float64()))),
            pa.field("bools", pa.list_(pa.field("element", pa.bool_()))),
            pa.field("large", pa.large_list(pa.field("element", pa.binary()))),
        ],
        120,
        "lists",
    )
    nested_variants("lists", t)
    write("lists.delta-v2", t.select(["ints", "req_of_req"]), use_dictionary=False, column_encoding="DELTA_BINARY_PACKED", **v(2))
    write("lists.item-names", t, use_compliant_nested_type=False, store_schema=False)
    t = nested(
        [
            pa.field("lists", pa.list_(pa.field("element", pa.list_(pa.field("element", pa.int32()))))),
            pa.field("three", pa.list_(pa.field("element", pa.list_(must("element", pa.list_(pa.field("element", pa.utf8()))))))),
            pa.field("structs", pa.list_(pa.field("element", pa.struct([pa.field("a", pa.int32()), must("b", pa.utf8()), pa.field("c", pa.list_(pa.field("element", pa.int8())))])))),
            pa.field("lists_of_structs", pa.list_(pa.field("element", pa.list_(pa.field("element", pa.struct([pa.field("p", pa.int32()), pa.field("q", pa.bool_())])))))),
            pa.field("struct_of_list", pa.struct([pa.field("l", pa.list_(pa.field("element", pa.decimal128(9, 2)))), pa.field("n", pa.int32())])),
        ],
        90,
        "lists of lists",
    )
    nested_variants("lists-of-lists", t)
    t = nested(
        [
            pa.field("three", pa.list_(pa.field("element", pa.int32()), 3)),
            must("two_req", pa.list_(must("element", pa.float32()), 2)),
            pa.field("one", pa.list_(pa.field("element", pa.utf8()), 1)),
            pa.field("of_structs", pa.list_(pa.field("element", pa.struct([pa.field("a", pa.int32()), pa.field("b", pa.float64())])), 2)),
            pa.field("of_fixed", pa.list_(pa.field("element", pa.list_(pa.field("element", pa.int16()), 2)), 2)),
            pa.field("in_list", pa.list_(pa.field("element", pa.list_(must("element", pa.int64()), 2)))),
        ],
        80,
        "fixed size lists",
    )
    nested_variants("fixed-size-lists", t)
    plain = [[1, 2], [], None, [3, None], [], None, [None], [4, 5, 6, 7]] * 4
    views = table(*[(pa.array(plain, typ), pa.field(name, typ)) for name, typ in (("view", pa.list_view(pa.field("element", pa.int32()))), ("large_view", pa.large_list_view(pa.field("element", pa.int32()))))])
    write("list-views.v1", views)
    # The three ways of having no elements, at each of three levels.
    typ = pa.list_(pa.field("element", pa.list_(pa.field("element", pa.list_(pa.field("element", pa.int32()))))))
    cases = [None, [], [None], [[]], [[None]], [[[]]], [[[None]]], [[[1]]], [None, [], [None], [[]]], [[], [[], None, [2, None]], None]]
    t = table((pa.array(cases, typ), pa.field("x", typ)), (pa.array(cases[::-1], typ), pa.field("y", typ)))
    for i in (1, 2):
        write(f"empty-or-null.v{i}", t, **v(i))
        write(f"empty-or-null.v{i}-page-a-row", t, max_rows_per_page=1, **v(i), compression="snappy")
    only = table(*[(pa.array([value] * 20, pa.list_(pa.field("element", pa.int32()))), pa.field(name, pa.list_(pa.field("element", pa.int32())))) for name, value in (("null", None), ("empty", []), ("of_null", [None]))])
    for i in (1, 2):
        write(f"no-elements.v{i}", only, **v(i), compression="zstd")
    # Many elements in few rows: rows that span batches of levels, and lists longer than a page's target size.
    r = rng("long lists")
    typ = pa.list_(must("element", pa.int32()))
    t = table((pa.array([[r.randrange(50) for _ in range(k)] for k in (0, 3000, 1, 0, 700, 2)], typ), pa.field("x", typ)))
    write("long-lists.v1", t, data_page_size=200)
    write("long-lists.v2", t, data_page_size=200, **v(2), compression="snappy")


def make_maps():
    t = nested(
        [
            pa.field("counts", pa.map_(pa.utf8(), pa.int32())),
            must("req", pa.map_(pa.int32(), must("value", pa.utf8()))),
            pa.field("of_lists", pa.map_(pa.utf8(), pa.list_(pa.field("element", pa.int32())))),
            pa.field("of_structs", pa.map_(pa.int32(), pa.struct([pa.field("a", pa.utf8()), pa.field("b", pa.float64())]))),
            pa.field("of_maps", pa.map_(pa.utf8(), pa.map_(pa.int32(), pa.bool_()))),
            pa.field("list_of_maps", pa.list_(pa.field("element", pa.map_(pa.utf8(), pa.timestamp("us"))))),
        ],
        90,
        "maps",
    )
    nested_variants("maps", t)


def make_deep():
    typ, kinds = pa.int32(), []
    for i in range(12):
        typ = pa.struct([pa.field("s", typ), pa.field(f"n{i}", pa.int8())]) if i % 3 == 1 else pa.list_(pa.field("element", typ))
    r = rng("deep")
    t = table((pa.array([tree(pa.field("x", typ), 0, r) for _ in range(60)], typ), pa.field("x", typ)))
    for i in (1, 2):
        write(f"deep-12.v{i}", t, **v(i), max_rows_per_page=11)
    typ = pa.int32()
    for i in range(40):
        typ = pa.struct([pa.field("s", typ, nullable=i % 2 == 0)])
    value, values = 7, []
    for i in range(40):
        value = {"s": value}
    t = table((pa.array([value, None, {"s": {"s": None}} if typ["s"].nullable else None, value], typ), pa.field("x", typ)))
    write("deep-structs-40.v1", t)
    typ = pa.int64()
    for i in range(20):
        typ = pa.list_(pa.field("element", typ))
    value = 5
    for i in range(20):
        value = [value, None] if i % 5 == 0 else [value]
    t = table((pa.array([value, [], None, [[[[]]]], value], typ), pa.field("x", typ)))
    write("deep-lists-20.v2", t, **v(2))


# ---------------------------------------------------------------------------------------------------------------------
# The file's shape


def mixed(n, name):
    """One column of each sort, for files that are about something else."""
    r = rng("mixed " + name)
    return table(
        column(pa.int64(), range(n), "id", True),
        column(pa.utf8(), words(n, name) if n > 20 else ["w"] * n, "word"),
        column(pa.float64(), [round(r.random() * 100, 2) for _ in range(n)], "price"),
        column(pa.bool_(), [r.random() < 0.3 for _ in range(n)], "flag"),
        column(pa.list_(pa.field("element", pa.int32())), [list(range(i % 4)) for i in range(n)], "list"),
    )


def make_codecs():
    t = mixed(150, "codecs")
    for codec in ("none", "snappy", "gzip", "brotli", "lz4", "zstd"):
        for i in (1, 2):
            write(f"codecs.{codec}-v{i}", t, compression=codec, **v(i))
            write(f"codecs.{codec}-v{i}-plain-crc", t, compression=codec, **PLAIN, write_page_checksum=True, max_rows_per_page=90, **v(i))
    write("codecs.one-each", t, compression=dict(zip(["id", "word", "price", "flag", "list.list.element"], ("snappy", "gzip", "brotli", "lz4", "zstd"))))


def make_shapes():
    t = mixed(120, "shapes")
    write("zero-rows.v1", t.slice(0, 0))
    write("zero-rows.noschema", t.slice(0, 0), store_schema=False)
    write("zero-columns.zero-rows", pa.table({}))
    sink = io.BytesIO()
    pq.ParquetWriter(sink, t.schema, compression="none").close()
    keep("zero-rows.no-row-group", sink.getvalue())
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, t.schema, compression="none") as w:
        for rows in (0, 3, 0, 0, 5, 0):
            w.write_table(t.slice(10, rows), row_group_size=10)
    keep("empty-row-groups.v1", sink.getvalue())
    write("one-row.v1", t.slice(101, 1))
    write("one-row.v2-zstd-crc-index", t.slice(101, 1), **v(2), compression="zstd", write_page_checksum=True, write_page_index=True)
    write("row-groups.of-3", t, row_group_size=3, compression="snappy", write_statistics=False)
    write("row-groups.of-50-v2", t, row_group_size=50, compression="lz4", **v(2))
    few = t.slice(30, 60)
    write("tiny-pages.v1", few, max_rows_per_page=1)
    write("tiny-pages.v2-snappy", few, max_rows_per_page=1, **v(2), compression="snappy")
    write("tiny-pages.v1-index-crc", few, max_rows_per_page=4, write_page_index=True, write_page_checksum=True, compression="zstd")
    write("tiny-pages.plain-v2-index-crc", few, max_rows_per_page=4, write_page_index=True, write_page_checksum=True, **PLAIN, **v(2))
    write("tiny-pages.no-statistics", few, max_rows_per_page=25, write_statistics=False)
    write("page-index.row-groups", t, max_rows_per_page=10, row_group_size=60, write_page_index=True, compression="snappy")
    blooms = {c: {"ndv": 200, "fpp": 0.05} for c in ("id", "word", "price", "list.list.element")}
    write("bloom-filters.row-groups", t, row_group_size=100, bloom_filter_options=blooms)
    write("bloom-filters.index-v2", t, write_page_index=True, bloom_filter_options=blooms, **v(2), compression="zstd")
    order = [pq.SortingColumn(0, descending=False, nulls_first=True), pq.SortingColumn(2, descending=True)]
    write("sorting-columns.v1", t, sorting_columns=order, row_group_size=100)
    described = t.replace_schema_metadata({"author": "herringbone", "": "empty key", "unicode": "鯡"})
    write("key-values.v1", described)
    write("key-values.noschema", described, store_schema=False)
    fields = [f.with_metadata({"PARQUET:field_id": str(i * 10), "comment": f"column {i}"}) for i, f in enumerate(t.schema)]
    write("field-ids.v1", pa.Table.from_arrays(t.columns, schema=pa.schema(fields)))
    write("field-ids.noschema", pa.Table.from_arrays(t.columns, schema=pa.schema(fields)), store_schema=False)
    names = ["", "a.b", "a", "dup", "dup", "with space", "Größe", "列", "🐟", "back`tick", 'quo"te', "new\nline", "x" * 300, "list", "element", "a.b.c", "CaSe", "case"]
    rows = [pa.array([i, None, -i], pa.int32()) for i in range(len(names))]
    write("column-names.v1", pa.Table.from_arrays(rows, schema=pa.schema([(c, pa.int32()) for c in names])))
    write("column-names.noschema-v2", pa.Table.from_arrays(rows, schema=pa.schema([(c, pa.int32()) for c in names])), store_schema=False, **v(2))
    typ = pa.struct([("b", pa.int32()), ("b.c", pa.int32()), ("dup", pa.utf8()), ("dup", pa.int8()), ("", pa.int8()), ("list", pa.list_(pa.field("element", pa.int8())))])
    value = pa.StructArray.from_arrays([pa.array([1, 2, None], pa.int32()), pa.array([3, None, 4], pa.int32()), pa.array(["x", None, "y"]), pa.array([1, 2, 3], pa.int8()), pa.array([7, 8, 9], pa.int8()), pa.array([[1], [], None], typ[5].type)], fields=list(typ))
    write("column-names-nested.v1", table((value, pa.field("a", typ)), (pa.array([1, 2, 3]), pa.field("a.b", pa.int64()))))
    wide = table(*[column([pa.int32(), pa.utf8(), pa.float64()][i % 3], [[i, i + 1, i + 2], ["a", "b", "c"], [0.5, 1.5, 2.5]][i % 3], f"c{i:03}") for i in range(90)])
    write("wide.90-columns", wide)
    # Long runs of levels, indices and values: a few bytes in the file, thousands of rows.
    n = 4000
    t = table(
        (pa.array([None if i < 1500 else i // 1000 for i in range(n)], pa.int16()), pa.field("half_null", pa.int16())),
        (pa.array([1] * n, pa.int8()), pa.field("one_req", pa.int8(), nullable=False)),
        (pa.array([i // 500 % 2 == 0 for i in range(n)]), pa.field("flag", pa.bool_())),
        (pa.array([i if i % 1000 < 900 else None for i in range(n)], pa.int32()), pa.field("rising", pa.int32())),
    )
    write("runs.dict-v1", t, compression="zstd")
    write("runs.dict-v2-pages", t, **v(2), max_rows_per_page=1024, write_page_index=True, compression="snappy")
    write("runs.delta-rle-v2", t, use_dictionary=False, column_encoding={"half_null": "DELTA_BINARY_PACKED", "one_req": "DELTA_BINARY_PACKED", "rising": "DELTA_BINARY_PACKED", "flag": "RLE"}, **v(2))


def make_landings():
    """A table that looks like data, for documentation."""
    r, n = rng("landings"), 200
    species = ["Atlantic herring", "Baltic herring", "sprat", "sardine", "anchovy"]
    place = pa.struct([must("lat", pa.float64()), must("lon", pa.float64())])
    t = table(
        (pa.array([datetime.date(2024, 1, 1) + datetime.timedelta(days=i // 3) for i in range(n)]), must("landed", pa.date32())),
        (pa.array([r.choice(species) for _ in range(n)]), must("species", pa.utf8())),
        (pa.array(some([round(r.uniform(9, 38), 1) for _ in range(n)], "landings")), pa.field("length_cm", pa.float64())),
        (pa.array([{"lat": round(r.uniform(53, 61), 3), "lon": round(r.uniform(1, 22), 3)} for _ in range(n)], place), pa.field("position", place)),
        (pa.array([[r.randrange(1, 90) for _ in range(i % 4)] for i in range(n)], pa.list_(pa.field("element", pa.int32()))), pa.field("boxes", pa.list_(pa.field("element", pa.int32())))),
    )  # fmt: skip
    write("landings.zstd", t, compression="zstd", write_page_index=True, write_page_checksum=True, row_group_size=120, max_rows_per_page=50)


def make_pyarrow():
    make_landings()
    make_ints()
    make_floats()
    make_bools()
    make_decimals()
    make_temporal()
    make_strings()
    make_extensions()
    make_dictionaries()
    make_nulls()
    make_structs()
    make_lists()
    make_maps()
    make_deep()
    make_codecs()
    make_shapes()


# ---------------------------------------------------------------------------------------------------------------------
# Other writers


def make_duckdb():
    import duckdb

    db = duckdb.connect()
    db.execute("SET threads = 1; SET TimeZone = 'UTC'")
    db.execute("""CREATE TABLE flat AS SELECT
        i::BIGINT id, CASE WHEN i % 5 > 0 THEN i::TINYINT END i8, CASE WHEN i % 3 > 0 THEN i::UBIGINT * 1000003 END u64, i % 3 = 0 flag,
        CASE WHEN i % 7 > 0 THEN (i / 7)::FLOAT END f32, CASE WHEN i % 4 > 0 THEN i / 3.0::DOUBLE END f64, (i * 1000)::HUGEINT huge,
        i::DECIMAL(4, 1) d4, i::DECIMAL(9, 2) d9, CASE WHEN i % 4 > 0 THEN i::DECIMAL(18, 3) END d18, (i - 50)::DECIMAL(38, 5) d38,
        CASE WHEN i % 9 > 0 THEN 'herring ' || (i % 11) END text, ('blob' || i)::BLOB data, (i % 3)::VARCHAR::ENUM('0', '1', '2') choice,
        DATE '2020-01-01' + i::INT date, TIME '01:02:03' + INTERVAL (i) SECOND time, TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND ts,
        (TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND)::TIMESTAMPTZ ts_utc, (TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND)::TIMESTAMP_NS ts_ns,
        CASE WHEN i % 3 > 0 THEN UUID '550e8400-e29b-41d4-a716-446655440000' END uuid, ('{"i": ' || i || '}')::JSON json
        FROM range(120) x(i)""")
    db.execute("""CREATE TABLE nested AS SELECT
        CASE WHEN i % 7 > 0 THEN [i, NULL, i + 1][1 : i % 4] END list, CASE WHEN i % 5 > 0 THEN {'a': i, 'b': 'x' || i, 'c': [i]} END struct,
        MAP {'k' || i: i, 'l': NULL} map, [[i], [], NULL] lists, array_value(i, i + 1) AS pair, [{'p': i}, NULL] structs FROM range(60) x(i)""")
    db.execute("CREATE TABLE intervals AS SELECT CASE WHEN i % 4 > 0 THEN INTERVAL (i) MONTH + INTERVAL (i * 2) DAY + INTERVAL (i * 3) SECOND END iv FROM range(20) x(i)")
    db.execute("CREATE TABLE variants AS SELECT CASE WHEN i % 3 = 0 THEN i::VARIANT WHEN i % 3 = 1 THEN ('s' || i)::VARIANT END v FROM range(30) x(i)")
    with tempfile.TemporaryDirectory() as tmp:
        for name, source, options in (
            ("duckdb.flat-v1-snappy", "flat", ""),
            ("duckdb.flat-v2-zstd", "flat", ", PARQUET_VERSION v2, COMPRESSION zstd"),
            ("duckdb.flat-v2-row-groups", "flat", ", PARQUET_VERSION v2, COMPRESSION lz4_raw, ROW_GROUP_SIZE 70"),
            ("duckdb-nested.v1-snappy", "nested", ""),
            ("duckdb-nested.v2-gzip", "nested", ", PARQUET_VERSION v2, COMPRESSION gzip"),
            ("duckdb-intervals.v1", "intervals", ""),
            ("duckdb-variants.v1", "variants", ""),
        ):
            path = pathlib.Path(tmp) / "out.parquet"
            db.execute(f"COPY {source} TO '{path}' (FORMAT parquet{options})")
            keep(name, path.read_bytes())


def make_polars():
    import polars as pl

    n = 90
    word = some(words(n, "polars"), "polars")
    flat = pl.DataFrame(
        {
            "id": pl.Series(range(n), dtype=pl.Int64),
            "small": pl.Series(some([i % 100 for i in range(n)], "polars small"), dtype=pl.UInt8),
            "word": word,
            "category": pl.Series(some(["x", "y", "z"] * (n // 3), "polars category"), dtype=pl.Categorical),
            "enum": pl.Series(["u", "v"] * (n // 2), dtype=pl.Enum(["u", "v"])),
            "bytes": [w and w.encode() for w in word],
            "flag": some([i % 7 == 0 for i in range(n)], "polars flag"),
            "f32": pl.Series(some([i / 4 for i in range(n)], "polars f32"), dtype=pl.Float32),
            "decimal": pl.Series([decimal.Decimal(i) / 10 for i in range(n)], dtype=pl.Decimal(20, 3)),
            "date": [datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(n)],
            "time": [datetime.time(1, 2, i % 60) for i in range(n)],
            "datetime": pl.Series([datetime.datetime(2020, 1, 1, 0, i % 60) for i in range(n)], dtype=pl.Datetime("ns", "Europe/Paris")),
            "duration": [datetime.timedelta(seconds=i) for i in range(n)],
            "nothing": [None] * n,
        }
    )
    nested = pl.DataFrame(
        {
            "list": [[1, None], [], None, [3], [4, 5, 6]] * 10,
            "struct": [{"a": i, "b": None if i % 3 else str(i), "c": {"d": i % 2 == 0}} for i in range(50)],
            "array": pl.Series([[1, 2], None, [3, None], [4, 5], [6, 7]] * 10, dtype=pl.Array(pl.Int32, 2)),
            "lists": [[["a"], [], None], None, [], [[None]], [["b", "c"]]] * 10,
            "structs": [[{"p": 1, "q": "x"}, None], [], None, [{"p": None, "q": "y"}], []] * 10,
        }
    )
    for name, frame, options in (
        ("polars.zstd", flat, {}),
        ("polars.snappy-row-groups", flat, {"compression": "snappy", "row_group_size": 25, "statistics": "full"}),
        ("polars.none-small-pages", flat, {"compression": "uncompressed", "data_page_size": 64, "statistics": False}),
        ("polars-nested.lz4", nested, {"compression": "lz4"}),
        ("polars-nested.gzip-row-groups", nested, {"compression": "gzip", "row_group_size": 13}),
    ):
        sink = io.BytesIO()
        frame.write_parquet(sink, **options)
        keep(name, sink.getvalue())


def unless(every, value, name):
    """SQL for a value that is null in every such row."""
    return f"CASE WHEN id % {every} > 0 THEN {value} END AS {name}"


def make_spark():
    from pyspark.sql import SparkSession

    with tempfile.TemporaryDirectory() as tmp:
        # Sets of encodings are written in the order of their identity hashes: one constant hash makes that the same each time.
        os.environ["JDK_JAVA_OPTIONS"] = "-XX:+UnlockExperimentalVMOptions -XX:hashCode=2"
        settings = {"spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC", "spark.sql.warehouse.dir": tmp}
        spark = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        flat = spark.range(0, 100, 1, 1).selectExpr(
            "id",
            unless(5, "CAST(id AS TINYINT)", "i8"),
            unless(3, "CAST(id AS SMALLINT)", "i16"),
            unless(4, "CAST(id * 1000 AS INT)", "i32"),
            "id % 3 = 0 AS flag",
            unless(7, "CAST(id / 7 AS FLOAT)", "f32"),
            unless(2, "id / 3D", "f64"),
            unless(9, "concat(chr(97 + id % 26), id % 11)", "text"),
            "CAST(concat('b', id) AS BINARY) AS data",
            "CAST(id AS DECIMAL(9, 2)) AS d9",
            unless(4, "CAST(id - 50 AS DECIMAL(18, 3))", "d18"),
            "CAST(id - 50 AS DECIMAL(38, 5)) AS d38",
            "date_add(DATE'2020-01-01', CAST(id AS INT)) AS date",
            unless(6, "timestamp_micros(1577836800123456 + id * 1000000)", "ts"),
        )
        local = flat.selectExpr("*", "CAST(ts AS TIMESTAMP_NTZ) AS local_ts")
        nested = spark.range(0, 60, 1, 1).selectExpr(
            unless(7, "IF(id % 4 = 0, array(), array(id, NULL, id + 1))", "list"),
            "array(array(id), array(), NULL) AS lists",
            unless(5, "named_struct('a', id, 'b', concat('x', id), 'c', array(id))", "struct"),
            unless(6, "map(concat('k', id), id, 'l', NULL)", "map"),
            "array(named_struct('p', id, 'q', array(CAST(id AS STRING))), NULL) AS structs",
            "map(id, map('a', array(id))) AS maps",
        )
        v2 = {"parquet.writer.version": "PARQUET_2_0"}
        bloom = {"parquet.bloom.filter.enabled#text": "true", "parquet.bloom.filter.expected.ndv#text": "50", "parquet.enable.dictionary": "false"}
        for name, frame, legacy, options in (
            ("spark.snappy", local, False, {"compression": "snappy"}),
            ("spark.int96-legacy-gzip", flat, True, {"compression": "gzip"}),
            ("spark.v2-zstd", local, False, {"compression": "zstd", **v2}),
            ("spark.v2-plain-bloom", local, False, {"compression": "none", **bloom, **v2}),
            ("spark.small-pages-lz4-raw", local, False, {"compression": "lz4_raw", "parquet.page.row.count.limit": "15"}),
            ("spark.hadoop-lz4", local, False, {"compression": "lz4"}),
            ("spark-nested.snappy", nested, False, {"compression": "snappy"}),
            ("spark-nested.legacy-lists", nested, True, {"compression": "none"}),
            ("spark-nested.v2-small-pages", nested, False, {"compression": "zstd", "parquet.page.row.count.limit": "7", **v2}),
        ):
            spark.conf.set("spark.sql.parquet.writeLegacyFormat", str(legacy).lower())
            spark.conf.set("spark.sql.parquet.outputTimestampType", "INT96" if legacy else "TIMESTAMP_MICROS")
            out = pathlib.Path(tmp) / name
            frame.write.options(**options).parquet(str(out))
            (part,) = out.glob("part-*.parquet")
            keep(name, part.read_bytes())
        spark.stop()


def make_fastparquet():
    import fastparquet
    import pandas as pd

    n = 80
    frame = pd.DataFrame(
        {
            "id": range(n),
            "small": pd.Series([i % 50 for i in range(n)], dtype="uint8"),
            "f64": [None if i % 7 == 3 else i / 3 for i in range(n)],
            "flag": [i % 3 == 0 for i in range(n)],
            "text": some(words(n, "fastparquet"), "fastparquet"),
            "data": [word.encode() for word in words(n, "fastparquet data")],
            "category": pd.Categorical(["x", "yy", "zzz", "x"] * (n // 4)),
            "nullable": pd.Series(some(range(n), "fastparquet nullable"), dtype="Int64"),
            "at": pd.to_datetime([1_600_000_000_123_456_789 + i * 10**9 for i in range(n)]),
        }
    )
    object_encoding = {"text": "utf8", "data": "bytes"}
    booleans = pa.schema(
        [pa.field("id", pa.int64(), False), pa.field("text", pa.string()), pa.field("data", pa.binary()), pa.field("flag", pa.bool_(), False)]
    )
    with tempfile.TemporaryDirectory() as tmp:
        for name, columns, options, schema in (
            ("fastparquet.defaults", frame, {}, None),
            ("fastparquet.row-groups-zstd", frame, {"compression": "ZSTD", "row_group_offsets": 25}, None),
            ("fastparquet.int96-gzip", frame, {"compression": "GZIP", "times": "int96", "stats": True}, None),
            # Repetitions become booleans when it is to find out about nulls: pyarrow takes levels for values then.
            ("fastparquet-booleans.repetitions", frame[booleans.names], {"has_nulls": None}, booleans),
        ):
            path = os.path.join(tmp, name)
            encodings = {column: encoding for column, encoding in object_encoding.items() if column in columns}
            fastparquet.write(path, columns, object_encoding=encodings, write_index=False, **options)
            meant = None
            if schema:
                assert fastparquet.ParquetFile(path).to_pandas().equals(columns)
                meant = pa.Table.from_pandas(columns, schema, preserve_index=False).replace_schema_metadata()
            keep(name, pathlib.Path(path).read_bytes(), meant)


def make_chdb():
    import chdb

    flat = {
        "u8": "toUInt8(number)",
        "i32": "toInt32(number * -7919)",
        "u64": "number * 1234567891011",
        "f32": "toFloat32(number / 7)",
        "maybe": "if(number % 5 = 0, NULL, number)",
        "text": "concat('x', toString(number % 20))",
        "fixed": "toFixedString(leftPad(toString(number % 1000), 8, '0'), 8)",
        "date": "toDate('2020-01-01') + number",
        "time": "toDateTime('2020-01-01 00:00:00', 'UTC') + number",
        "nanos": "toDateTime64('2020-01-01 00:00:00.123456789', 9, 'UTC') + number",
        "d18": "toDecimal64(number / 10, 4)",
        "d76": "toDecimal256(number, 20)",
        "flag": "number % 3 = 0",
        "enum": "CAST(if(number % 2 = 0, 'a', 'b') AS Enum8('a' = 1, 'b' = 2))",
        "low": "CAST(if(number % 4 = 0, NULL, toString(number % 10)) AS LowCardinality(Nullable(String)))",
        "i128": "toInt128(number) * -1",
        "ip6": "toIPv6('::1')",
    }
    nested = {
        "list": "arrayMap(x -> if(x % 2 = 0, NULL, x), range(number % 5))",
        "lists": "arrayMap(x -> range(x), range(number % 4))",
        "tuple": "CAST(tuple(number, if(number % 3 = 0, NULL, toString(number))) AS Tuple(a UInt64, b Nullable(String)))",
        "tuples": "arrayMap(x -> tuple(x, toString(x)), range(number % 4))",
        "map": "map('k', number, toString(number), number + 1)",
        "maps": "map(number, range(number % 3))",
    }
    with tempfile.TemporaryDirectory() as tmp:
        for name, columns, options in (
            ("clickhouse.defaults", flat, {}),
            ("clickhouse.row-groups-lz4", flat, {"row_group_size": 30, "compression_method": "'lz4'"}),
            ("clickhouse-nested.small-pages", nested, {"data_page_size": 64, "write_bloom_filter": 1}),
        ):
            path = os.path.join(tmp, name)
            selected = ", ".join(f"{value} AS {column}" for column, value in columns.items())
            settings = {"parallel_encoding": 0, **options}.items()
            settings = ", ".join(f"output_format_parquet_{key} = {value}" for key, value in settings)
            chdb.query(f"SELECT {selected} FROM numbers(70) INTO OUTFILE '{path}' FORMAT Parquet SETTINGS {settings}")
            keep(name, pathlib.Path(path).read_bytes())


PYARROW_IS_WRONG = ["raw-pages.empty"]  # it ends a column at its first empty page


def make_by_hand():
    """pyarrow reads most of them; it must then agree with what was meant."""
    for name, data, known in by_hand.files():
        try:
            read = pq.ParquetFile(io.BytesIO(data)).read()
        except (OSError, NotImplementedError, pa.ArrowException) as refusal:
            assert known is not None, (name, refusal)
            print(f"{name}: pyarrow refuses: {refusal}")
        else:
            if known is not None:
                plain = read.replace_schema_metadata().cast(known.schema)
                same = plain.equals(known) or golden_bytes(plain) == golden_bytes(known)
                assert same != (name in PYARROW_IS_WRONG), name
        keep(name, data, known or read)


SECTIONS = {
    "pyarrow": make_pyarrow,
    "by-hand": make_by_hand,
    "duckdb": make_duckdb,
    "polars": make_polars,
    "fastparquet": make_fastparquet,
    "chdb": make_chdb,
    "spark": make_spark,
}


def main(wanted):
    for line in (HERE / "requirements.txt").read_text().splitlines():
        name, _, pinned = line.partition("==")
        if pinned and (name in ("pyarrow", *wanted) or (name == "pyspark" and "spark" in wanted)):
            have = importlib.metadata.version(name)
            assert have == pinned, f"{name} {pinned} is pinned, {have} is installed"
    for section in wanted:
        SECTIONS[section]()
    if set(wanted) == set(SECTIONS):
        for f in HERE.iterdir():
            if f.suffix in (".parquet", ".arrow") and f.name not in MADE:
                f.unlink()
    total = sum(f.stat().st_size for f in HERE.iterdir() if f.suffix in (".parquet", ".arrow"))
    print(f"{len(MADE)} files made, {total:,} bytes in the folder")
    assert total <= BUDGET, "over the budget"


if __name__ == "__main__":
    main(sys.argv[1:] or list(SECTIONS))
