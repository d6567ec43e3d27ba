"""The readers: how each reads columns of a file, and which type it gives to what."""

import os
import sys

import pyarrow as pa

t = pa.types


def engine(name):
    return {"pyarrow": PyArrow, "duckdb": DuckDB, "polars": Polars, "spark": Spark}[name]()


class PyArrow:
    name = "pyarrow"

    def read(self, path, columns):
        import pyarrow.parquet as pq

        return pq.read_table(path, columns=columns, partitioning=None, page_checksum_verification=True)

    def sees(self, kind, case):
        if t.is_interval(kind):
            return pa.binary(12)
        if t.is_date64(kind):
            return pa.date32()
        if t.is_timestamp(kind) and kind.unit == "s":
            return pa.timestamp("ms", kind.tz)
        return kind


class DuckDB:
    name = "duckdb"

    def __init__(self):
        import duckdb

        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute("SET threads = 1")

    def read(self, path, columns):
        names = ", ".join(f'"{name}"' for name in columns)
        return self.connection.sql(f"SELECT {names} FROM read_parquet('{path}')").to_arrow_table()

    def sees(self, kind, case):
        if t.is_float16(kind):
            return pa.float32()
        if t.is_duration(kind):
            return pa.int64()
        if case == "int96" and t.is_timestamp(kind):
            return pa.timestamp("us")
        if t.is_date64(kind):
            return pa.date32()
        if t.is_time32(kind):
            return pa.time64("us")
        if t.is_timestamp(kind) and kind.unit in ("s", "ms"):
            return pa.timestamp("us", kind.tz)
        if t.is_decimal(kind) and kind.precision > 38:
            return pa.float64()
        if case == "uuid" and t.is_fixed_size_binary(kind):
            return pa.string()
        if t.is_fixed_size_binary(kind):
            return pa.binary()
        return kind


class Polars:
    name = "polars"

    def read(self, path, columns):
        import polars

        return polars.read_parquet(path, columns=columns, hive_partitioning=False).to_arrow()

    def sees(self, kind, case):
        if t.is_time(kind):
            return pa.time64("ns")
        if t.is_date64(kind):
            return pa.timestamp("ms")
        if t.is_timestamp(kind) and kind.unit == "s":
            return pa.timestamp("ms", kind.tz)
        if t.is_fixed_size_binary(kind):
            return pa.binary()
        return kind


class Spark:
    name = "spark"

    def __init__(self):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ["TZ"] = "UTC"
        from pyspark.sql import SparkSession

        options = {
            "spark.master": "local[1]",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.memory": "1g",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.log.level": "OFF",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "1",
            # Days and moments as they stand in the file, not in the calendar before 1582.
            "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
            "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
            "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
            "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
            "spark.sql.legacy.parquet.nanosAsLong": "true",
        }
        builder = SparkSession.builder
        for key, value in options.items():
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()

    def read(self, path, columns):
        return self.session.read.parquet(path).select(*[f"`{name}`" for name in columns]).toArrow()

    def sees(self, kind, case):
        if t.is_null(kind):
            return pa.int32()
        wider = {pa.uint8(): pa.int16(), pa.uint16(): pa.int32(), pa.uint32(): pa.int64(), pa.uint64(): pa.decimal128(20, 0)}
        if kind in wider:
            return wider[kind]
        if case == "int96" and t.is_timestamp(kind):
            return pa.timestamp("us", "UTC")
        if t.is_date64(kind):
            return pa.date32()
        if t.is_duration(kind) or t.is_timestamp(kind) and kind.unit == "ns":
            return pa.int64()
        if t.is_timestamp(kind):
            return pa.timestamp("us", kind.tz)
        if t.is_fixed_size_binary(kind):
            return pa.binary()
        return kind
