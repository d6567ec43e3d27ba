//! What a scan reads, and the iterator of its batches.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, SchemaRef};

use crate::arrow::columns::Projection;
use crate::arrow::file::ParquetFile;
use crate::arrow::lanes::{Lane, run_inline};
use crate::arrow::mapping::{key_values, map_schema};
use crate::arrow::plan::{Group, Plan};
use crate::arrow::types::{IntervalType, MapOptions, Overflow, Strings};
use crate::error::{Error, Result};
use crate::schema::TimeUnit;

/// Says what of a file is read, and how; made by [`ParquetFile::scan`].
///
/// Without further calls everything is read, on all cores, in batches of at most 65,536 rows. Nothing is checked before
/// [`build`](Self::build), which does all of it.
///
/// ```
/// use arrow_array::cast::AsArray;
/// use arrow_array::types::Int64Type;
/// use herringbone::arrow::{ParquetFile, Strings};
///
/// # fn main() -> herringbone::Result<()> {
/// let file = ParquetFile::open("testdata/codecs.none-v1.parquet")?;
/// let scan = file
///     .scan()
///     .columns(["list.list.element", "word"])
///     .rows([10..20, 140..150])
///     .offset(5)
///     .strings(Strings::Utf8View)
///     .row_number("row")
///     .threads(1)
///     .build()?;
/// assert_eq!(scan.num_rows(), 15);
/// let names: Vec<_> = scan.schema().fields().iter().map(|field| field.name().clone()).collect();
/// assert_eq!(names, ["list", "word", "row"]);
///
/// let batches = scan.read_all()?;
/// assert_eq!(batches[0].column(2).as_primitive::<Int64Type>().value(0), 15);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a scan does nothing until it is built"]
pub struct ScanBuilder {
    file: ParquetFile,
    columns: Option<Vec<String>>,
    row_groups: Option<Vec<usize>>,
    ranges: Option<Vec<Range<u64>>>,
    offset: u64,
    limit: Option<u64>,
    batch_rows: usize,
    options: MapOptions,
    verify_crc: bool,
    row_number: Option<String>,
    threads: Threads,
}

/// Where columns are decoded.
#[derive(Clone)]
pub(crate) enum Threads {
    /// On the thread that takes the batches.
    Caller,
    /// On rayon's global pool.
    #[cfg(feature = "rayon")]
    Global,
    /// On a pool of so many threads that the scan makes.
    #[cfg(feature = "rayon")]
    Own(usize),
    /// On the caller's pool.
    #[cfg(feature = "rayon")]
    Pool(Arc<rayon::ThreadPool>),
}

impl ScanBuilder {
    pub(crate) fn new(file: ParquetFile) -> Self {
        Self {
            file,
            columns: None,
            row_groups: None,
            ranges: None,
            offset: 0,
            limit: None,
            batch_rows: 65_536,
            options: MapOptions::default(),
            verify_crc: false,
            row_number: None,
            #[cfg(feature = "rayon")]
            threads: Threads::Global,
            #[cfg(not(feature = "rayon"))]
            threads: Threads::Caller,
        }
    }

    /// Reads these columns only, in this order: names of fields, or dotted paths to any depth, which read everything below.
    /// The groups that only make lists and maps may be left out of a path: `a.b` is `a.list.element.b`.
    ///
    /// Names are looked up as written, capitals included. Of several paths into one field, the first decides where that field
    /// stands; its parts keep the order of the file. Without this call all columns are read, in the order of the file.
    pub fn columns<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.columns = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Reads these row groups only, in this order, by their indices in the file.
    pub fn row_groups(mut self, indices: impl IntoIterator<Item = usize>) -> Self {
        self.row_groups = Some(indices.into_iter().collect());
        self
    }

    /// Reads these rows only, counted from the start of the file; ranges must ascend and not overlap.
    pub fn rows(mut self, ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        self.ranges = Some(ranges.into_iter().collect());
        self
    }

