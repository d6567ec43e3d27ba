"""Files that the others write: from each Arrow file of a folder, with all sorts of options, and beside each file what it holds
in the eyes of its writer."""

import glob
import os
import shutil

import pyarrow as pa
import pyarrow.ipc

from . import engines

# What a writer cannot take, or cannot write.
CANNOT = {
    "pyarrow": {
        "interval": "has no INTERVAL",
        "runs_text": "writes no run-end encoded arrays",
        "runs_int32": "writes no run-end encoded arrays",
        "text_view": "cannot cut views into row groups where they are in lists",
        "bytes_view": "cannot cut views into row groups where they are in lists",
    },
    "duckdb": {
        "float16": "has no half floats in Arrow",
        "decimal_76": "has decimals of at most 38 digits",
        "duration": "takes them for intervals, of which Parquet has no negative ones",
    },
    "polars": {
        "decimal_76": "has decimals of at most 38 digits",
        "decimal32": "panics at decimals that came in as 32 bits",
        "decimal64": "panics at decimals that came in as 64 bits",
        "interval": "has no intervals",
        "runs_text": "has no run-end encoded arrays",
        "runs_int32": "has no run-end encoded arrays",
    },
    "spark": {
        **dict.fromkeys(("uint8", "uint16", "uint32", "uint64"), "has no unsigned numbers"),
        **dict.fromkeys(("time_ms", "time_us", "time_ns"), "has times, but not by default"),
        **dict.fromkeys(("text_view", "bytes_view", "runs_text", "runs_int32", "date64", "uuid"), "does not take them from Arrow"),
        "null": "takes lists of nulls from Arrow for too short",
        "float16": "has no half floats",
        "decimal_76": "has decimals of at most 38 digits",
        "interval": "has no months, days and milliseconds in one",
    },
}


def produce(writer, folder):
    """Writes all; returns how many errors there were."""
    cases = sorted(os.path.basename(path).removesuffix(".arrow") for path in glob.glob(f"{folder}/*.arrow"))
    out = os.path.join(folder, "out")
    os.makedirs(out)
    make = {"pyarrow": PyArrow, "duckdb": DuckDB, "polars": Polars, "spark": Spark}[writer]()
    files, faults = 0, []
    for case in cases:
        table = pa.ipc.open_file(os.path.join(folder, f"{case}.arrow")).read_all()
        try:
            for name, expected in make.write(case, table, out):
                with pa.ipc.new_file(os.path.join(out, f"{name}.arrow"), expected.schema) as sink:
                    sink.write_table(expected)
                files += 1
        except BaseException as error:  # a panic in Rust is no Exception
            if isinstance(error, KeyboardInterrupt):
                raise
            if case not in CANNOT[writer]:
                faults.append(f"{case}: {str(error).strip()[:300]}")
        else:
            if case in CANNOT[writer]:
                faults.append(f"{case} can be written, unlike the table says: {CANNOT[writer][case]}")
    for fault in faults:
        print(f"  {fault}")
    print(f"{writer} wrote {files} files of {len(cases)} cases, {len(faults)} faults")
    return len(faults)


class PyArrow:
    OPTIONS = {
        "default": {},
        "none-v1": {"compression": "none", "version": "1.0", "use_dictionary": False},
        "no-schema": {"store_schema": False},
        "gzip-v2": {"compression": "gzip", "data_page_version": "2.0", "data_page_size": 300, "row_group_size": 77},
        "brotli-index": {"compression": "brotli", "write_page_index": True, "write_page_checksum": True, "data_page_size": 300},
        "lz4-delta": {"compression": "lz4", "use_dictionary": False, "data_page_version": "2.0"},
        "zstd-split": {"compression": "zstd", "use_dictionary": False, "write_page_index": True},
        "int96": {"use_deprecated_int96_timestamps": True},
        "legacy-lists": {"use_compliant_nested_type": False, "store_decimal_as_integer": True},
    }

    def write(self, case, table, out):
        import pyarrow.parquet as pq

        for name, options in self.OPTIONS.items():
            if name == "int96" and not case.startswith("timestamp"):
                continue
            options = dict(options)
            if name == "none-v1" and (case == "int96" or case.startswith("timestamp_ns")):
                options["version"] = "2.6"
            encoding = self.encoding(name, table.schema)
            if encoding:
                options["column_encoding"] = encoding
            pq.write_table(table, f"{out}/{case}-{name}.parquet", **options)
            yield f"{case}-{name}", table

    def encoding(self, name, schema):
        """Encodings of the columns that are no lists."""
        kind = schema.field("optional").type
        if name == "lz4-delta":
            if engines.t.is_integer(kind) or engines.t.is_temporal(kind):
                chosen = "DELTA_BINARY_PACKED"
            elif engines.t.is_string(kind):
                chosen = "DELTA_BYTE_ARRAY"
            elif engines.t.is_binary(kind):
                chosen = "DELTA_LENGTH_BYTE_ARRAY"
            else:
                return None
        elif name == "zstd-split" and (engines.t.is_floating(kind) or engines.t.is_int64(kind) or engines.t.is_fixed_size_binary(kind)):
            chosen = "BYTE_STREAM_SPLIT"
        else:
            return None
        return {"optional": chosen, "required": chosen}


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

    def write(self, case, table, out):
        self.connection.register("given", table)
        expected = self.connection.sql("SELECT * FROM given").to_arrow_table()
        if case == "uuid":
            # DuckDB shows them as text.
            expected = table
        for name, options in self.OPTIONS.items():
            self.connection.execute(f"COPY given TO '{out}/{case}-{name}.parquet' (FORMAT parquet{options})")
            yield f"{case}-{name}", expected


class Polars:
    OPTIONS = {
        "default": {},
        "snappy": {"compression": "snappy", "row_group_size": 77, "data_page_size": 300},
        "none": {"compression": "uncompressed", "statistics": False},
        "gzip": {"compression": "gzip", "statistics": "full"},
        "brotli": {"compression": "brotli"},
        "lz4": {"compression": "lz4"},
    }

    def write(self, case, table, out):
        import polars

        frame = polars.from_arrow(table)
        for name, options in self.OPTIONS.items():
            frame.write_parquet(f"{out}/{case}-{name}.parquet", **options)
            yield f"{case}-{name}", frame.to_arrow()


class Spark:
    OPTIONS = {
        "default": {},
        "v2-zstd": {"compression": "zstd", "parquet.writer.version": "v2", "parquet.page.size": "300"},
        "gzip-plain": {"compression": "gzip", "parquet.enable.dictionary": "false"},
        "lz4_raw": {"compression": "lz4_raw", "parquet.bloom.filter.enabled": "true", "parquet.writer.version": "v2"},
        "lz4": {"compression": "lz4"},
        "legacy": {"compression": "none"},
    }

    def __init__(self):
        self.session = engines.Spark().session

    def write(self, case, table, out):
        frame = self.session.createDataFrame(table)
        expected = frame.toArrow()
        for name, options in self.OPTIONS.items():
            self.session.conf.set("spark.sql.parquet.writeLegacyFormat", str(name == "legacy").lower())
            self.session.conf.set("spark.sql.parquet.outputTimestampType", "INT96" if name == "legacy" else "TIMESTAMP_MICROS")
            folder = f"{out}/{case}-{name}"
            frame.coalesce(1).write.options(**options).parquet(folder)
            (part,) = glob.glob(f"{folder}/*.parquet")
            os.rename(part, f"{folder}.parquet")
            shutil.rmtree(folder)
            yield f"{case}-{name}", expected
