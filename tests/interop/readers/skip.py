"""Readers that skip by what we wrote: the pages that they need not read are burnt, so that whoever reads them fails."""

import os
import sys

from . import engines

# What each reader is known to skip by. pyarrow and Polars have no use for bloom filters, and only Spark skips pages.
SKIPS = {
    "pyarrow": ["statistics"],
    "duckdb": ["statistics", "bloom filters"],
    "polars": ["statistics"],
    "spark": ["statistics", "bloom filters", "page index"],
}


def skip(reader, folder, wanted):
    """How many things went other than expected."""
    find = {"pyarrow": pyarrow, "duckdb": duckdb, "polars": polars, "spark": spark}[reader]()
    wanted = int(wanted)
    path = lambda name: os.path.join(folder, f"{name}.parquet")
    faults = []
    if attempt(find, path("whole"), "id", wanted) != [wanted]:
        faults.append("a row is not found in the whole file")
    if attempt(find, path("ashes"), "id", wanted) is not None:
        faults.append("a row is found in ashes")
    # An odd number within the bounds, and a name in the middle of all names: only bloom filters know that they are not there.
    found = {
        "statistics": attempt(find, path("group"), "id", wanted) == [wanted],
        "bloom filters": attempt(find, path("ashes"), "id", wanted + 1) == []
        and attempt(find, path("ashes"), "name", "8" * 16) == [],
        "page index": attempt(find, path("page"), "id", wanted) == [wanted],
    }
    able = [what for what, works in found.items() if works]
    if able != SKIPS[reader]:
        faults.append(f"it should skip by {', '.join(SKIPS[reader])}, and does by {', '.join(able) or 'nothing'}")
    for fault in faults:
        print(f"  {fault}")
    print(f"{reader}: skips by {', '.join(able)}")
    return len(faults)


def attempt(find, path, column, value):
    """The ids of the rows that are found, or None when the reader fails."""
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        return find(path, column, value)
    except BaseException as error:  # a panic in Rust is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return None
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def pyarrow():
    import pyarrow.parquet as pq

    def find(path, column, value):
        table = pq.read_table(path, filters=[(column, "==", value)], partitioning=None)
        return table.column("id").to_pylist() if table.column("name").null_count == 0 else None

    return find


def duckdb():
    connection = engines.DuckDB().connection

    def find(path, column, value):
        rows = connection.execute(f"SELECT id, name FROM read_parquet('{path}') WHERE {column} = ?", [value]).fetchall()
        return [row[0] for row in rows]

    return find


def polars():
    import polars as pl

    def find(path, column, value):
        return pl.scan_parquet(path).filter(pl.col(column) == value).collect()["id"].to_list()

    return find


def spark():
    session = engines.Spark().session

    def find(path, column, value):
        frame = session.read.parquet(path)
        return [row.id for row in frame.filter(frame[column] == value).collect()]

    return find