    /// Passes over so many of the rows that are selected otherwise: pages that lie before them are not decompressed.
    pub fn offset(mut self, rows: u64) -> Self {
        self.offset = rows;
        self
    }

    /// Ends after so many rows, counted after [`offset`](Self::offset).
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    /// How many rows a batch has at the most; 65,536 without this call. Batches end with their row group, and before they
    /// grow beyond [`Limits::batch_bytes`](crate::Limits::batch_bytes).
    pub fn batch_rows(mut self, rows: usize) -> Self {
        self.batch_rows = rows;
        self
    }

    /// How columns of text and bytes come out; without this call as the stored Arrow schema says, else as `Utf8` and `Binary`.
    pub fn strings(mut self, strings: Strings) -> Self {
        self.options.strings = strings;
        self
    }

    /// Whether an Arrow schema that the file's writer stored (`ARROW:schema`) restores Arrow types and metadata; it does without
    /// this call. What in it does not fit the file is passed over.
    pub fn use_stored_schema(mut self, yes: bool) -> Self {
        self.options.use_stored_schema = yes;
        self
    }

    /// The unit of timestamps stored as INT96; nanoseconds without this call.
    pub fn int96_unit(mut self, unit: TimeUnit) -> Self {
        self.options.int96_unit = unit;
        self
    }

    /// What becomes of INT96 timestamps that the unit cannot hold; an error without this call.
    pub fn int96_overflow(mut self, overflow: Overflow) -> Self {
        self.options.int96_overflow = overflow;
        self
    }

    /// How INTERVAL columns come out; as 12 bytes without this call, unless the stored Arrow schema says otherwise.
    pub fn intervals(mut self, intervals: IntervalType) -> Self {
        self.options.intervals = intervals;
        self
    }

    /// Whether pages' checksums (CRC-32) are compared, where they have one; they are not without this call. A page that differs
    /// is a `Malformed` error.
    pub fn verify_crc(mut self, yes: bool) -> Self {
        self.verify_crc = yes;
        self
    }

    /// Adds a last column of this name with the number of each row in the file, as `Int64` from 0: rows that are passed over
    /// count.
    pub fn row_number(mut self, name: impl Into<String>) -> Self {
        self.row_number = Some(name.into());
        self
    }

    /// Decodes on so many threads; with 1 on the thread that takes the batches, and with 0 (or without this call) on rayon's
    /// global pool. Without the feature `rayon` it is always the thread that takes the batches.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = match threads {
            1 => Threads::Caller,
            #[cfg(feature = "rayon")]
            0 => Threads::Global,
            #[cfg(feature = "rayon")]
            many => Threads::Own(many),
            #[cfg(not(feature = "rayon"))]
            _ => Threads::Caller,
        };
        self
    }

    /// Decodes on the caller's pool.
    #[cfg(feature = "rayon")]
    pub fn pool(mut self, pool: Arc<rayon::ThreadPool>) -> Self {
        self.threads = Threads::Pool(pool);
        self
    }

    /// Checks everything against the file and gets ready to read.
    ///
    /// # Errors
    /// `Usage` for columns, row groups or rows that the file does not have, and for batches of 0 rows; `Malformed` for column
    /// chunks outside of the file; `Unsupported` for columns whose metadata is encrypted. Broken pages are found when they are
    /// read.
    pub fn build(self) -> Result<Scan> {
        let file = self.file.clone();
        self.checked().map_err(|error| file.place(error))
    }

    fn checked(self) -> Result<Scan> {
        if self.batch_rows == 0 {
            return Err(Error::usage("batches of 0 rows: ask for at least 1"));
        }
        let metadata = &self.file.metadata;
        let schema = metadata.schema();
        let projection = match &self.columns {
            Some(names) => Projection::new(schema, names)?,
            None => Projection::all(schema),
        };
        let (arrow_schema, mapped) = map_schema(schema, key_values(metadata), &|leaf| projection.is_selected(leaf), &self.options)?;
        let items = mapped.into_iter().zip(arrow_schema.fields().iter().cloned());
        let items = items.map(|(mapped, field)| (mapped.first_leaf().unwrap_or(0), (mapped, field))).collect();
        let (mapped, mut fields): (Vec<_>, Vec<_>) = projection.arrange(schema, items).into_iter().unzip();
        if let Some(name) = &self.row_number {
            fields.push(Arc::new(Field::new(name, DataType::Int64, false)));
        }
        let arrow_schema = Arc::new(arrow_schema::Schema::new_with_metadata(fields, arrow_schema.metadata().clone()));
        let groups = groups(metadata, self.row_groups.as_deref(), self.ranges.as_deref(), self.offset, self.limit)?;
        let plan = Plan::new(self.file, mapped, groups, self.batch_rows, self.options.keeps_indices(), self.verify_crc)?;
        Ok(Scan::new(Arc::new(plan), arrow_schema, self.row_number.is_some(), self.threads))
    }
}

