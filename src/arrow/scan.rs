//! What a scan reads, and the iterator of its batches.

#![allow(clippy::arithmetic_side_effects, reason = "rows and batches are counted after the sum of all rows was checked")]

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
#[cfg(feature = "rayon")]
use std::task::Poll;
use std::task::Waker;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, SchemaRef};

use crate::arrow::columns::Projection;
use crate::arrow::file::ParquetFile;
use crate::arrow::filter::engine::{self, Taken, Work};
use crate::arrow::filter::{Filter, Keep, RowFunction, ScanMetrics, bytes_of};
use crate::arrow::lanes::{Lane, run_inline};
use crate::arrow::mapping::{key_values, map_schema};
use crate::arrow::plan::{BATCH_ROWS, Group, Plan};
use crate::arrow::push::PushScan;
use crate::arrow::types::{IntervalType, MapOptions, Mapped, Overflow, Strings};
use crate::error::{Error, Result};
use crate::predicate::{Expr, Verdict};
use crate::read::{Pushed, Source};
use crate::schema::TimeUnit;

/// Says what of a file is read, and how; made by [`ParquetFile::scan`].
///
/// Without further calls everything is read, on all cores, in batches of at most 65,536 rows (see [`batch_rows`](Self::batch_rows)).
/// Nothing is checked before [`build`](Self::build), which does all of it.
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
    pub(crate) file: ParquetFile,
    columns: Option<Vec<String>>,
    row_groups: Option<Vec<usize>>,
    ranges: Option<Vec<Range<u64>>>,
    offset: u64,
    limit: Option<u64>,
    batch_rows: Option<usize>,
    options: MapOptions,
    verify_crc: bool,
    row_number: Option<String>,
    filter: Option<Expr>,
    functions: Vec<(Vec<String>, Keep)>,
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
            batch_rows: None,
            options: MapOptions::default(),
            verify_crc: false,
            row_number: None,
            filter: None,
            functions: Vec::new(),
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

    /// How many rows a batch has at the most. Batches end with their row group, and before they grow beyond
    /// [`Limits::batch_bytes`](crate::Limits::batch_bytes).
    ///
    /// Without this call they have at most 65,536 rows, and where they are taken one by one and no filter looks at rows, fewer: about as
    /// many as make arrays of 512 KiB, but not below 2,048. They take less memory and less time so, since they stay in the cache.
    pub fn batch_rows(mut self, rows: usize) -> Self {
        self.batch_rows = Some(rows);
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
    /// count. A column of that name stays beside it.
    pub fn row_number(mut self, name: impl Into<String>) -> Self {
        self.row_number = Some(name.into());
        self
    }

    /// Reads the rows only for which an expression is true; of several, all have to be.
    ///
    /// The expression's columns need not be among those that are read. Whatever statistics, bloom filters, dictionary pages and page
    /// indexes exclude is not read; of the rest, the expression's columns are decoded first and the others for the rows that are
    /// left. [`rows`](Self::rows) and [`row_groups`](Self::row_groups) choose rows before the filter, [`offset`](Self::offset) and
    /// [`limit`](Self::limit) count rows behind it.
    ///
    /// ```
    /// use herringbone::arrow::ParquetFile;
    /// use herringbone::predicate::col;
    ///
    /// # fn main() -> herringbone::Result<()> {
    /// let file = ParquetFile::open("testdata/codecs.none-v1.parquet")?;
    /// let scan = file.scan().filter(col("word").is_not_null().and(col("price").gt(100))).columns(["price"]).build()?;
    /// let rows: usize = scan.read_all()?.iter().map(|batch| batch.num_rows()).sum();
    /// assert!(rows < 150);
    /// # Ok(())
    /// # }
    /// ```
    pub fn filter(mut self, filter: Expr) -> Self {
        self.filter = Some(match self.filter.take() {
            Some(before) => before.and(filter),
            None => filter,
        });
        self
    }

    /// Reads the rows only for which a function says `true`: it is called with batches of these columns (in this order, named as for
    /// [`columns`](Self::columns)) and returns a boolean for each row, where null counts as false. It sees only rows that
    /// [`filter`](Self::filter) and the functions before it leave, and may be called on several threads at once.
    pub fn filter_rows<S: Into<String>>(
        mut self,
        columns: impl IntoIterator<Item = S>,
        keep: impl Fn(&RecordBatch) -> Result<BooleanArray, Box<dyn std::error::Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.functions.push((columns.into_iter().map(Into::into).collect(), Arc::new(keep)));
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

    /// Checks what is asked for against the file and gets ready to read.
    ///
    /// # Errors
    /// `Usage` for columns, row groups or rows that the file does not have, and for batches of 0 rows; `Malformed` where
    /// [rows are in other files](crate::metadata::FileMetadata::check_has_data). What is wrong with a column chunk is found at the latest when it is read, and
    /// not here where its metadata need not be looked at: chunks outside of the file (`Malformed`), encrypted metadata (`Unsupported`), broken pages, and
    /// chunks whose pages are in another file.
    pub fn build(self) -> Result<Scan> {
        let (file, filter) = (self.file.clone(), self.filter.as_ref().map(Expr::to_string));
        let scan = self.checked().map_err(|error| file.place(error))?;
        Ok(Scan { filter, ..scan })
    }

    /// As [`build`](Self::build), for callers who do the reading themselves: bytes are pushed into what it returns. Of the file
    /// only the metadata are used.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    pub fn push(mut self) -> Result<PushScan> {
        let pushed = Arc::new(Pushed::new(self.file.metadata.file_size()));
        if let Some((start, bytes)) = self.file.origin.end.clone() {
            pushed.push(start, bytes);
        }
        self.file.source = Arc::clone(&pushed) as Arc<dyn Source>;
        self.file.origin.pushed = Some(Arc::clone(&pushed));
        let fetch = self.file.origin.fetch.clone();
        Ok(PushScan::new(self.build()?, pushed, fetch))
    }

    fn checked(self) -> Result<Scan> {
        #[cfg(feature = "async")]
        if self.file.origin.remote.is_some() && self.file.origin.pushed.is_none() {
            return Err(Error::usage("the file was opened asynchronously: make its scans with ScanBuilder::stream instead of build"));
        }
        self.file.metadata.check_has_data()?;
        if self.batch_rows == Some(0) {
            return Err(Error::usage("batches of 0 rows: ask for at least 1"));
        }
        let (mapped, arrow_schema) = self.mapped(self.columns.as_deref())?;
        let mut fields: Vec<_> = arrow_schema.fields().iter().cloned().collect();
        if let Some(name) = &self.row_number {
            fields.push(Arc::new(Field::new(name, DataType::Int64, false)));
        }
        let arrow_schema = Arc::new(arrow_schema::Schema::new_with_metadata(fields, arrow_schema.metadata().clone()));
        if self.filter.is_some() || !self.functions.is_empty() {
            return self.filtered(mapped, arrow_schema);
        }
        let groups = self.groups(self.row_groups.as_deref(), self.offset, self.limit)?;
        let plan = self.plan(mapped, groups)?;
        let (mut metrics, asked) = asked_for(&plan, plan.leaves.concat());
        metrics.rows_decided = metrics.rows;
        metrics.rows_passed = metrics.rows;
        if is_sparse(&plan) {
            // Few rows of many: pages are found by their index, as those that a filter leaves.
            metrics.rows_passed = 0;
            metrics.rows_decided = 0;
            let predicate = Expr::constant(true).bind(self.file.metadata.schema())?;
            let verdicts = vec![Vec::new(); plan.groups.len()];
            let filter = Filter { predicate, verdicts, functions: Vec::new(), metrics: Mutex::new(metrics), looked_at: AtomicU64::new(0) };
            let batch_rows = self.batch_rows.unwrap_or(BATCH_ROWS);
            let work = Work { plan: Arc::new(plan), filter: Arc::new(filter), batch_rows, numbers: self.row_number.is_some() };
            return Ok(Scan::filtered(work, arrow_schema, asked, true, 0, None, self.threads));
        }
        let plan = Arc::new(plan.in_batches(self.batch_rows)?);
        Ok(Scan::new(plan, arrow_schema, self.row_number.is_some(), metrics, asked, self.threads))
    }

    /// Columns as fields, and their schema.
    fn mapped(&self, columns: Option<&[String]>) -> Result<(Vec<Mapped>, arrow_schema::Schema)> {
        let metadata = &self.file.metadata;
        let schema = metadata.schema();
        let projection = match columns {
            Some(names) => Projection::new(schema, names)?,
            None => Projection::all(schema),
        };
        let (arrow_schema, mapped) = map_schema(schema, key_values(metadata), &|leaf| projection.is_selected(leaf), &self.options)?;
        let items = mapped.into_iter().zip(arrow_schema.fields().iter().cloned());
        let items = items.map(|(mapped, field)| (mapped.first_leaf().unwrap_or(0), (mapped, field))).collect();
        let (mapped, fields): (Vec<_>, Vec<_>) = projection.arrange(schema, items).into_iter().unzip();
        Ok((mapped, arrow_schema::Schema::new_with_metadata(fields, arrow_schema.metadata().clone())))
    }

    fn groups(&self, row_groups: Option<&[usize]>, offset: u64, limit: Option<u64>) -> Result<Vec<Group>> {
        groups(&self.file.metadata, row_groups, self.ranges.as_deref(), offset, limit)
    }

    fn plan(&self, fields: Vec<Mapped>, groups: Vec<Group>) -> Result<Plan> {
        Plan::new(self.file.clone(), fields, groups, self.options.keeps_indices(), self.verify_crc)
    }

    /// A scan with a filter: what statistics decide is decided here.
    fn filtered(self, mapped: Vec<Mapped>, arrow_schema: SchemaRef) -> Result<Scan> {
        let metadata = &self.file.metadata;
        let filter = self.filter.clone().unwrap_or_else(|| Expr::constant(true));
        let predicate = filter.bind(metadata.schema())?;
        let mut functions = Vec::with_capacity(self.functions.len());
        for (columns, keep) in &self.functions {
            let (fields, schema) = self.mapped(Some(columns))?;
            functions.push(RowFunction { plan: self.plan(fields, Vec::new())?, schema: Arc::new(schema), keep: Arc::clone(keep) });
        }
        let mut plan = self.plan(mapped, self.groups(self.row_groups.as_deref(), 0, None)?)?;
        let mut filter = Filter { predicate, verdicts: Vec::new(), functions, metrics: Mutex::default(), looked_at: AtomicU64::new(0) };
        let (mut metrics, mut asked) = asked_for(&plan, filter.leaves(&plan));
        let (mut kept, mut all_decided) = (Vec::new(), filter.functions.is_empty());
        for group in std::mem::take(&mut plan.groups) {
            let Some(row_group) = metadata.row_group(group.index) else { continue };
            let verdicts = filter.predicate.by_statistics(&row_group);
            match filter.predicate.formula.verdict(&verdicts) {
                Verdict::None => {
                    metrics.row_groups_by_statistics += 1;
                    metrics.rows_by_statistics += group.rows();
                    asked.excluded.push(group.index);
                    continue;
                }
                Verdict::Some => all_decided = false,
                Verdict::All => {}
            }
            kept.push(group);
            filter.verdicts.push(verdicts);
        }
        if all_decided {
            let indices: Vec<usize> = kept.iter().map(|group| group.index).collect();
            metrics.row_groups_decided = kept.len() as u64;
            metrics.rows_decided = rows_of(&kept);
            metrics.rows_passed = metrics.rows_decided;
            plan.groups = self.groups(Some(&indices), self.offset, self.limit)?;
            let plan = Arc::new(plan.in_batches(self.batch_rows)?);
            return Ok(Scan::new(plan, arrow_schema, self.row_number.is_some(), metrics, asked, self.threads));
        }
        plan.groups = kept;
        for function in &mut filter.functions {
            function.plan.groups.clone_from(&plan.groups);
            function.plan.counters = Arc::clone(&plan.counters);
            function.plan.file.source = Arc::clone(&plan.file.source);
        }
        filter.metrics = Mutex::new(metrics);
        let (plan, filter) = (Arc::new(plan), Arc::new(filter));
        let batch_rows = self.batch_rows.unwrap_or(BATCH_ROWS);
        let work = Work { plan: Arc::clone(&plan), filter, batch_rows, numbers: self.row_number.is_some() };
        Ok(Scan::filtered(work, arrow_schema, asked, false, self.offset, self.limit, self.threads))
    }
}

