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
use parquet::file::metadata::KeyValue;

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
        let unbroken = Unbroken {
            known: WRONG_UNBROKEN.iter().find(|(file, _)| *file == name).map(|(_, known)| *known),
            ours: ours(&whole).ok(),
            theirs: catch_unwind(|| theirs(&whole)).ok().and_then(Result::ok),
            claims: open(&whole).map(|builder| Claims::of(&builder)).unwrap_or_default(),
        };
        if let (Some(ours), Some(theirs)) = (&unbroken.ours, &unbroken.theirs) {
            match (compare(Ok(ours.clone()), Ok(theirs.clone()), &victim, NOTHING, &unbroken), unbroken.known) {
                (verdict @ Verdict::Differs(_), _) => say(format!("{file} 0 {}", verdict.line(&name))),
                (Verdict::Equal, Some(_)) => say(format!("{file} 0 differs {name}: the official crate reads it now, which is said not to")),
                // Or it is as it was said to be.
                _ => {}
            }
        }
        for (index, mutation) in share(&victim).into_iter().enumerate().skip(std::mem::take(&mut first)) {
            let bytes = victim.broken(mutation);
            say(format!("{file} {index} ours"));
            let ours = ours(&bytes);
            say(format!("{file} {index} theirs"));
            let verdict = match catch_unwind(AssertUnwindSafe(|| theirs(&bytes))) {
                Err(_) => Verdict::TheyPanicked,
                Ok(theirs) => compare(ours, theirs, &victim, mutation, &unbroken),
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

fn ours(bytes: &Bytes) -> Result<Vec<RecordBatch>, String> {
    let file = ParquetFile::from_source_with(bytes.clone(), limits()).map_err(|error| error.to_string())?;
    let scan = file.scan().threads(1).limit(ROWS as u64).batch_rows(1000).build();
    scan.and_then(|scan| scan.read_all()).map_err(|error| error.to_string())
}

/// What the official crate reads.
#[derive(Clone)]
struct Theirs {
    batches: Vec<RecordBatch>,
    claims: Claims,
}

/// What it finds in a footer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Claims {
    rows: i64,
    /// The compressed size of each column chunk.
    sizes: Vec<i64>,
    /// Whether a column chunk says that it has levels of this encoding.
    bit_packed: bool,
    /// Among them is the stored Arrow schema.
    key_values: Option<Vec<KeyValue>>,
}

type Builder = ParquetRecordBatchReaderBuilder<Bytes>;

fn open(bytes: &Bytes) -> Result<Builder, String> {
    Builder::try_new(bytes.clone()).map_err(|error| error.to_string())
}

impl Claims {
    fn of(builder: &Builder) -> Self {
        let file = builder.metadata().file_metadata();
        let chunks = || builder.metadata().row_groups().iter().flat_map(|group| group.columns());
        Self {
            rows: file.num_rows(),
            sizes: chunks().map(|chunk| chunk.compressed_size()).collect(),
            bit_packed: chunks().any(|chunk| chunk.encodings().any(|encoding| encoding as i64 == BIT_PACKED)),
            key_values: file.key_value_metadata().cloned(),
        }
    }
}

fn theirs(bytes: &Bytes) -> Result<Theirs, String> {
    let builder = open(bytes)?;
    let claims = Claims::of(&builder);
    let reader = builder.with_batch_size(1000).with_limit(ROWS).build().map_err(|error| error.to_string())?;
    Ok(Theirs { batches: reader.collect::<Result<_, _>>().map_err(|error| error.to_string())?, claims })
}

/// What is read of the file that mutants are made of.
struct Unbroken {
    /// What the official crate gets wrong of it, if it does.
    known: Option<Known>,
    ours: Option<Vec<RecordBatch>>,
    theirs: Option<Theirs>,
    /// Also where it does not read the file.
    claims: Claims,
}

/// A mutation that changes nothing.
const NOTHING: Mutation = Mutation::Hole(usize::MAX / 2, 0);

/// What the two readings of a mutant come to.
fn compare(
    ours: Result<Vec<RecordBatch>, String>,
    theirs: Result<Theirs, String>,
    victim: &Victim,
    mutation: Mutation,
    unbroken: &Unbroken,
) -> Verdict {
    let (ours, theirs) = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Ok(_), Err(_)) => return Verdict::OnlyOurs,
        (Err(_), Ok(_)) => return Verdict::OnlyTheirs,
        (Err(_), Err(_)) => return Verdict::Neither,
    };
    let Some(how) = difference(&ours, &theirs.batches) else { return Verdict::Equal };
    match exception(&ours, &theirs, victim, mutation, unbroken) {
        Some(reason) => Verdict::Exception(reason.to_owned()),
        None => Verdict::Differs(how),
    }
}