/// The rows of each row group that are read.
fn groups(
    metadata: &crate::metadata::FileMetadata,
    indices: Option<&[usize]>,
    ranges: Option<&[Range<u64>]>,
    offset: u64,
    limit: Option<u64>,
) -> Result<Vec<Group>> {
    if let Some(ranges) = ranges {
        check_ranges(ranges, metadata.num_rows())?;
    }
    let mut starts = Vec::with_capacity(metadata.num_row_groups());
    let mut rows = 0;
    for group in metadata.row_groups() {
        starts.push(rows);
        rows += group.num_rows();
    }
    let all: Vec<usize> = (0..metadata.num_row_groups()).collect();
    let (mut offset, mut limit) = (offset, limit.unwrap_or(u64::MAX));
    let mut groups = Vec::new();
    for index in indices.unwrap_or(&all) {
        let (Some(group), Some(start)) = (metadata.row_group(*index), starts.get(*index)) else {
            return Err(Error::usage(format!("there is no row group {index}: the file has {}", metadata.num_row_groups())));
        };
        let whole = *start..start + group.num_rows();
        let mut selected = Vec::new();
        let overlapping = ranges.unwrap_or(std::slice::from_ref(&whole)).iter();
        for range in overlapping.map(|range| range.start.max(whole.start)..range.end.min(whole.end)).filter(|range| range.start < range.end)
        {
            let skipped = offset.min(range.end - range.start);
            offset -= skipped;
            let from = range.start + skipped;
            let taken = limit.min(range.end - from);
            limit -= taken;
            if taken > 0 {
                selected.push(from - start..from - start + taken);
            }
        }
        if !selected.is_empty() {
            groups.push(Group { index: *index, first_row: *start, num_rows: group.num_rows(), ranges: selected });
        }
    }
    Ok(groups)
}

fn check_ranges(ranges: &[Range<u64>], rows: u64) -> Result<()> {
    let mut end = 0;
    for range in ranges {
        if range.start > range.end || range.start < end {
            return Err(Error::usage(format!(
                "row ranges must ascend and not overlap, but {}..{} comes after row {end}",
                range.start, range.end
            )));
        }
        if range.end > rows {
            return Err(Error::usage(format!("the rows {}..{} are asked for of a file of {rows}", range.start, range.end)));
        }
        end = range.end;
    }
    Ok(())
}

/// The batches of a scan, in the order of the file (or of the row groups asked for).
///
/// Batches come one by one, and what is read ahead of them follows [`Limits::memory_bytes`](crate::Limits::memory_bytes) and
/// not the size of the file. Those before a broken page are handed out before its error; after an error the iterator ends.
/// Dropping it stops the work that is under way.
pub struct Scan {
    plan: Arc<Plan>,
    schema: SchemaRef,
    row_number: bool,
    engine: Engine,
    /// Batches of which not all rows were handed out, because a column's byte arrays are too many for one array.
    cut: Option<Cut>,
    next: usize,
    failed: bool,
}

