//! Sources and sinks that fail: at each read and each write, for a while or for good, openly or by giving something else.

use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::predicate::{Expr, col};
use herringbone::read::{self, PageOptions, Source};
use herringbone::verify::{VerifyOptions, verify};
use herringbone::write::{FileWriter, SinkOptions, WriterOptions};
use herringbone::{Error, ErrorKind, Limits, Result};

use crate::files;
use crate::mutate::Random;

/// What goes wrong with one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Fails,
    Short,
    Long,
    Nothing,
    OtherBytes,
}

/// A source that misbehaves at one read and is healthy otherwise.
struct Unsteady {
    bytes: Bytes,
    /// Its size as it says, to begin with and later.
    sizes: [u64; 2],
    reads: AtomicUsize,
    asked: AtomicUsize,
    at: usize,
    fault: Fault,
}

impl Unsteady {
    fn new(bytes: Bytes, at: usize, fault: Fault) -> Self {
        let size = bytes.len() as u64;
        Self { bytes, sizes: [size; 2], reads: AtomicUsize::new(0), asked: AtomicUsize::new(0), at, fault }
    }

    fn happened(&self) -> bool {
        self.reads.load(Ordering::SeqCst) > self.at
    }
}

impl Source for Unsteady {
    fn size(&self) -> Result<u64> {
        Ok(self.sizes[self.asked.fetch_add(1, Ordering::SeqCst).min(1)])
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let now = self.reads.fetch_add(1, Ordering::SeqCst) == self.at;
        if now && self.fault == Fault::Fails {
            return Err(Error::from(io::Error::other("the wire is cut")));
        }
        let bytes = self.bytes.read(range)?;
        Ok(match self.fault {
            Fault::Short if now => bytes.slice(..bytes.len() / 2),
            Fault::Long if now => [&bytes[..], b"more"].concat().into(),
            Fault::Nothing if now => Bytes::new(),
            Fault::OtherBytes if now => bytes.iter().map(|byte| byte ^ 0x55).collect::<Vec<_>>().into(),
            _ => bytes,
        })
    }

    fn window(&self) -> u64 {
        500
    }
}

