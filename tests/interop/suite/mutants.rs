//! Broken files that we read are read by the official crate as well, where that does not fail: the values are equal.
//!
//! The official crate may panic over such a file, reserve gigabytes for it or not come to an end. So processes of their own
//! read the mutants, under a cap of memory; one that dies or stands still is replaced by one that goes on behind the mutant
//! that it had come to. `HERRINGBONE_DIFFERENTIAL` says how many mutants of each file there are.

use std::fs::{self, File};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Int32Type, Int64Type, IntervalDayTimeType,
    Time32MillisecondType, Time32SecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::i256;
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use bytes::Bytes;
use herringbone::arrow::ParquetFile;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::mutate::{Mutation, Victim, limits};
use crate::{python, text};

/// Mutants of one file, unless the environment says otherwise.
const SHARE: usize = 40;

/// Rows beyond these are not asked for: a file may lawfully claim any number of them.
const ROWS: usize = 5_000;

/// Larger files are left out.
const LARGEST: u64 = 100_000;

/// Kilobytes of address space that a process may have.
const MEMORY: &str = "2000000";

/// A mutant that takes longer than this is not waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Processes beside each other.
const SHARDS: usize = 2;

/// What a shard is told: where it is to begin, and where to write what it finds.
const JOB: &str = "HERRINGBONE_DIFFERENTIAL_JOB";

/// What came of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Equal,
    OnlyOurs,
    OnlyTheirs,
    Neither,
    TheyPanicked,
    TheyDied,
    Exception(String),
    Differs(String),
}

#[test]
fn mutants_that_both_read_have_equal_values() {
    let folder = python::folder("differential");
    let verdicts: Vec<Verdict> = std::thread::scope(|scope| {
        let shards: Vec<_> = (0..SHARDS)
            .map(|shard| {
                scope.spawn({
                    let folder = &folder;
                    move || run_shard(folder, shard)
                })
            })
            .collect();
        shards.into_iter().flat_map(|shard| shard.join().expect("a shard's verdicts")).collect()
    });
    let count = |wanted: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| wanted(verdict)).count();
    let equal = count(|verdict| *verdict == Verdict::Equal);
    println!(
        "official crate: {} mutants, {equal} read by both with equal values, {} only by us, {} only by it, {} by neither; it panicked over {}, died of {}; {} exceptions",
        verdicts.len(),
        count(|verdict| *verdict == Verdict::OnlyOurs),
        count(|verdict| *verdict == Verdict::OnlyTheirs),
        count(|verdict| *verdict == Verdict::Neither),
        count(|verdict| *verdict == Verdict::TheyPanicked),
        count(|verdict| *verdict == Verdict::TheyDied),
        count(|verdict| matches!(verdict, Verdict::Exception(_))),
    );
    let faults: Vec<&str> =
        verdicts.iter().filter_map(|verdict| if let Verdict::Differs(how) = verdict { Some(how.as_str()) } else { None }).collect();
    assert!(faults.is_empty(), "{} mutants differ:\n{}", faults.len(), faults.join("\n"));
    assert!(equal > 2_000, "{equal} mutants were compared");
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let entries = fs::read_dir(folder).expect("testdata").map(|entry| entry.expect("an entry").path());
    let small =
        |path: &PathBuf| path.extension().is_some_and(|end| end == "parquet") && path.metadata().is_ok_and(|file| file.len() < LARGEST);
    let mut files: Vec<PathBuf> = entries.filter(small).collect();
    files.sort();
    files
}

/// The share of a file's mutations; every file begins at another place, so that the share is of all kinds.
fn share(victim: &Victim) -> Vec<Mutation> {
    let most = std::env::var("HERRINGBONE_DIFFERENTIAL").map_or(SHARE, |number| number.parse().expect("a number of mutants"));
    let all = victim.mutations();
    let step = all.len().div_ceil(most).max(1);
    let first = victim.bytes.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into())) % step;
    all.into_iter().skip(first).step_by(step).collect()
}