/// Whether so few rows of the row groups are asked for that it pays to look up in the offset indexes which pages hold them.
fn is_sparse(plan: &Plan) -> bool {
    let metadata = &plan.file.metadata;
    let asked: u64 = plan.groups.iter().map(Group::rows).fold(0, u64::saturating_add);
    let all: u64 = plan.groups.iter().map(|group| group.num_rows).fold(0, u64::saturating_add);
    let has_index = |leaf: usize| {
        let first = plan.groups.first().and_then(|group| metadata.row_group(group.index));
        first.and_then(|group| group.chunk(leaf).ok()).is_some_and(|chunk| chunk.offset_index.is_some())
    };
    asked > 0 && asked.saturating_mul(8) <= all && plan.leaves.iter().flatten().next().is_some_and(|leaf| has_index(*leaf))
}

fn rows_of(groups: &[Group]) -> u64 {
    groups.iter().map(Group::rows).fold(0, u64::saturating_add)
}

/// What a scan is asked for; the bytes are for later.
fn asked_for(plan: &Plan, leaves: Vec<usize>) -> (ScanMetrics, Asked) {
    let row_groups: Vec<usize> = plan.groups.iter().map(|group| group.index).collect();
    let rows = rows_of(&plan.groups);
    let metrics = ScanMetrics { row_groups: row_groups.len() as u64, rows, ..ScanMetrics::default() };
    (metrics, Asked { row_groups, excluded: Vec::new(), leaves, bytes: OnceLock::new() })
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
        rows = group.num_rows().saturating_add(rows);
    }
    let all: Vec<usize> = (0..metadata.num_row_groups()).collect();
    let (mut offset, mut limit) = (offset, limit.unwrap_or(u64::MAX));
    let mut groups = Vec::new();
    for index in indices.unwrap_or(&all) {
        let (Some(group), Some(start)) = (metadata.row_group(*index), starts.get(*index)) else {
            return Err(Error::usage(format!("there is no row group {index}: the file has {}", metadata.num_row_groups())));
        };
        let whole = *start..start.saturating_add(group.num_rows());
        let mut selected = Vec::new();
        let ranges = ranges.unwrap_or(std::slice::from_ref(&whole));
        let first = ranges.partition_point(|range| range.end <= whole.start);
        let overlapping = ranges.iter().skip(first).take_while(|range| range.start < whole.end);
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
    pub(crate) plan: Arc<Plan>,
    schema: SchemaRef,
    row_number: bool,
    engine: Engine,
    metrics: Metrics,
    asked: Asked,
    /// The number of rows, or the most that it can be.
    most: u64,
    /// The expression that rows have to fulfil, as text.
    filter: Option<String>,
    /// Rows that are still to be passed over, and handed out, behind a filter.
    offset: u64,
    limit: u64,
    /// Batches of which not all rows were handed out, because a column's byte arrays are too many for one array.
    cut: Option<Cut>,
    /// The batch that comes next.
    next: usize,
    failed: bool,
}