fn read_all(file: &ParquetFile, threads: usize) -> Result<RecordBatch> {
    let scan = file.scan().threads(threads).batch_rows(50).build()?;
    let (schema, mut batches, mut failed) = (scan.schema(), Vec::new(), None);
    for batch in scan {
        assert!(failed.is_none(), "a scan goes on after its error");
        match batch {
            Ok(batch) => batches.push(batch),
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(concat_batches(&schema, &batches).expect("batches of one schema")),
    }
}

/// Of the reads after the first ones, each of so many fails once.
const STRIDE: usize = if cfg!(debug_assertions) { 23 } else { 1 };

/// A way to read a file, and how it ended.
type Way = fn(&Arc<Unsteady>) -> Result<()>;

fn by_pages(source: &Arc<Unsteady>) -> Result<()> {
    let metadata = read::metadata(source, &Limits::default())?;
    for group in 0..metadata.num_row_groups() {
        for leaf in 0..metadata.schema().leaves().len() {
            read::pages(Arc::clone(source), &metadata, group, leaf, &PageOptions::default())?.try_for_each(|page| page.map(drop))?;
        }
    }
    Ok(())
}

fn by_filter(source: &Arc<Unsteady>) -> Result<()> {
    let file = ParquetFile::from_source(Arc::clone(source))?;
    let flat = file.metadata().schema().leaves().iter().find(|leaf| leaf.max_repetition_level == 0);
    let filter = flat.map_or(Expr::constant(true), |leaf| col(leaf.path.dotted()).is_not_null());
    file.scan().filter(filter).build()?.try_for_each(|batch| batch.map(drop))
}

fn by_copying(source: &Arc<Unsteady>) -> Result<()> {
    let metadata = read::metadata(&source.bytes, &Limits::default())?;
    let mut writer = FileWriter::new(Vec::new(), Arc::clone(metadata.schema()), WriterOptions::default())?;
    writer.copy_file(source)?;
    writer.close().map(drop)
}

fn by_verifying(source: &Arc<Unsteady>) -> Result<()> {
    verify(source, &VerifyOptions { threads: 1, ..VerifyOptions::default() }).map(drop)
}

#[test]
fn all_ways_of_reading_notice_a_read_that_fails() {
    let names = ["row-groups.of-3", "maps.plain-v1", "codecs.snappy-v2", "bloom-filters.index-v2"];
    let files: Vec<_> = files::all().into_iter().filter(|file| names.contains(&file.name.as_str())).collect();
    assert_eq!(files.len(), names.len());
    let ways: [(&str, Way); 4] = [("pages", by_pages), ("filter", by_filter), ("copying", by_copying), ("verifying", by_verifying)];
    let mut failed = 0;
    for (what, way) in ways {
        for file in &files {
            for at in 0.. {
                let source = Arc::new(Unsteady::new(Bytes::from(file.bytes()), at, Fault::Fails));
                let outcome = way(&source);
                if !source.happened() {
                    outcome.unwrap_or_else(|error| panic!("{what} of {}: {error}", file.name));
                    break;
                }
                let error = outcome.expect_err(&format!("{what} of {}: read {at} failed, and nobody noticed", file.name));
                assert_eq!(error.kind(), ErrorKind::Io, "{what} of {}: {error}", file.name);
                failed += 1;
            }
        }
    }
    println!("{failed} reads failed and were noticed");
    assert!(failed > 200, "{failed}");
}

#[test]
fn sources_that_fail_once_end_in_an_error_and_read_again() {
    let names = ["row-groups.of-3", "maps.plain-v1", "codecs.snappy-v2", "zero-rows.v1", "bloom-filters.index-v2"];
    let files: Vec<_> = files::all().into_iter().filter(|file| names.contains(&file.name.as_str())).collect();
    assert!(files.len() >= 4, "{} of the files are there", files.len());
    let (mut failed, mut same) = (0, 0);
    for file in &files {
        let (bytes, name) = (Bytes::from(file.bytes()), &file.name);
        let whole = read_all(&ParquetFile::from_bytes(bytes.clone()).expect("a file"), 1).expect("a readable file");
        for fault in [Fault::Fails, Fault::Short, Fault::Long, Fault::Nothing, Fault::OtherBytes] {
            for threads in [1, 2] {
                for at in (0..20).chain((20..).step_by(STRIDE)) {
                    let source = Arc::new(Unsteady::new(bytes.clone(), at, fault));
                    let outcome = ParquetFile::from_source(Arc::clone(&source)).and_then(|file| {
                        let first = read_all(&file, threads);
                        // Whatever came of it, the file reads when the source is well.
                        if source.happened() {
                            assert!(read_all(&file, threads).expect("a source that is well again") == whole, "{name}: {fault:?} at {at}");
                        }
                        first
                    });
                    match outcome {
                        Ok(batch) if !source.happened() => {
                            assert!(batch == whole);
                            break;
                        }
                        // Other bytes of the same length may be other values; everything else is noticed.
                        Ok(batch) => {
                            assert!(fault == Fault::OtherBytes || batch == whole, "{}: {fault:?} at {at} gives other values", file.name);
                            assert!(
                                fault != Fault::Fails && fault != Fault::Short && fault != Fault::Nothing,
                                "{}: {fault:?} at {at}",
                                file.name
                            );
                            same += 1;
                        }
                        Err(error) => {
                            assert!(fault != Fault::Fails || error.kind() == ErrorKind::Io, "{}: {error}", file.name);
                            failed += 1;
                        }
                    }
                }
            }
        }
    }
    println!("{failed} faults of sources ended in an error, {same} did no harm");
    assert!(failed > 300, "{failed}");
}

#[test]
fn sources_of_wrong_or_changing_sizes_are_refused() {
    let bytes = Bytes::from(files::all().into_iter().find(|file| file.name == "row-groups.of-3").expect("the file").bytes());
    let size = bytes.len() as u64;
    for claimed in [0, 1, 7, 8, 11, 12, 100, size - 1, size + 1, 2 * size, u64::from(u32::MAX), i64::MAX as u64, u64::MAX] {
        let mut source = Unsteady::new(bytes.clone(), usize::MAX, Fault::Fails);
        source.sizes = [claimed; 2];
        let error = ParquetFile::from_source(source).map(drop).expect_err("a file of another size");
        assert!(!error.to_string().is_empty());
        // The size is asked for once, so what it says later does not matter.
        let mut source = Unsteady::new(bytes.clone(), usize::MAX, Fault::Fails);
        source.sizes = [size, claimed];
        let file = ParquetFile::from_source(source).expect("a file");
        assert_eq!(read_all(&file, 1).expect("rows").num_rows() as u64, file.metadata().num_rows());
    }
}

#[test]
fn files_that_shrink_while_they_are_read_end_in_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shrinks.parquet");
    let bytes = files::all().into_iter().find(|file| file.name == "row-groups.of-3").expect("the file").bytes();
    std::fs::write(&path, &bytes).expect("written");
    let file = ParquetFile::open(&path).expect("a file");
    std::fs::OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(20)).expect("cut short");
    let error = read_all(&file, 1).expect_err("a file that is no longer there");
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.place().file.is_some(), "{error}");
}

/// A sink that fails at one write or flush, or after so many bytes, and interrupts as often as it likes.
struct Failing {
    bytes: Vec<u8>,
    calls: usize,
    at: usize,
    room: usize,
    interrupts: bool,
    /// Whether the last call was interrupted.
    interrupted: bool,
}

