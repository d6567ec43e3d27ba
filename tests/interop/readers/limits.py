"""What a reader cannot do with a file that is as the format wants it, and why.

A limit is held against the reader: as soon as it reads what it could not, the test says so.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of the matrix."""

    case: str
    nesting: str
    encoding: str
    codec: str
    version: str

    @staticmethod
    def of(case, name):
        return Column(case, *name.split("__"))


@dataclass(frozen=True)
class Limit:
    """Columns that all fields fit to are refused with a message that has `message` in it, for the reason in `why`."""

    reader: str
    why: str
    message: str
    case: tuple = ()
    nesting: tuple = ()
    encoding: tuple = ()
    codec: tuple = ()
    version: tuple = ()

    def covers(self, reader, column):
        fields = ("case", "nesting", "encoding", "codec", "version")
        return self.reader == reader and all(not getattr(self, f) or getattr(column, f) in getattr(self, f) for f in fields)


FIXED = ("fixed_5", "uuid", "decimal_38", "decimal_76", "decimal_5_bytes", "decimal_18_bytes", "float16", "interval")
FIXED_WITHOUT_INTERVALS = tuple(case for case in FIXED if case != "interval")
ALP = ("float32_alp", "float64_alp")

LIMITS = [
    Limit("pyarrow", "knows no ALP", "Unknown encoding type", encoding=("alp",)),
    Limit(
        "pyarrow",
        "makes dictionaries of PLAIN and dictionary pages only",
        "DecodeArrow of DictAccumulator",
        case=("dictionary_text",),
        encoding=("delta_length_byte_array", "delta_byte_array"),
    ),
    Limit("duckdb", "refuses footers that name ALP", "TProtocolException: Invalid data", case=ALP),
    Limit(
        "duckdb",
        "splits streams of 4 and 8 bytes only",
        "BYTE_STREAM_SPLIT encoding is only supported for",
        case=FIXED,
        encoding=("byte_stream_split",),
    ),
    Limit("polars", "knows no ALP", "Thrift out of range", encoding=("alp",)),
    Limit(
        "polars",
        "decodes DELTA_BYTE_ARRAY of strings and bytes, not of fixed width",
        '"DeltaByteArray"-encoded',
        case=FIXED_WITHOUT_INTERVALS,
        encoding=("delta_byte_array",),
    ),
    Limit(
        "polars",
        "splits streams of numbers, not of other fixed width",
        '"ByteStreamSplit"-encoded',
        case=tuple(case for case in FIXED_WITHOUT_INTERVALS if case != "float16"),
        encoding=("byte_stream_split",),
    ),
    Limit("polars", "has decimals of at most 38 digits", "assertion failed: *precision >= 1 && *precision <= 38", case=("decimal_76",)),
    Limit("polars", "has no intervals", "could not import from `month_day_millisecond_interval`", case=("interval",)),
    Limit(
        "polars",
        "panics at the stored Arrow schema, since it has no run-end encoded arrays",
        "not yet implemented",
        case=("runs_text", "runs_int32"),
    ),
    Limit("spark", "refuses footers that name ALP", "Required field 'encoding' was not present", case=ALP),
    Limit("spark", "has decimals of at most 38 digits", "Decimal precision 76 exceeds max precision 38", case=("decimal_76",)),
    Limit("spark", "has no half floats", "Illegal Parquet type: FIXED_LEN_BYTE_ARRAY (FLOAT16)", case=("float16",)),
    Limit("spark", "has no UUIDs", "Illegal Parquet type: FIXED_LEN_BYTE_ARRAY (UUID)", case=("uuid",)),
    Limit("spark", "has no months, days and milliseconds in one", "Parquet type not yet supported", case=("interval",)),
    Limit("spark", "has no times of milliseconds", "Illegal Parquet type: INT32 (TIME(MILLIS,false))", case=("time_ms",)),
    Limit("spark", "has times, but not by default", "UNSUPPORTED_TIME_TYPE", case=("time_us", "time_ns")),
    Limit("spark", "has no Brotli codec of its own", "Class org.apache.hadoop.io.compress.BrotliCodec was not found", codec=("brotli",)),
    Limit(
        "spark",
        "splits no streams of unsigned numbers where it reads columns at a time",
        'Cannot call the method "readUnsigned',
        case=("uint32", "uint64"),
        encoding=("byte_stream_split",),
    ),
]


def limit_of(reader, column):
    return next((limit for limit in LIMITS if limit.covers(reader, column)), None)