/// The chunks that a scan is asked for. Their bytes are summed up when somebody wants to know: of 4,000 columns in 20 row groups that is a
/// thirtieth of the time that reading them takes, and of a look-up more.
struct Asked {
    row_groups: Vec<usize>,
    /// Those that statistics excluded.
    excluded: Vec<usize>,
    leaves: Vec<usize>,
    /// The bytes of all, and of the excluded.
    bytes: OnceLock<(u64, u64)>,
}

impl Asked {
    fn bytes(&self, plan: &Plan) -> (u64, u64) {
        let of = |groups: &[usize]| groups.iter().map(|group| bytes_of(plan, *group, &self.leaves)).fold(0, u64::saturating_add);
        *self.bytes.get_or_init(|| (of(&self.row_groups), of(&self.excluded)))
    }
}

/// What was counted before the scan began, or by its filter.
enum Metrics {
    Known(ScanMetrics),
    Of {
        filter: Arc<Filter>,
        /// Whether all rows that were asked for pass.
        exact: bool,
    },
}

enum Engine {
    /// Before the first batch is asked for: until then all may be asked for at once.
    Idle(Threads),
    Inline(Vec<Lane>),
    Filtered(Box<engine::Inline>),
    #[cfg(feature = "rayon")]
    FilteredParallel(Box<engine::Parallel>),
    #[cfg(feature = "rayon")]
    Parallel(crate::arrow::parallel::Parallel),
}