/// Runs processes until one comes to the end of the shard.
fn run_shard(folder: &Path, shard: usize) -> Vec<Verdict> {
    let (mut verdicts, mut from) = (Vec::new(), (shard, 0));
    loop {
        let out = folder.join(format!("shard-{shard}"));
        fs::write(&out, "").expect("an empty file");
        let job = format!("{} {} {}", from.0, from.1, out.display());
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")])
            .arg(program)
            .args(["--exact", "mutants::shard", "--ignored", "--nocapture"])
            .env(JOB, job)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        wait(&mut child, &out);
        let found = fs::read_to_string(&out).expect("what the process found");
        let mut last = None;
        for line in found.lines() {
            let mut words = line.splitn(4, ' ');
            let mut number = || words.next().and_then(|word| word.parse::<usize>().ok()).expect("a number");
            let at = (number(), number());
            let (kind, rest) = (words.next().expect("a verdict"), words.next().unwrap_or_default());
            last = Some((at, kind.to_owned(), rest.to_owned()));
            match kind {
                "end" => return verdicts,
                "ours" | "theirs" => {}
                _ => verdicts.push(Verdict::parse(kind, rest)),
            }
        }
        match last {
            Some((at, kind, _)) if kind == "theirs" => {
                verdicts.push(Verdict::TheyDied);
                from = (at.0, at.1 + 1);
            }
            other => panic!("a process ended while it had {other:?}"),
        }
    }
}

/// Waits until a process ends, or kills it when nothing is written for a while.
fn wait(child: &mut Child, out: &Path) {
    let size = || out.metadata().map_or(0, |file| file.len());
    let (mut known, mut since) = (size(), Instant::now());
    while child.try_wait().expect("a process of ours").is_none() {
        std::thread::sleep(Duration::from_millis(20));
        if size() != known {
            (known, since) = (size(), Instant::now());
        } else if since.elapsed() > PATIENCE {
            child.kill().expect("killed");
        }
    }
}

/// Every `SHARDS`th file from the one that it is told on.
#[test]
#[ignore = "a process of the test above"]
fn shard() {
    let Ok(job) = std::env::var(JOB) else { return };
    let mut words = job.splitn(3, ' ');
    let mut number = || words.next().and_then(|word| word.parse::<usize>().ok()).expect("a number");
    let (first_file, mut first) = (number(), number());
    let mut out = File::options().append(true).open(words.next().expect("a path")).expect("a file");
    let mut say = |line: String| out.write_all(format!("{}\n", line.replace('\n', " ")).as_bytes()).expect("written");
    std::panic::set_hook(Box::new(|_| {}));
    for (file, path) in files().iter().enumerate().skip(first_file).step_by(SHARDS) {
        let victim = Victim::new(fs::read(path).expect("a readable file"));
        let name = path.file_name().expect("a name").to_string_lossy();
        let whole = Bytes::from(victim.bytes.clone());
        let theirs_whole = catch_unwind(|| theirs(&whole)).ok().and_then(Result::ok).map(|(batches, _)| batches);
        let unbroken = Unbroken { known: None, theirs: theirs_whole.unwrap_or_default() };
        let verdict = ours(&whole).map(|ours| compare(Ok(ours), Ok((unbroken.theirs.clone(), -1)), NOTHING, &unbroken));
        let known = WRONG_UNBROKEN.iter().find(|(file, _)| *file == name).map(|(_, reason)| *reason);
        match (verdict, known) {
            // It is as it was said to be.
            (Ok(Verdict::Differs(_)), Some(_)) => {}
            (Ok(verdict @ Verdict::Differs(_)), None) if !unbroken.theirs.is_empty() => say(format!("{file} 0 {}", verdict.line(&name))),
            (Ok(Verdict::Equal), Some(_)) => say(format!("{file} 0 differs {name}: the official crate reads it now, which is said not to")),
            _ => {}
        }
        let unbroken = Unbroken { known, ..unbroken };
        for (index, mutation) in share(&victim).into_iter().enumerate().skip(std::mem::take(&mut first)) {
            let bytes = victim.broken(mutation);
            say(format!("{file} {index} ours"));
            let ours = ours(&bytes);
            say(format!("{file} {index} theirs"));
            let verdict = match catch_unwind(AssertUnwindSafe(|| theirs(&bytes))) {
                Err(_) => Verdict::TheyPanicked,
                Ok(theirs) => compare(ours, theirs, mutation, &unbroken),
            };
            say(format!("{file} {index} {}", verdict.line(&format!("{name} {mutation:?}"))));
        }
    }
    say("0 0 end".to_owned());
}