impl Failing {
    fn new() -> Self {
        Self { bytes: Vec::new(), calls: 0, at: usize::MAX, room: usize::MAX, interrupts: false, interrupted: false }
    }

    fn call(&mut self) -> io::Result<()> {
        self.calls += 1;
        match self.calls - 1 == self.at {
            true => Err(io::Error::other("the disk is gone")),
            false => Ok(()),
        }
    }
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.interrupted = self.interrupts && !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.interrupts && self.bytes.len() % 3 == 1 {
            self.bytes.push(bytes[0]);
            return Ok(1);
        }
        self.call()?;
        let fits = bytes.len().min(self.room - self.bytes.len());
        if fits == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(&bytes[..fits]);
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call()
    }
}

fn batch(rows: i64) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, false), Field::new("text", DataType::Utf8, true)]);
    let mut random = Random(77);
    let numbers = Int64Array::from_iter_values((0..rows).map(|_| random.below(1 << 40) as i64));
    let texts = StringArray::from_iter((0..rows).map(|row| (row % 7 != 0).then(|| format!("herring {row}"))));
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(numbers) as ArrayRef, Arc::new(texts)]).expect("a batch")
}

fn options() -> WriterOptions {
    WriterOptions::builder().row_group_rows(400).build().expect("options")
}

/// Writes to a sink and says whether that went well; after an error the writer has to refuse.
fn write(sink: &mut Failing, batch: &RecordBatch, schema: &SchemaRef) -> Result<()> {
    let mut writer = ArrowWriter::try_new(sink, Arc::clone(schema), options())?;
    for start in (0..batch.num_rows()).step_by(300) {
        if let Err(error) = writer.write(&batch.slice(start, 300.min(batch.num_rows() - start))) {
            let again = writer.write(batch).expect_err("a writer after its error");
            assert_eq!(again.kind(), ErrorKind::Usage, "{again}");
            assert!(writer.close().is_err(), "a writer is closed after its error");
            return Err(error);
        }
    }
    writer.close().map(drop)
}

#[test]
fn sinks_that_fail_end_in_an_error_at_every_call() {
    let batch = batch(2000);
    let schema = batch.schema();
    let mut whole = Failing::new();
    write(&mut whole, &batch, &schema).expect("a healthy sink");
    for at in 0..whole.calls {
        let mut sink = Failing { at, ..Failing::new() };
        let error = write(&mut sink, &batch, &schema).expect_err("a sink that fails");
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        // The last call is the flush of a file that is complete.
        let complete = sink.bytes == whole.bytes;
        assert_eq!(complete, at + 1 == whole.calls, "call {at}");
        assert!(complete || ParquetFile::from_bytes(sink.bytes).is_err(), "a file whose writing failed at call {at} reads");
    }
    let mut rooms = 0;
    for room in (0..whole.bytes.len()).step_by(97).chain([whole.bytes.len() - 1]) {
        let mut sink = Failing { room, ..Failing::new() };
        let error = write(&mut sink, &batch, &schema).expect_err("a sink that is full");
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        assert!(ParquetFile::from_bytes(sink.bytes).is_err(), "a file that was cut at {room} reads");
        rooms += 1;
    }
    let mut sink = Failing { interrupts: true, ..Failing::new() };
    write(&mut sink, &batch, &schema).expect("short writes and interruptions are none of an error");
    assert!(sink.bytes == whole.bytes, "short writes and interruptions make another file");
    println!("{} failing calls and {rooms} full sinks", whole.calls);
}

/// A name's folder after something failed: nothing is in it.
fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).expect("a folder").next().is_none()
}

#[test]
fn writers_that_are_dropped_leave_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("never.parquet");
    let batch = batch(2000);
    let mut writer = ArrowWriter::create(&path, batch.schema(), options(), SinkOptions::default()).expect("a file");
    writer.write(&batch).expect("written");
    assert!(!path.exists(), "the name is there before the file is complete");
    drop(writer);
    assert!(is_empty(folder.path()), "something is left");
}

/// HERRINGBONE_FULL_DISK names a folder on a file system of 64 KiB.
#[test]
#[ignore = "needs HERRINGBONE_FULL_DISK"]
fn corpora_full_disks_end_in_an_error() {
    let Some(folder) = std::env::var_os("HERRINGBONE_FULL_DISK") else {
        println!("no small file system: HERRINGBONE_FULL_DISK is not set");
        return;
    };
    let path = Path::new(&folder).join("too-large.parquet");
    let batch = batch(40_000);
    let written = ArrowWriter::create(&path, batch.schema(), options(), SinkOptions::default()).and_then(|mut writer| {
        writer.write(&batch)?;
        writer.close()
    });
    let error = written.expect_err("a file larger than the disk");
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(is_empty(Path::new(&folder)), "something is left on the full disk");
    println!("a full disk: {error}");
}