/// How far a scan got.
pub(crate) enum Progress {
    Batch(RecordBatch),
    /// The pool is at work.
    #[cfg_attr(not(feature = "rayon"), allow(dead_code))]
    Pending,
    End,
}

/// A batch in pieces.
struct Cut {
    columns: Vec<Vec<ArrayRef>>,
    rows: usize,
    numbers: VecDeque<Range<u64>>,
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
    fn new(plan: Arc<Plan>, schema: SchemaRef, row_number: bool, metrics: ScanMetrics, asked: Asked, threads: Threads) -> Self {
        let engine = Engine::Idle(threads);
        let (metrics, most) = (Metrics::Known(metrics), plan.num_rows());
        Self {
            plan,
            schema,
            row_number,
            engine,
            metrics,
            asked,
            most,
            filter: None,
            offset: 0,
            limit: u64::MAX,
            cut: None,
            next: 0,
            failed: false,
        }
    }

    fn filtered(work: Work, schema: SchemaRef, asked: Asked, exact: bool, offset: u64, limit: Option<u64>, threads: Threads) -> Self {
        let (plan, row_number) = (Arc::clone(&work.plan), work.numbers);
        let metrics = Metrics::Of { filter: Arc::clone(&work.filter), exact };
        let engine = match threads {
            Threads::Caller => Engine::Filtered(Box::new(engine::Inline::new(work))),
            #[cfg(feature = "rayon")]
            threads => Engine::FilteredParallel(Box::new(engine::Parallel::new(work, threads))),
        };
        let limit = limit.unwrap_or(u64::MAX);
        let most = plan.groups.iter().map(Group::rows).sum::<u64>().saturating_sub(offset).min(limit);
        Self { plan, schema, row_number, engine, metrics, asked, most, filter: None, offset, limit, cut: None, next: 0, failed: false }
    }

