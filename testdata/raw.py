"""A Parquet writer of a few lines that writes whatever it is told, for files that no library makes any more, or not yet."""

import struct
import zlib

import pyarrow as pa

# Thrift's compact protocol: a value is (type in a field header, bytes).
I8, I32, I64, BINARY, LIST, STRUCT = 3, 5, 6, 8, 9, 12

# Physical types, encodings, codecs, page types by the names of the format.
BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, FLBA = range(8)
PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, DELTA, DLBA, DBA, RLE_DICTIONARY, BSS, ALP = 0, 2, 3, 4, 5, 6, 7, 8, 9, 10
NONE, SNAPPY, GZIP, LZO, BROTLI, LZ4, ZSTD, LZ4_RAW = range(8)
DATA, INDEX, DICTIONARY, DATA_V2 = range(4)
REQUIRED, OPTIONAL, REPEATED = range(3)
UTF8, MAP, MAP_KEY_VALUE, LIST_OF, ENUM, DECIMAL, DATE, TIME_MILLIS, TIME_MICROS, TIMESTAMP_MILLIS, TIMESTAMP_MICROS = range(11)
UINT_8, UINT_16, UINT_32, UINT_64, INT_8, INT_16, INT_32, INT_64, JSON, BSON, INTERVAL = range(11, 22)


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def zigzag(n):
    return varint(n << 1 if n >= 0 else (-n << 1) - 1)


def i8(n):
    return I8, struct.pack("b", n)


def i32(n):
    return I32, zigzag(n)


def i64(n):
    return I64, zigzag(n)


def text(s):
    data = s.encode() if isinstance(s, str) else s
    return BINARY, varint(len(data)) + data


def flag(b):
    return (1 if b else 2), b""


def many(values):
    values = list(values)
    kind = values[0][0] if values else STRUCT
    head = bytes([len(values) << 4 | kind]) if len(values) < 15 else bytes([0xF0 | kind]) + varint(len(values))
    return LIST, head + b"".join(data for _, data in values)


def record(fields=None):
    """A struct from {id: value}; a value of None leaves the field out."""
    out, last = bytearray(), 0
    for id, value in sorted((fields or {}).items()):
        if value is None:
            continue
        kind, data = value
        out += bytes([id - last << 4 | kind]) if id - last < 16 else bytes([kind]) + zigzag(id)
        out += data
        last = id
    return STRUCT, bytes(out) + b"\0"


# ---------------------------------------------------------------------------------------------------------------------
# Encodings


def plain(physical, values):
    if physical == BOOLEAN:
        return pack(values, 1)
    if physical == BYTE_ARRAY:
        return b"".join(struct.pack("<I", len(v)) + v for v in values)
    if physical in (FLBA, INT96):
        return b"".join(values)
    return b"".join(struct.pack({INT32: "<i", INT64: "<q", FLOAT: "<f", DOUBLE: "<d"}[physical], v) for v in values)