/// What the official crate gets wrong without a word, and how far.
#[derive(Clone, Copy)]
enum Known {
    /// It reads BIT_PACKED levels from the least significant bit, where the format has the most significant first. Rows and nulls
    /// are others by that, and what seems to go on in an empty list is left out; the values that are there come in the same order.
    LevelsBackwards,
    /// It ends a column at its first empty page, and leaves out the rows that follow.
    EndsAtEmptyPage,
}

const LEVELS_BACKWARDS: &str = "it reads BIT_PACKED levels from the wrong end of each byte";

/// Files that the official crate reads wrongly as they are.
const WRONG_UNBROKEN: &[(&str, Known)] =
    &[("raw-levels.bit-packed.parquet", Known::LevelsBackwards), ("raw-pages.empty.parquet", Known::EndsAtEmptyPage)];

impl Known {
    /// Why the two readings differ, if this is all in which they do.
    fn explains(self, ours: &[RecordBatch], theirs: &[RecordBatch], whole: &[RecordBatch]) -> Option<&'static str> {
        match self {
            Known::LevelsBackwards => same_order(ours, theirs, whole).then_some(LEVELS_BACKWARDS),
            Known::EndsAtEmptyPage => {
                let count = rows(theirs);
                let first = first_rows(ours, count);
                (count < rows(ours) && difference(&first, theirs).is_none()).then_some("it ends a column at its first empty page")
            }
        }
    }
}

/// Why the official crate reads a mutant in another way, where that is known.
fn exception(ours: &[RecordBatch], theirs: &Theirs, victim: &Victim, mutation: Mutation, unbroken: &Unbroken) -> Option<&'static str> {
    let Theirs { batches: theirs, claims } = theirs;
    if rows(theirs) == 0 && claims.rows == 0 {
        return Some("it gives no rows where the footer counts 0, as some writers left it, and row groups count more");
    }
    let whole = unbroken.ours.as_deref().unwrap_or_default();
    let one_column = columns_that_differ(ours, theirs) == 1;
    // What was RLE is read as BIT_PACKED, so that there is no order that both would keep to; but it is one column's.
    if one_column && matches!(mutation, Mutation::Header(_, _, BIT_PACKED)) {
        return Some(LEVELS_BACKWARDS);
    }
    // What were values is read as levels, since a column is no longer required.
    if one_column && claims.bit_packed && same_order(ours, theirs, whole) {
        return Some(LEVELS_BACKWARDS);
    }
    // The low half of the byte before a field is the type that the field has in the file.
    let as_ever = unbroken.theirs.as_ref().is_some_and(|whole| difference(theirs, &whole.batches).is_none());
    if (as_ever && matches!(mutation, Mutation::Flip(_, 0..4))) || (one_column && victim.shifts_header(mutation)) {
        return Some("it takes a field's value whatever type it has in the file; to us it is an unknown field");
    }
    let as_ever = unbroken.ours.is_some() && difference(ours, whole).is_none();
    if as_ever && claims.sizes != unbroken.claims.sizes {
        // We have all rows, and no more, by the row group's count.
        return Some("it goes by a chunk's compressed size, and ends before the last row or goes on with another column's pages");
    }
    if as_ever && claims.key_values != unbroken.claims.key_values {
        return Some(
            "it takes scales and units from a stored Arrow schema that contradicts the file's, and leaves the numbers as they are",
        );
    }
    unbroken.known.and_then(|known| known.explains(ours, theirs, whole))
}

/// The encoding's number.
const BIT_PACKED: i64 = 4;

