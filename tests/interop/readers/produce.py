"""Files that the others write: from each Arrow file of a folder, with all sorts of options, and beside each file what it holds
in the eyes of its writer."""

import glob
import os
import shutil
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.ipc

from . import engines

@dataclass(frozen=True)
class Cannot:
    """Cases that a writer refuses with a message that has `message` in it, with some options or, if none are named, with all."""

    writer: str
    why: str
    message: str
    cases: tuple
    options: tuple = ()

    def covers(self, writer, case, option):
        return self.writer == writer and case in self.cases and (not self.options or option in self.options)


RUNS = ("runs_text", "runs_int32")
VIEWS = ("text_view", "bytes_view")

CANNOT = [
    Cannot("pyarrow", "has no INTERVAL", "Unhandled type for Arrow to Parquet schema conversion: month_day_nano_interval", ("interval",)),
    Cannot("pyarrow", "writes no run-end encoded arrays", "Unhandled type for Arrow to Parquet schema conversion: run_end_encoded", RUNS),
    Cannot("pyarrow", "cannot cut views into row groups where they are in lists", "Slicing not implemented for", VIEWS),
    Cannot("pyarrow", "makes no bloom filters of booleans", "BloomFilterBuilder does not support boolean type", ("boolean",), ("bloom",)),
    Cannot("duckdb", "has no half floats in Arrow", "Unsupported Internal Arrow Type e", ("float16",)),
    Cannot("duckdb", "has decimals of at most 38 digits", "Unsupported Internal Arrow Type for Decimal d:76", ("decimal_76",)),
    Cannot("duckdb", "takes them for intervals, of which Parquet has no negative ones", "do not support negative intervals", ("duration",)),
    Cannot("polars", "has decimals of at most 38 digits", "operator does not support primitive `Int256`", ("decimal_76",)),
    Cannot(
        "polars",
        "panics at decimals that came in as 32 or 64 bits",
        "called `Option::unwrap()` on a `None` value",
        ("decimal32", "decimal64"),
    ),
    Cannot("polars", "has no intervals", "could not import from `month_day_nano_interval` type", ("interval",)),
    Cannot("polars", "has no run-end encoded arrays", 'The datatype "+r" is still not supported', RUNS),
    Cannot("spark", "has no unsigned numbers", "is not supported in conversion to Arrow", ("uint8", "uint16", "uint32", "uint64")),
    Cannot("spark", "has times, but not of milliseconds", "time32[ms] is not supported in conversion to Arrow", ("time_ms",)),
    Cannot("spark", "has times, but not by default", "UNSUPPORTED_TIME_TYPE", ("time_us", "time_ns")),
    Cannot("spark", "does not take them from Arrow", "is not supported in conversion to Arrow", (*VIEWS, *RUNS, "date64", "uuid")),
    Cannot("spark", "takes lists of nulls from Arrow for too short", "larger than values array", ("null",)),
    Cannot("spark", "has no half floats", "halffloat is not supported in conversion to Arrow", ("float16",)),
    Cannot("spark", "has decimals of at most 38 digits", "precision should be between 1 and 38", ("decimal_76",)),
    Cannot(
        "spark",
        "has no months, days and milliseconds in one",
        "month_day_nano_interval is not supported in conversion to Arrow",
        ("interval",),
    ),
]


def produce(writer, folder):
    """Writes all; returns how many errors there were."""
    cases = sorted(os.path.basename(path).removesuffix(".arrow") for path in glob.glob(f"{folder}/*.arrow"))
    out = os.path.join(folder, "out")
    os.makedirs(out)
    make = {"pyarrow": PyArrow, "duckdb": DuckDB, "polars": Polars, "spark": Spark}[writer]()
    files, faults, met = 0, [], set()
    for case in cases:
        table = pa.ipc.open_file(os.path.join(folder, f"{case}.arrow")).read_all()
        for option, refusal in written(make, case, table, out):
            known = next((line for line in CANNOT if line.covers(writer, case, option)), None)
            files += refusal is None
            met.add(known)
            fault = unexpected(known, refusal)
            if fault:
                faults.append(f"{case}-{option}: {fault}")
    faults += [f"'{line.why}' is said of nothing that is written" for line in CANNOT if line.writer == writer and line not in met]
    for fault in faults:
        print(f"  {fault}")
    print(f"{writer} wrote {files} files of {len(cases)} cases, {len(faults)} faults")
    return len(faults)


def written(make, case, table, out):
    """Writes a case with each option, and what it holds beside it; tells of each option why it is refused, or None."""
    given, refusal = attempt(lambda: make.take(case, table))
    for option in make.options(case):
        path, why = os.path.join(out, f"{case}-{option}"), refusal
        if why is None:
            _, why = attempt(lambda: make.write(given, case, option, f"{path}.parquet"))
        if why is None:
            expected = make.expected(given)
            with pa.ipc.new_file(f"{path}.arrow", expected.schema) as sink:
                sink.write_table(expected)
        yield option, why


def attempt(work):
    """What comes of it, or why it is refused."""
    try:
        return work(), None
    except BaseException as error:  # a panic in Rust is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return None, str(error).strip()


def unexpected(known, refusal):
    """What is otherwise than the table says."""
    if known is None:
        return refusal and refusal[:300]
    if refusal is None:
        return f"it can be written, unlike the table says: {known.why}"
    return None if known.message in refusal else f"it is refused for another reason than that it {known.why}: {refusal[:300]}"