impl Verdict {
    fn line(&self, name: &str) -> String {
        match self {
            Verdict::Exception(reason) => format!("exception {reason}"),
            Verdict::Differs(how) => format!("differs {name}: {how}"),
            other => format!("{other:?}"),
        }
    }

    fn parse(kind: &str, rest: &str) -> Self {
        match kind {
            "exception" => Verdict::Exception(rest.to_owned()),
            "differs" => Verdict::Differs(rest.to_owned()),
            "Equal" => Verdict::Equal,
            "OnlyOurs" => Verdict::OnlyOurs,
            "OnlyTheirs" => Verdict::OnlyTheirs,
            "Neither" => Verdict::Neither,
            "TheyPanicked" => Verdict::TheyPanicked,
            other => panic!("a verdict {other}"),
        }
    }
}

/// Batches, and how many rows the footer claims, as far as that was asked for.
type Read = Result<(Vec<RecordBatch>, i64), String>;

fn ours(bytes: &Bytes) -> Read {
    let file = ParquetFile::from_source_with(bytes.clone(), limits()).map_err(|error| error.to_string())?;
    let scan = file.scan().threads(1).limit(ROWS as u64).batch_rows(1000).build();
    Ok((scan.and_then(|scan| scan.read_all()).map_err(|error| error.to_string())?, 0))
}

fn theirs(bytes: &Bytes) -> Read {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).map_err(|error| error.to_string())?;
    let claimed = builder.metadata().file_metadata().num_rows();
    let reader = builder.with_batch_size(1000).with_limit(ROWS).build().map_err(|error| error.to_string())?;
    Ok((reader.collect::<Result<_, _>>().map_err(|error| error.to_string())?, claimed))
}

/// What the official crate makes of the file that mutants are made of.
struct Unbroken {
    /// Why it reads that wrongly, if it does.
    known: Option<&'static str>,
    theirs: Vec<RecordBatch>,
}

/// A mutation that changes nothing.
const NOTHING: Mutation = Mutation::Hole(usize::MAX / 2, 0);

/// What the two readings of a mutant come to.
fn compare(ours: Read, theirs: Read, mutation: Mutation, unbroken: &Unbroken) -> Verdict {
    let (ours, theirs, claimed) = match (ours, theirs) {
        (Ok((ours, _)), Ok((theirs, claimed))) => (ours, theirs, claimed),
        (Ok(_), Err(_)) => return Verdict::OnlyOurs,
        (Err(_), Ok(_)) => return Verdict::OnlyTheirs,
        (Err(_), Err(_)) => return Verdict::Neither,
    };
    let Some(how) = difference(&ours, &theirs) else { return Verdict::Equal };
    match exception(&theirs, claimed, mutation, unbroken) {
        Some(reason) => Verdict::Exception(reason.to_owned()),
        None => Verdict::Differs(how),
    }
}

/// Files that the official crate reads wrongly as they are, and why.
const WRONG_UNBROKEN: &[(&str, &str)] = &[
    (
        "raw-levels.bit-packed.parquet",
        "it reads BIT_PACKED levels from the least significant bit, where the format has the most significant first",
    ),
    ("raw-pages.empty.parquet", "it ends a column at its first empty page"),
];

