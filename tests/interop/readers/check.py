"""Reads the files of the matrix and holds every column against the Arrow file beside it."""

import os
import sys

import pyarrow as pa
import pyarrow.ipc

from . import compare, engines, limits


def check(reader, folder):
    """How many columns are wrong."""
    engine = engines.engine(reader)
    files = sorted(name.removesuffix(".parquet") for name in os.listdir(folder) if name.endswith(".parquet"))
    equal, refused, faults, probes = 0, 0, {}, {}
    for case in files:
        path = os.path.join(folder, case)
        expected = pa.ipc.open_file(f"{path}.arrow").read_all()
        readable, limited = sorted_out(reader, case, column_names(f"{path}.parquet"))
        refused += sum(len(names) for names in limited.values())
        for limit, names in limited.items():
            probes.setdefault(limit, (f"{path}.parquet", names[0], expected, case))
        wrong = differences(engine, f"{path}.parquet", readable, expected, case) if readable else {}
        equal += len(readable) - len(wrong)
        for name, why in wrong.items():
            faults.setdefault(f"{case}: {why}", []).append(name)
    for (why, names) in faults.items():
        print(f"  {len(names)} columns: {names[0]} of {why}")
    stale = outdated(engine, probes) + unused(reader, probes)
    for line in stale:
        print(f"  {line}")
    wrong = sum(len(names) for names in faults.values())
    print(f"{reader}: {len(files)} files, {equal} columns equal, {refused} beyond {len(probes)} limits of the reader, {wrong} wrong")
    return wrong + len(stale)


def unused(reader, probes):
    """Lines of the table that nothing of the matrix falls under."""
    return [f"the limit '{limit.why}' covers no column" for limit in limits.LIMITS if limit.reader == reader and limit not in probes]


def column_names(path):
    import pyarrow.parquet as pq

    schema = pq.read_metadata(path).schema
    return sorted({schema.column(i).path.split(".")[0] for i in range(len(schema))})


def sorted_out(reader, case, names):
    """Columns that the reader should read, and those of each limit."""
    readable, limited = [], {}
    for name in names:
        limit = limits.limit_of(reader, limits.Column.of(case, name))
        if limit:
            limited.setdefault(limit, []).append(name)
        else:
            readable.append(name)
    return readable, limited


def differences(engine, path, names, expected, case):
    """What is wrong by column; columns are read one by one when they cannot be read together."""
    try:
        table = engine.read(path, names)
    except BaseException as error:  # a panic in Rust is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        if len(names) == 1:
            return {names[0]: f"refused: {str(error).strip()[:300]}"}
        half = len(names) // 2
        return differences(engine, path, names[:half], expected, case) | differences(engine, path, names[half:], expected, case)
    sees = lambda kind: engine.sees(kind, case)
    found = {name: compare.difference(expected.column(name.split("__")[0]), table.column(name), sees) for name in names}
    return {name: why for name, why in found.items() if why}


def outdated(engine, probes):
    """Limits that the reader has no more: it reads a column of theirs after all."""
    # What goes wrong here is expected, and said by Rust's panics on standard error.
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        read = [limit for limit, (path, name, expected, case) in probes.items() if not differences(engine, path, [name], expected, case)]
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
    return [f"{engine.name} can read what the table of limits says it cannot ({limit.why}): take the line out" for limit in read]