    /// What was read and what was passed over, so far: all of it, when the last batch was taken.
    pub fn metrics(&self) -> ScanMetrics {
        let mut metrics = match &self.metrics {
            Metrics::Known(metrics) => metrics.clone(),
            Metrics::Of { filter, .. } => filter.metrics.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        };
        (metrics.bytes, metrics.bytes_by_statistics) = self.asked.bytes(&self.plan);
        metrics.pages_decoded = self.plan.counters.pages();
        (metrics.reads, metrics.bytes_fetched) = self.plan.counters.fetched();
        metrics
    }

    /// The filter and what was done for it so far, as lines of text for people.
    pub fn explain(&self) -> String {
        let mut text = String::new();
        if let Some(filter) = &self.filter {
            text.push_str(&format!("filter: {filter}\n"));
        }
        if let Metrics::Of { filter, .. } = &self.metrics {
            let schema = self.plan.file.metadata.schema();
            let path = |leaf: usize| schema.leaves().get(leaf).map_or("", |leaf| leaf.path.dotted());
            for (group, described) in self.plan.groups.iter().enumerate().take(1) {
                let order = filter.order(&self.plan, group);
                let names: Vec<String> =
                    order.iter().map(|leaves| leaves.iter().map(|leaf| path(*leaf)).collect::<Vec<_>>().join(" with ")).collect();
                if !names.is_empty() {
                    text.push_str(&format!("looked at first, in row group {}: {}\n", described.index, names.join(", then ")));
                }
            }
        }
        text.push_str(&self.metrics().to_string());
        text
    }

    /// The row groups that are at work, by their places in the plan.
    pub(crate) fn groups(&self) -> Range<usize> {
        let all = self.plan.groups.len();
        let current = match &self.engine {
            Engine::Filtered(engine) => engine.groups(),
            #[cfg(feature = "rayon")]
            Engine::FilteredParallel(engine) => engine.groups(),
            _ => {
                let current = self.plan.batches.get(self.next).map_or(all, |batch| batch.group);
                current..current.saturating_add(1)
            }
        };
        current.start.min(all)..current.end.min(all)
    }

    /// The bytes that are known to be needed for later batches than the next, where a filter looks for them.
    pub(crate) fn missing_ahead(&self) -> Vec<Range<u64>> {
        match &self.engine {
            #[cfg(feature = "rayon")]
            Engine::FilteredParallel(engine) => engine.missing_ahead(),
            _ => Vec::new(),
        }
    }

    /// The filter, if rows have to be looked at.
    pub(crate) fn looks_at(&self) -> Option<&Filter> {
        match &self.metrics {
            Metrics::Known(_) => None,
            Metrics::Of { filter, .. } => Some(filter),
        }
    }

    /// The schema of the batches.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The number of rows that the scan gives in all, from its first batch to its last. With a filter about which statistics do not
    /// decide, it gives as many at the most; [`is_exact`](Self::is_exact) says.
    pub fn num_rows(&self) -> u64 {
        self.most
    }

    /// Whether [`num_rows`](Self::num_rows) is known without reading: so it is without a filter, and with one about which statistics
    /// decide.
    pub fn is_exact(&self) -> bool {
        matches!(self.metrics, Metrics::Known(_) | Metrics::Of { exact: true, .. })
    }