def pack(values, width):
    """Bit-packed from the least significant bit on."""
    bits = 0
    for i, v in enumerate(values):
        bits |= (int(v) & (1 << width) - 1) << i * width
    return bits.to_bytes((len(values) * width + 7) // 8, "little")


def pack_from_the_top(values, width):
    """The deprecated BIT_PACKED of levels: from the most significant bit on."""
    bits, count = 0, len(values) * width
    for v in values:
        bits = bits << width | v
    size = (count + 7) // 8
    return (bits << size * 8 - count).to_bytes(size, "big")


def hybrid(values, width, run=8):
    """The RLE / bit-packing hybrid: runs of at least `run` equal values, groups of eight otherwise."""
    out, i, loose = bytearray(), 0, []

    def flush():
        nonlocal loose
        if loose:
            groups = (len(loose) + 7) // 8
            out.extend(varint(groups << 1 | 1) + pack(loose + [0] * (groups * 8 - len(loose)), width))
            loose = []

    while i < len(values):
        j = i
        while j < len(values) and values[j] == values[i]:
            j += 1
        if j - i >= run and len(loose) % 8 == 0:
            flush()
            out.extend(varint(j - i << 1) + int(values[i]).to_bytes((width + 7) // 8, "little"))
            i = j
        else:
            loose.append(values[i])
            i += 1
    flush()
    return bytes(out)


def delta(values, bits=64, block=128, minis=4, junk_widths=False):
    """DELTA_BINARY_PACKED; the widths of miniblocks that hold no value may be anything."""
    wrap = lambda x: (x + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
    out = bytearray(varint(block) + varint(minis) + varint(len(values)) + zigzag(values[0] if values else 0))
    deltas = [wrap(b - a) for a, b in zip(values, values[1:])]
    per = block // minis
    for at in range(0, len(deltas), block):
        chunk = deltas[at : at + block]
        low = min(chunk)
        chunk = [d - low for d in chunk]
        parts = [chunk[k * per : (k + 1) * per] for k in range(minis)]
        widths = [max(p).bit_length() if p else (77 if junk_widths else 0) for p in parts]
        out += zigzag(low) + bytes(widths)
        for p, width in zip(parts, widths):
            if p:
                out += pack(p + [0] * (per - len(p)), width)
    return bytes(out)


def delta_lengths(values, **options):
    return delta([len(v) for v in values], 32, **options) + b"".join(values)


def delta_prefixes(values, **options):
    shared, last = [], b""
    for v in values:
        n = 0
        while n < min(len(v), len(last)) and v[n] == last[n]:
            n += 1
        shared.append(n)
        last = v
    return delta(shared, 32, **options) + delta_lengths([v[n:] for v, n in zip(values, shared)], **options)


def split(physical, values):
    data = plain(physical, values)
    width = len(data) // max(1, len(values))
    return b"".join(data[k::width] for k in range(width))


def alp(physical, values, exponent, factor, log=10):
    """ALP with one pair of exponent and factor; what does not survive the way back is an exception."""
    single = physical == FLOAT
    shape, integer, bits = ("<f", "<i", 32) if single else ("<d", "<q", 64)
    near = lambda x: struct.unpack("<f", struct.pack("<f", x))[0] if single else x
    raw = lambda x: struct.pack(shape, x)
    ten = lambda e: near(float(f"1e{e}"))

    def decoded(n):
        return near(near(near(float(n)) * ten(factor)) * ten(-exponent))

    def encoded(v):
        try:
            n = round(near(near(v * ten(exponent)) * ten(-factor)))
        except (ValueError, OverflowError):
            return None
        try:
            return n if -(1 << bits - 1) <= n < 1 << bits - 1 and raw(decoded(n)) == raw(v) else None
        except OverflowError:
            return None

    vectors = []
    for at in range(0, len(values), 1 << log):
        chunk = values[at : at + (1 << log)]
        whole = [encoded(v) for v in chunk]
        bad = [i for i, n in enumerate(whole) if n is None]
        stand_in = next((n for n in whole if n is not None), 0)
        whole = [stand_in if n is None else n for n in whole]
        low = min(whole)
        width = (max(whole) - low).bit_length()
        vectors.append(
            struct.pack("<BBH", exponent, factor, len(bad)) + struct.pack(integer, low) + bytes([width]) + pack([n - low for n in whole], width)
            + b"".join(struct.pack("<H", i) for i in bad) + b"".join(raw(chunk[i]) for i in bad)
        )  # fmt: skip
    offset, offsets = 4 * len(vectors), b""
    for vector in vectors:
        offsets += struct.pack("<I", offset)
        offset += len(vector)
    return struct.pack("<BBBi", 0, 0, log, len(values)) + offsets + b"".join(vectors)


# ---------------------------------------------------------------------------------------------------------------------
# Codecs


def hadoop_lz4(data, block=1 << 30):
    out = b""
    for at in range(0, max(1, len(data)), block):
        part = data[at : at + block]
        packed = pa.Codec("lz4_raw").compress(part, asbytes=True)
        out += struct.pack(">II", len(part), len(packed)) + packed
    return out


def gzip_members(data):
    half = len(data) // 2
    out = b""
    for part in (data[:half], b"", data[half:]):
        c = zlib.compressobj(6, zlib.DEFLATED, 31)
        out += c.compress(part) + c.flush()
    return out


def zstd_frames(data):
    half = len(data) // 2
    return b"".join(pa.Codec("zstd").compress(part, asbytes=True) for part in (data[:half], data[half:]))


def compress(codec, data):
    name = {SNAPPY: "snappy", GZIP: "gzip", BROTLI: "brotli", ZSTD: "zstd", LZ4_RAW: "lz4_raw"}.get(codec)
    return data if name is None else pa.Codec(name).compress(data, asbytes=True)


# ---------------------------------------------------------------------------------------------------------------------
# Files


def width_of(level):
    return level.bit_length()


class Column:
    """A column chunk in the making. `squeeze` compresses a body; it is the codec's own unless told otherwise."""

    def __init__(self, path, physical, codec=NONE, max_def=0, max_rep=0, squeeze=None):
        self.path, self.physical, self.codec = path.split("."), physical, codec
        self.max_def, self.max_rep = max_def, max_rep
        self.squeeze = squeeze or (lambda data: compress(codec, data))
        self.pages, self.encodings, self.count = [], [], 0
        self.uncompressed, self.first_data, self.dictionary_at = 0, None, None
        self.statistics = None
        self.dictionary_offset = "right"  # or "none" or "zero"

    def add(self, kind, header_id, header, body, full_size, crc=None):
        head = record({1: i32(kind), 2: i32(full_size), 3: i32(len(body)), 4: None if crc is None else i32(crc), header_id: header})[1]
        if kind in (DATA, DATA_V2) and self.first_data is None:
            self.first_data = sum(map(len, self.pages))
        self.pages.append(head + body)
        self.uncompressed += len(head) + full_size
        return self

    def noted(self, encoding):
        if encoding not in self.encodings:
            self.encodings.append(encoding)

    def dictionary(self, data, count, encoding=PLAIN):
        self.noted(encoding)
        self.dictionary_at = sum(map(len, self.pages))
        return self.add(DICTIONARY, 7, record({1: i32(count), 2: i32(encoding)}), self.squeeze(data), len(data))

    def levels_v1(self, levels, top, encoding):
        if not top:
            return b""
        if encoding == BIT_PACKED:
            return pack_from_the_top(levels, width_of(top))
        data = hybrid(levels, width_of(top))
        return struct.pack("<I", len(data)) + data

    def v1(self, encoding, data, count, defs=None, reps=None, levels=RLE):
        self.noted(encoding)
        self.noted(levels)
        self.count += count
        body = self.levels_v1(reps, self.max_rep, levels) + self.levels_v1(defs, self.max_def, levels) + data
        header = record({1: i32(count), 2: i32(encoding), 3: i32(levels), 4: i32(levels)})
        return self.add(DATA, 5, header, self.squeeze(body), len(body))

    def v2(self, encoding, data, count, defs=None, reps=None, compressed=True, say=True):
        self.noted(encoding)
        self.count += count
        rep = hybrid(reps, width_of(self.max_rep)) if self.max_rep else b""
        top = hybrid(defs, width_of(self.max_def)) if self.max_def else b""
        nulls = sum(d < self.max_def for d in defs) if self.max_def else 0
        rows = sum(r == 0 for r in reps) if self.max_rep else count
        say_flag = flag(compressed) if say else None
        header = record({1: i32(count), 2: i32(nulls), 3: i32(rows), 4: i32(encoding), 5: i32(len(top)), 6: i32(len(rep)), 7: say_flag})
        return self.add(DATA_V2, 8, header, rep + top + (self.squeeze(data) if compressed else data), len(rep) + len(top) + len(data))

    def extra(self, kind, body):
        """A page that is not data: an index page, or one of the future."""
        return self.add(kind, 6, record(), body, len(body))

    def chunk(self, at):
        size = sum(map(len, self.pages))
        first = at + (self.first_data if self.first_data is not None else 0)
        dictionary = None
        if self.dictionary_at is not None:
            dictionary = {"right": i64(at + self.dictionary_at), "none": None, "zero": i64(0)}[self.dictionary_offset]
            if self.dictionary_offset != "right":
                first = at
        meta = record(
            {
                1: i32(self.physical), 2: many(i32(e) for e in self.encodings), 3: many(text(p) for p in self.path), 4: i32(self.codec), 5: i64(self.count),
                6: i64(self.uncompressed), 7: i64(size), 9: i64(first), 11: dictionary, 12: self.statistics,
            }
        )  # fmt: skip
        return record({2: i64(at), 3: meta}), size


def leaf(name, physical, repetition=REQUIRED, converted=None, logical=None, length=None, scale=None, precision=None):
    optional = lambda v: None if v is None else i32(v)
    return record({1: i32(physical), 2: optional(length), 3: i32(repetition), 4: text(name), 6: optional(converted), 7: optional(scale), 8: optional(precision), 10: logical})


def group(name, children, repetition=REQUIRED, converted=None, logical=None):
    return record({3: i32(repetition), 4: text(name), 5: i32(children), 6: None if converted is None else i32(converted), 10: logical})


def logical(id, fields=None):
    """A member of the LogicalType union."""
    return record({id: record(fields or {})})


def file(fields, groups, rows, keys=None, orders=None, top=None, created_by="herringbone testdata"):
    """fields: schema elements in order, `top` of them at the root; groups: a list of columns for each row group, with its rows."""
    out, metas = bytearray(b"PAR1"), []
    for columns, count in zip(groups, rows):
        chunks, sizes = [], 0
        for column in columns:
            chunk, size = column.chunk(len(out))
            out += b"".join(column.pages)
            chunks.append(chunk)
            sizes += column.uncompressed
        metas.append(record({1: many(chunks), 2: i64(sizes), 3: i64(count)}))
    root = record({4: text("schema"), 5: i32(len(fields) if top is None else top)})
    pairs = None if keys is None else many(record({1: text(k), 2: None if v is None else text(v)}) for k, v in keys)
    footer = record({1: i32(2), 2: many([root, *fields]), 3: i64(sum(rows)), 4: many(metas), 5: pairs, 6: text(created_by) if created_by else None, 7: orders and many(orders)})[1]
    return bytes(out + footer + struct.pack("<I", len(footer)) + b"PAR1")