/// Why the official crate reads a mutant in another way, where that is known.
fn exception(theirs: &[RecordBatch], claimed: i64, mutation: Mutation, unbroken: &Unbroken) -> Option<&'static str> {
    let none = theirs.iter().all(|batch| batch.num_rows() == 0);
    match mutation {
        _ if none && claimed == 0 => Some("it gives no rows where the footer counts 0, as some writers left it, and row groups count more"),
        Mutation::Header(_, _, BIT_PACKED) => Some(WRONG_UNBROKEN[0].1),
        // The low half of the byte before a field is the type that the field has in the file.
        Mutation::Flip(_, 0..4) if !unbroken.theirs.is_empty() && difference(theirs, &unbroken.theirs).is_none() => {
            Some("it takes a field's value whatever type it has in the file, and so notices nothing; to us it is an unknown field")
        }
        _ => unbroken.known,
    }
}

/// The encoding's number.
const BIT_PACKED: i64 = 4;

/// How the rows of batches differ, if they do; where batches end does not matter.
fn difference(ours: &[RecordBatch], theirs: &[RecordBatch]) -> Option<String> {
    let rows = |batches: &[RecordBatch]| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    if rows(ours) != rows(theirs) {
        return Some(format!("{} rows here, {} there", rows(ours), rows(theirs)));
    }
    let mut at = 0;
    while at < rows(ours) {
        let (one, other) = (from(ours, at), from(theirs, at));
        let count = one.num_rows().min(other.num_rows());
        if one.num_columns() != other.num_columns() {
            return Some(format!("{} columns here, {} there", one.num_columns(), other.num_columns()));
        }
        for (index, (one_array, other_array)) in one.columns().iter().zip(other.columns()).enumerate() {
            let name = one.schema().field(index).name().clone();
            if let Some(how) = column_difference(&one_array.slice(0, count), &other_array.slice(0, count)) {
                return Some(format!("{name} from row {at}: {how}"));
            }
        }
        at += count;
    }
    None
}

/// The rest, from a row on, of the batch that holds it.
fn from(batches: &[RecordBatch], row: usize) -> RecordBatch {
    let mut start = 0;
    for batch in batches {
        if row < start + batch.num_rows() {
            return batch.slice(row - start, start + batch.num_rows() - row);
        }
        start += batch.num_rows();
    }
    unreachable!("there are as many rows")
}

fn column_difference(ours: &ArrayRef, theirs: &ArrayRef) -> Option<String> {
    if ours.to_data() == theirs.to_data() {
        return None;
    }
    let row = (0..ours.len()).find(|row| !same(ours, theirs, *row))?;
    let cells = (text::cell(ours, row), text::cell(theirs, row));
    let types =
        if ours.data_type() == theirs.data_type() { String::new() } else { format!(" ({}, {})", ours.data_type(), theirs.data_type()) };
    Some(format!("{} here, {} there, {row} rows on{types}", cells.0, cells.1))
}