enum Engine {
    Inline(Vec<Lane>),
    #[cfg(feature = "rayon")]
    Parallel(crate::arrow::parallel::Parallel),
}

/// A batch in pieces.
struct Cut {
    columns: Vec<Vec<ArrayRef>>,
    rows: usize,
    numbers: Vec<Range<u64>>,
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan")
            .field("file", &self.plan.file)
            .field("schema", &self.schema)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Scan {
    fn new(plan: Arc<Plan>, schema: SchemaRef, row_number: bool, threads: Threads) -> Self {
        let engine = match threads {
            Threads::Caller => Engine::Inline(Vec::new()),
            #[cfg(feature = "rayon")]
            threads => Engine::Parallel(crate::arrow::parallel::Parallel::new(Arc::clone(&plan), threads)),
        };
        Self { plan, schema, row_number, engine, cut: None, next: 0, failed: false }
    }

    /// The schema of the batches.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The number of rows that the scan gives in all, from its first batch to its last.
    pub fn num_rows(&self) -> u64 {
        self.plan.num_rows()
    }

    /// Reads all batches. They take the memory that they take: a small file may hold very many rows, so bound the rows of files
    /// of strangers by [`limit`](ScanBuilder::limit), or take the batches one by one.
    ///
    /// # Errors
    /// The first error of any batch.
    pub fn read_all(self) -> Result<Vec<RecordBatch>> {
        self.collect()
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.next_piece()? {
                return Ok(Some(batch));
            }
            let Some(spec) = self.plan.batches.get(self.next) else { return Ok(None) };
            let columns = match &mut self.engine {
                Engine::Inline(lanes) => run_inline(&self.plan, lanes, self.next)?,
                #[cfg(feature = "rayon")]
                Engine::Parallel(parallel) => parallel.take(self.next)?,
            };
            let numbers = if self.row_number { self.plan.row_numbers(spec) } else { Vec::new() };
            self.cut = Some(Cut { columns, rows: spec.rows, numbers });
            self.next += 1;
        }
    }

    /// The next batch of rows for which each column has one array.
    fn next_piece(&mut self) -> Result<Option<RecordBatch>> {
        let Some(cut) = &mut self.cut else { return Ok(None) };
        let rows = cut.columns.iter().filter_map(|column| column.first().map(|array| array.len())).min().unwrap_or(cut.rows);
        let mut arrays = Vec::with_capacity(cut.columns.len() + 1);
        for column in &mut cut.columns {
            let Some(first) = column.first_mut() else {
                return Err(Error::malformed("the columns of a row group have different numbers of rows"));
            };
            if first.len() == rows {
                arrays.push(column.remove(0));
            } else {
                arrays.push(first.slice(0, rows));
                *first = first.slice(rows, first.len() - rows);
            }
        }
        if self.row_number {
            arrays.push(Arc::new(Int64Array::from(take_numbers(&mut cut.numbers, rows))));
        }
        cut.rows -= rows;
        if cut.rows == 0 || rows == 0 {
            self.cut = None;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options);
        batch.map(Some).map_err(|error| Error::malformed(format!("the columns do not fit together: {error}")).with_source(error))
    }
}

/// The first `n` numbers of ranges, which are shortened by them.
fn take_numbers(ranges: &mut Vec<Range<u64>>, n: usize) -> Vec<i64> {
    let mut numbers = Vec::with_capacity(n);
    while numbers.len() < n
        && let Some(range) = ranges.first_mut()
    {
        let end = range.end.min(range.start + (n - numbers.len()) as u64);
        numbers.extend((range.start..end).map(u64::cast_signed));
        range.start = end;
        if range.is_empty() {
            ranges.remove(0);
        }
    }
    numbers
}

impl Iterator for Scan {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let batch = self.next_batch().map_err(|error| self.plan.file.place(error)).transpose();
        self.failed = matches!(batch, Some(Err(_)));
        batch
    }
}