class PyArrow:
    OPTIONS = {
        "default": {},
        "none-v1": {"compression": "none", "version": "1.0", "use_dictionary": False},
        "no-schema": {"store_schema": False},
        "gzip-v2": {"compression": "gzip", "data_page_version": "2.0", "data_page_size": 300, "row_group_size": 77},
        "brotli-index": {
            "compression": "brotli",
            "write_page_index": True,
            "write_page_checksum": True,
            "data_page_size": 300,
            "max_rows_per_page": 37,
        },
        "lz4-delta": {"compression": "lz4", "use_dictionary": False, "data_page_version": "2.0"},
        "zstd-split": {"compression": "zstd", "use_dictionary": False, "write_page_index": True},
        "bloom": {"row_group_size": 77},
        "int96": {"use_deprecated_int96_timestamps": True},
        "legacy-lists": {"use_compliant_nested_type": False, "store_decimal_as_integer": True},
    }

    def options(self, case):
        return [name for name in self.OPTIONS if name != "int96" or case.startswith("timestamp")]

    def take(self, case, table):
        return table

    def expected(self, table):
        return table

    def write(self, table, case, name, path):
        import pyarrow.parquet as pq

        options = dict(self.OPTIONS[name])
        if name == "none-v1" and (case == "int96" or case.startswith("timestamp_ns")):
            options["version"] = "2.6"
        flat = [table.schema.field(column) for column in ("optional", "required") if column in table.column_names]
        if name == "bloom":
            options["bloom_filter_options"] = {field.name: {"ndv": 200, "fpp": 0.01} for field in flat}
        encodings = {field.name: self.encoding(name, field.type) for field in flat}
        encodings = {column: encoding for column, encoding in encodings.items() if encoding}
        if encodings:
            options["column_encoding"] = encodings
        pq.write_table(table, path, **options)

    def encoding(self, name, kind):
        """The encoding of a column that is no list, unless it is the writer's to choose."""
        if name == "lz4-delta":
            if engines.t.is_integer(kind) or engines.t.is_temporal(kind):
                return "DELTA_BINARY_PACKED"
            if engines.t.is_string(kind):
                return "DELTA_BYTE_ARRAY"
            if engines.t.is_binary(kind):
                return "DELTA_LENGTH_BYTE_ARRAY"
        if name == "zstd-split" and (engines.t.is_floating(kind) or engines.t.is_int64(kind) or engines.t.is_fixed_size_binary(kind)):
            return "BYTE_STREAM_SPLIT"
        return None


class DuckDB:
    OPTIONS = {
        "default": "",
        "zstd-v2": ", COMPRESSION zstd, PARQUET_VERSION V2, ROW_GROUP_SIZE 2048",
        "none": ", COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1",
        "brotli": ", COMPRESSION brotli, PARQUET_VERSION V2, DICTIONARY_SIZE_LIMIT 1",
        "lz4_raw": ", COMPRESSION lz4_raw",
        "gzip": ", COMPRESSION gzip",
    }

    def __init__(self):
        self.connection = engines.DuckDB().connection

    def options(self, case):
        return self.OPTIONS

    def take(self, case, table):
        self.connection.register("given", table)
        # DuckDB shows UUIDs as text.
        return table if case == "uuid" else self.connection.sql("SELECT * FROM given").to_arrow_table()

    def expected(self, shown):
        return shown

    def write(self, shown, case, name, path):
        self.connection.execute(f"COPY given TO '{path}' (FORMAT parquet{self.OPTIONS[name]})")


class Polars:
    OPTIONS = {
        "default": {},
        "snappy": {"compression": "snappy", "row_group_size": 77, "data_page_size": 300},
        "none": {"compression": "uncompressed", "statistics": False},
        "gzip": {"compression": "gzip", "statistics": "full"},
        "brotli": {"compression": "brotli"},
        "lz4": {"compression": "lz4"},
        "pages": {"data_page_size": 2000},
    }

    def options(self, case):
        return self.OPTIONS

    def take(self, case, table):
        import polars

        return polars.from_arrow(table)

    def expected(self, frame):
        return frame.to_arrow()

    def write(self, frame, case, name, path):
        frame.write_parquet(path, **self.OPTIONS[name])


class Spark:
    OPTIONS = {
        "default": {},
        "v2-zstd": {
            "compression": "zstd",
            "parquet.writer.version": "v2",
            "parquet.page.size": "300",
            "parquet.page.row.count.limit": "37",
        },
        "gzip-plain": {"compression": "gzip", "parquet.enable.dictionary": "false"},
        "lz4_raw": {"compression": "lz4_raw", "parquet.bloom.filter.enabled": "true", "parquet.writer.version": "v2"},
        "lz4": {"compression": "lz4"},
        "legacy": {"compression": "none"},
    }

    def __init__(self):
        self.session = engines.Spark().session

    def options(self, case):
        return self.OPTIONS

    def take(self, case, table):
        frame = self.session.createDataFrame(table)
        return frame, frame.toArrow()

    def expected(self, given):
        return given[1]

    def write(self, given, case, name, path):
        self.session.conf.set("spark.sql.parquet.writeLegacyFormat", str(name == "legacy").lower())
        self.session.conf.set("spark.sql.parquet.outputTimestampType", "INT96" if name == "legacy" else "TIMESTAMP_MICROS")
        folder = path.removesuffix(".parquet")
        given[0].coalesce(1).write.options(**self.OPTIONS[name]).parquet(folder)
        (part,) = glob.glob(f"{folder}/*.parquet")
        os.rename(part, path)
        shutil.rmtree(folder)