/// Whether two slots say the same, be it under other types. The official crate knows no conversions into the units and widths of a
/// stored Arrow schema that Parquet does not have, makes text of no ENUM, and leaves months out of intervals. Where the logical type
/// is broken it goes by the converted type, where we read the physical type; the specification has no rule for it.
fn same(ours: &ArrayRef, theirs: &ArrayRef, row: usize) -> bool {
    use DataType as T;
    use TimeUnit::{Millisecond, Second};
    if ours.is_null(row) || theirs.is_null(row) {
        return ours.is_null(row) && theirs.is_null(row);
    }
    match (ours.data_type(), theirs.data_type()) {
        (T::Time32(Second), T::Time32(Millisecond)) => {
            i64::from(ours.as_primitive::<Time32SecondType>().value(row)) * 1000
                == i64::from(theirs.as_primitive::<Time32MillisecondType>().value(row))
        }
        (T::Timestamp(one, _), T::Timestamp(other, _)) => {
            // The finer one within the coarser one's step.
            let (ours, theirs) = (instant(ours, row), instant(theirs, row));
            let step = per_second(one).min(per_second(other));
            let coarse = |value: i64, unit: &TimeUnit| i128::from(value).div_euclid((per_second(unit) / step).into());
            coarse(ours, one) == coarse(theirs, other)
        }
        (T::Utf8 | T::Binary, T::Utf8 | T::Binary) => bytes_of(ours, row) == bytes_of(theirs, row),
        (T::FixedSizeBinary(2), T::Float16) => {
            ours.as_fixed_size_binary().value(row) == theirs.as_primitive::<Float16Type>().value(row).to_le_bytes()
        }
        (T::Int32 | T::Int64, _) if theirs.data_type().is_decimal() => {
            let own = match ours.data_type() {
                T::Int32 => ours.as_primitive::<Int32Type>().value(row).into(),
                _ => ours.as_primitive::<Int64Type>().value(row),
            };
            number(theirs, row).is_some_and(|(number, _)| number == i256::from_i128(own.into()))
        }
        (T::List(_) | T::Map(..), T::List(_)) => {
            let ours: ArrayRef = match ours.data_type() {
                T::Map(..) => Arc::new(ours.as_map().value(row)),
                _ => ours.as_list::<i32>().value(row),
            };
            let theirs = theirs.as_list::<i32>().value(row);
            ours.len() == theirs.len() && (0..ours.len()).all(|item| same(&ours, &theirs, item))
        }
        (T::Struct(one), T::Struct(other)) => {
            let columns = || ours.as_struct().columns().iter().zip(theirs.as_struct().columns());
            one.len() == other.len() && columns().all(|(ours, theirs)| same(ours, theirs, row))
        }
        // A list by its logical type, which the converted type contradicts: to the official crate it is the groups that it is made of.
        (_, T::Struct(group)) if group.len() == 1 => same(ours, theirs.as_struct().column(0), row),
        (T::FixedSizeBinary(12), T::Interval(IntervalUnit::DayTime)) => {
            let (bytes, interval) = (ours.as_fixed_size_binary().value(row), theirs.as_primitive::<IntervalDayTimeType>().value(row));
            bytes[4..8] == interval.days.to_le_bytes() && bytes[8..] == interval.milliseconds.to_le_bytes()
        }
        (one, other) if one.is_decimal() && other.is_decimal() => number(ours, row) == number(theirs, row),
        (one, other) => one.equals_datatype(other) && text::cell(ours, row) == text::cell(theirs, row),
    }
}

fn per_second(unit: &TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// The number of a timestamp, whatever its unit.
fn instant(array: &ArrayRef, row: usize) -> i64 {
    let data = array.to_data();
    data.buffers()[0].typed_data::<i64>()[data.offset() + row]
}

/// The bytes of a text or of none.
fn bytes_of(array: &ArrayRef, row: usize) -> &[u8] {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).as_bytes(),
        _ => array.as_binary::<i32>().value(row),
    }
}

/// A decimal's number and its scale.
fn number(array: &ArrayRef, row: usize) -> Option<(i256, i8)> {
    Some(match array.data_type() {
        DataType::Decimal32(_, scale) => (i256::from_i128(array.as_primitive::<Decimal32Type>().value(row).into()), *scale),
        DataType::Decimal64(_, scale) => (i256::from_i128(array.as_primitive::<Decimal64Type>().value(row).into()), *scale),
        DataType::Decimal128(_, scale) => (i256::from_i128(array.as_primitive::<Decimal128Type>().value(row)), *scale),
        DataType::Decimal256(_, scale) => (array.as_primitive::<Decimal256Type>().value(row), *scale),
        _ => return None,
    })
}
