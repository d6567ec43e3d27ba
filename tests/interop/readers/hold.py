"""What we read of the files of others (`*.ours`), held against what they say it is (`*.arrow`)."""

import glob

import pyarrow as pa
import pyarrow.ipc

from . import compare, engines

t = engines.t

# What a writer writes wrongly, so that others than we read the same of it.
WRONG = {
    # Fixed-width binary from Arrow is shifted where structs around it are null; pyarrow reads the same values as we do.
    ("duckdb", "fixed_5", "struct"),
    ("duckdb", "fixed_5", "deep"),
}


def hold(writer, folder):
    """How many columns are wrong."""
    names = sorted(path.removesuffix(".arrow") for path in glob.glob(f"{folder}/*.arrow"))
    columns, faults = 0, {}
    for name in names:
        expected, ours = pa.ipc.open_file(f"{name}.arrow").read_all(), pa.ipc.open_stream(f"{name}.ours").read_all()
        stored = stored_as(writer, name.removeprefix(f"{folder}/"))
        if expected.column_names != ours.column_names:
            faults[f"columns {expected.column_names} are {ours.column_names}"] = [name]
            continue
        for column in expected.column_names:
            columns += 1
            found = compare.difference(expected.column(column), ours.column(column), stored)
            if (writer, name.removeprefix(f"{folder}/").split("-")[0], column) in WRONG:
                found = None if found else "the writer got it right, unlike the table says"
            if found:
                faults.setdefault(found, []).append(f"{column} of {name.removeprefix(folder)}")
    for why, where in faults.items():
        print(f"  {len(where)}, first {where[0]}: {why}")
    wrong = sum(len(where) for where in faults.values())
    print(f"{writer}: {len(names)} of its files read by us, {columns - wrong} columns equal, {wrong} wrong")
    return wrong


def stored_as(writer, name):
    """Which type we find for one of the writer's: what it cannot say in Parquet, it writes as something else."""

    def stored(kind):
        if writer == "duckdb" and t.is_interval(kind):
            return pa.binary(12)
        if writer == "duckdb" and t.is_timestamp(kind) and kind.unit == "s":
            return pa.timestamp("us", kind.tz)
        if writer == "pyarrow" and name.endswith("-int96") and t.is_timestamp(kind):
            return pa.timestamp("us", kind.tz)
        if writer == "spark" and t.is_duration(kind):
            return pa.int64()
        if writer == "spark" and name.endswith("-legacy") and t.is_timestamp(kind):
            return pa.timestamp("us")  # INT96 does not say that it is UTC
        if writer == "pyarrow" and name.endswith("-none-v1") and t.is_uint32(kind):
            return pa.int64()
        if writer == "pyarrow" and name.endswith("-no-schema"):
            lost = {pa.date64(): pa.date32(), pa.duration("us"): pa.int64(), pa.timestamp("s"): pa.timestamp("ms")}
            return lost.get(kind, kind)
        return kind

    return stored
