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
        for column, (limit, name) in first_of_each(case, limited).items():
            probes.setdefault(column, (limit, f"{path}.parquet", name, expected, case))
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
    count = f"{sum(limit.reader == reader for limit in limits.LIMITS)} limits of the reader ({len(probes)} probes)"
    print(f"{reader}: {len(files)} files, {equal} columns equal, {refused} beyond {count}, {wrong} wrong")
    return wrong + len(stale)


def first_of_each(case, limited):
    """One column of each case and encoding that is beyond a limit; of a limit that is about codecs, one for all."""
    found = {}
    for limit, names in limited.items():
        for name in names:
            encoding = limits.Column.of(case, name).encoding
            found.setdefault((limit, (case, encoding) if limit.case or limit.encoding else None), (limit, name))
    return found


def unused(reader, probes):
    """Lines of the table that nothing of the matrix falls under."""
    used = {limit for limit, *_ in probes}
    return [f"the limit '{limit.why}' covers no column" for limit in limits.LIMITS if limit.reader == reader and limit not in used]


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
    table, refusal = attempt(engine, path, names)
    if refusal is not None:
        if len(names) == 1:
            return {names[0]: f"refused: {refusal[:300]}"}
        half = len(names) // 2
        return differences(engine, path, names[:half], expected, case) | differences(engine, path, names[half:], expected, case)
    found = {name: difference(engine, table, name, expected, case) for name in names}
    return {name: why for name, why in found.items() if why}


def attempt(engine, path, names):
    """The columns as a table, or why they are refused."""
    try:
        return engine.read(path, names), None
    except BaseException as error:  # a panic in Rust is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return None, str(error).strip()


def difference(engine, table, name, expected, case):
    return compare.difference(expected.column(name.split("__")[0]), table.column(name), lambda kind: engine.sees(kind, case))


def outdated(engine, probes):
    """Limits that the reader has no more, or in another way: it must refuse a column with the message that is expected."""
    # What goes wrong here is expected, and said by Rust's panics on standard error.
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        found = [probed(engine, *probe) for probe in probes.values()]
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
    return [line for line in found if line]


def probed(engine, limit, path, name, expected, case):
    """What is wrong with a limit at a column."""
    table, refusal = attempt(engine, path, [name])
    where = f"{engine.name} at {name} of {case}, of which is said that it {limit.why}:"
    if table is None:
        return None if limit.message in refusal else f"{where} it is refused for another reason: {refusal[:300]}"
    different = difference(engine, table, name, expected, case)
    return f"{where} it is read otherwise: {different}" if different else f"{where} it is read: take the line out"