/// How the rows of batches differ, if they do; where batches end does not matter.
fn difference(ours: &[RecordBatch], theirs: &[RecordBatch]) -> Option<String> {
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

fn rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

fn first_rows(batches: &[RecordBatch], mut count: usize) -> Vec<RecordBatch> {
    let mut first = Vec::new();
    for batch in batches {
        let taken = count.min(batch.num_rows());
        first.push(batch.slice(0, taken));
        count -= taken;
    }
    first
}

/// In how many columns, of as many rows, two readings differ.
fn columns_that_differ(ours: &[RecordBatch], theirs: &[RecordBatch]) -> usize {
    let columns = |batches: &[RecordBatch]| batches.first().map_or(0, RecordBatch::num_columns);
    if rows(ours) != rows(theirs) || columns(ours) != columns(theirs) {
        return usize::MAX;
    }
    let one = |batches: &[RecordBatch], column| batches.iter().map(|batch| batch.project(&[column]).expect("a column")).collect::<Vec<_>>();
    (0..columns(ours)).filter(|column| difference(&one(ours, *column), &one(theirs, *column)).is_some()).count()
}

/// Whether the values of each column that are there come in one order, whatever rows they are in: readings may leave some out,
/// of the other or of those of the unbroken file.
fn same_order(ours: &[RecordBatch], theirs: &[RecordBatch], whole: &[RecordBatch]) -> bool {
    let columns = |batches: &[RecordBatch]| batches.first().map_or(0, RecordBatch::num_columns);
    let values = |batches: &[RecordBatch], column: usize| {
        let mut values = Vec::new();
        batches.iter().for_each(|batch| add_values(batch.column(column), &mut values));
        values
    };
    let among = |few: &[String], many: &[String]| {
        let mut many = many.iter();
        few.iter().all(|value| many.any(|other| other == value))
    };
    let same = |column| {
        let (ours, theirs) = (values(ours, column), values(theirs, column));
        let both_among = |all: Vec<String>| among(&ours, &all) && among(&theirs, &all);
        among(&ours, &theirs) || among(&theirs, &ours) || (column < columns(whole) && both_among(values(whole, column)))
    };
    columns(ours) == columns(theirs) && (0..columns(ours)).all(same)
}

/// The values of an array's leaf that are there, as text.
fn add_values(array: &ArrayRef, values: &mut Vec<String>) {
    for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
        match array.data_type() {
            DataType::List(_) => add_values(&array.as_list::<i32>().value(row), values),
            DataType::Struct(_) => array.as_struct().columns().iter().for_each(|column| add_values(&column.slice(row, 1), values)),
            _ => values.push(text::cell(array, row)),
        }
    }
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
    match (ours.is_null(row), theirs.is_null(row), theirs.as_struct_opt()) {
        (false, false, _) => {}
        // See the groups of lists below.
        (true, false, Some(group)) if group.num_columns() == 1 && !ours.data_type().equals_datatype(theirs.data_type()) => {
            return same(ours, group.column(0), row);
        }
        (ours, theirs, _) => return ours && theirs,
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
            let exact = per_second(one) / step == 1 || i128::from(ours) % i128::from(per_second(one) / step) == 0;
            // Of INT96 whose time of day is negative the official crate cuts the fraction off, towards the day's begin.
            coarse(ours, one) == coarse(theirs, other) || (!exact && coarse(ours, one) + 1 == coarse(theirs, other))
        }
        (_, T::Dictionary(..)) if !ours.data_type().equals_datatype(theirs.data_type()) => {
            let dictionary = theirs.as_any_dictionary();
            same(&ours.slice(row, 1), &dictionary.values().slice(dictionary.normalized_keys()[row], 1), 0)
        }
        (T::Utf8 | T::Binary, T::Utf8 | T::Binary | T::LargeUtf8 | T::LargeBinary | T::Utf8View | T::BinaryView) => {
            bytes_of(ours, row) == bytes_of(theirs, row)
        }
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
        (T::List(_) | T::LargeList(_) | T::Map(..), T::List(_) | T::LargeList(_) | T::Map(..)) => {
            let (ours, theirs) = (items(ours, row), items(theirs, row));
            ours.len() == theirs.len() && (0..ours.len()).all(|item| same(&ours, &theirs, item))
        }
        (T::Struct(one), T::Struct(other)) if one.len() == other.len() => {
            let mut columns = ours.as_struct().columns().iter().zip(theirs.as_struct().columns());
            columns.all(|(ours, theirs)| same(ours, theirs, row))
        }
        // A list by its logical type, which the converted type contradicts: to the official crate it is the groups that it is made of.
        (_, T::Struct(group)) if group.len() == 1 => same(ours, theirs.as_struct().column(0), row),
        // And a group in a list, which nothing says is a list itself.
        (T::Struct(group), _) if group.len() == 1 => same(ours.as_struct().column(0), theirs, row),
        (T::FixedSizeBinary(12), T::Interval(IntervalUnit::DayTime)) => {
            let (bytes, interval) = (ours.as_fixed_size_binary().value(row), theirs.as_primitive::<IntervalDayTimeType>().value(row));
            bytes[4..8] == interval.days.to_le_bytes() && bytes[8..] == interval.milliseconds.to_le_bytes()
        }
        (one, other) if one.is_decimal() && other.is_decimal() => number(ours, row) == number(theirs, row),
        (one, other) => one.equals_datatype(other) && text::cell(ours, row) == text::cell(theirs, row),
    }
}

/// What is in a list or a map.
fn items(array: &ArrayRef, row: usize) -> ArrayRef {
    match array.data_type() {
        DataType::Map(..) => Arc::new(array.as_map().value(row)),
        DataType::LargeList(_) => array.as_list::<i64>().value(row),
        _ => array.as_list::<i32>().value(row),
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
        DataType::Utf8View => array.as_string_view().value(row).as_bytes(),
        DataType::BinaryView => array.as_binary_view().value(row),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).as_bytes(),
        DataType::LargeBinary => array.as_binary::<i64>().value(row),
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