    /// Reads all batches. They take the memory that they take: a small file may hold very many rows, so bound the rows of files
    /// of strangers by [`limit`](ScanBuilder::limit), or take the batches one by one.
    ///
    /// # Errors
    /// The first error of any batch.
    pub fn read_all(mut self) -> Result<Vec<RecordBatch>> {
        if matches!(self.engine, Engine::Idle(_)) {
            self.plan = match Arc::try_unwrap(self.plan) {
                Ok(plan) => Arc::new(plan.whole()?),
                Err(shared) => shared,
            };
            self.begin();
        }
        #[cfg(feature = "rayon")]
        if let Engine::Parallel(parallel) = &mut self.engine {
            parallel.take_many();
        }
        self.collect()
    }

    /// Makes what reads the batches.
    fn begin(&mut self) {
        let Engine::Idle(threads) = &self.engine else { return };
        self.engine = match threads.clone() {
            Threads::Caller => Engine::Inline(Vec::new()),
            #[cfg(feature = "rayon")]
            threads => Engine::Parallel(crate::arrow::parallel::Parallel::new(Arc::clone(&self.plan), threads)),
        };
    }

    /// The next batch; none at the end. With a waker it does not wait for the pool: [`Progress::Pending`] says that the waker will
    /// be woken. In a file whose bytes are pushed, some may be [`Missing`](crate::read::Missing); then it can be called again.
    pub(crate) fn advance(&mut self, waker: Option<&Waker>) -> Result<Progress> {
        self.begin();
        loop {
            if let Some(batch) = self.next_piece()? {
                match self.within_limits(batch) {
                    Some(batch) => return Ok(Progress::Batch(batch)),
                    None => continue,
                }
            }
            if self.limit == 0 {
                return Ok(Progress::End);
            }
            let taken = match (&mut self.engine, waker) {
                (Engine::Filtered(engine), _) => Some(engine.take()?),
                #[cfg(feature = "rayon")]
                (Engine::FilteredParallel(engine), None) => Some(engine.take()?),
                #[cfg(feature = "rayon")]
                (Engine::FilteredParallel(engine), waker) => match engine.poll(waker)? {
                    Poll::Ready(taken) => Some(taken),
                    Poll::Pending => return Ok(Progress::Pending),
                },
                _ => None,
            };
            if let Some(taken) = taken {
                let Some(Taken { columns, rows, numbers }) = taken else { return Ok(Progress::End) };
                self.cut = Some(Cut { columns, rows, numbers });
                continue;
            }
            let Some(spec) = self.plan.batches.get(self.next) else { return Ok(Progress::End) };
            let columns = match (&mut self.engine, waker) {
                (Engine::Inline(lanes), _) => run_inline(&self.plan, lanes, self.next)?,
                #[cfg(feature = "rayon")]
                (Engine::Parallel(parallel), None) => parallel.take(self.next)?,
                #[cfg(feature = "rayon")]
                (Engine::Parallel(parallel), waker) => match parallel.poll(self.next, waker)? {
                    Some(columns) => columns,
                    None => return Ok(Progress::Pending),
                },
                // What these give was taken above.
                _ => Vec::new(),
            };
            let numbers = if self.row_number { self.plan.row_numbers(spec).into() } else { VecDeque::new() };
            self.cut = Some(Cut { columns, rows: spec.rows, numbers });
            self.next += 1;
        }
    }

    /// What of a batch lies behind the offset and before the limit, where these count rows behind a filter.
    fn within_limits(&mut self, batch: RecordBatch) -> Option<RecordBatch> {
        let rows = batch.num_rows();
        let skipped = usize::try_from(self.offset).unwrap_or(usize::MAX).min(rows);
        self.offset -= skipped as u64;
        let taken = usize::try_from(self.limit).unwrap_or(usize::MAX).min(rows - skipped);
        if self.limit < u64::MAX {
            self.limit -= taken as u64;
        }
        match taken == rows {
            true => Some(batch),
            false => (taken > 0).then(|| batch.slice(skipped, taken)),
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
fn take_numbers(ranges: &mut VecDeque<Range<u64>>, n: usize) -> Vec<i64> {
    let mut numbers = Vec::with_capacity(n);
    while numbers.len() < n
        && let Some(range) = ranges.front_mut()
    {
        let end = range.end.min(range.start + (n - numbers.len()) as u64);
        numbers.extend((range.start..end).map(u64::cast_signed));
        range.start = end;
        if range.is_empty() {
            ranges.pop_front();
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
        match self.advance(None) {
            Ok(Progress::Batch(batch)) => Some(Ok(batch)),
            // Without a waker there is no waiting.
            Ok(Progress::End | Progress::Pending) => None,
            Err(error) => {
                self.failed = true;
                Some(Err(self.plan.file.place(error)))
            }
        }
    }
}
