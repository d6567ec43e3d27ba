//! The crate `parquet`, by hand, as its documentation shows: row groups by their statistics and bloom filters, pages by the page index,
//! rows while or after the other columns are decoded.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, Date32Array, Datum, Decimal128Array, Int32Array, Int64Array, RecordBatch, Scalar};
use arrow_ord::cmp;
use arrow_schema::{ArrowError, DataType, Schema};
use arrow_select::filter::filter_record_batch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowPredicateFn, ArrowReaderMetadata, ParquetRecordBatchReaderBuilder, RowFilter, RowSelection,
};
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::page_index::PageIndexProvider;
use parquet::file::metadata::{ColumnChunkMask, PageIndexPolicy, ParquetMetaDataReader};
use parquet::schema::types::SchemaDescriptor;

use super::{Answer, Condition, Op, Question, Respondent, Value, Wanted};
use crate::Result;

pub struct Official {
    pub name: &'static str,
    /// Rows are dropped by a row filter, and values of other columns skipped; else all rows of the pages are decoded and dropped then.
    pub while_decoding: bool,
}

/// A condition, with its constant as Arrow has it.
#[derive(Clone)]
struct Test {
    /// Where the column is; columns of lineitem are not nested.
    column: usize,
    op: Op,
    value: Scalar<ArrayRef>,
}

/// A row group that is read.
#[derive(Clone)]
struct Group {
    index: usize,
    rows: usize,
    /// Whether all of its rows pass, as statistics say.
    decided: bool,
    /// The rows that are left, if not all.
    selection: Option<RowSelection>,
}

impl Respondent for Official {
    fn name(&self) -> &'static str {
        self.name
    }

    fn answer(&self, path: &Path, question: &Question, threads: usize) -> Result<Answer> {
        let file = File::open(path)?;
        let metadata = ArrowReaderMetadata::load(&file, Default::default())?;
        let tests = tests(&question.conditions, metadata.schema())?;
        let mut groups = by_statistics(&metadata, question, &tests)?;
        if matches!(question.wanted, Wanted::Count) && groups.iter().all(|group| group.decided) {
            return Ok(Answer { rows: groups.iter().map(|group| group.rows as u64).sum(), batches: Vec::new() });
        }
        by_bloom_filters(&file, &metadata, &tests, &mut groups)?;
        let wanted = wanted(question, metadata.schema())?;
        let metadata = match groups.iter().any(|group| !group.decided) || matches!(question.wanted, Wanted::Rows(_)) {
            true => with_page_index(&file, metadata, &tests, &wanted, &groups)?,
            false => metadata,
        };
        match &question.wanted {
            Wanted::Rows(numbers) => by_number(&metadata, numbers, &mut groups),
            _ => by_page_index(&metadata, &tests, &mut groups)?,
        }
        let batches = Reading { path, metadata: &metadata, tests: &tests, wanted: &wanted, official: self }.all(&groups, threads)?;
        let answer = Answer::of(batches);
        Ok(if matches!(question.wanted, Wanted::Count) { Answer { batches: Vec::new(), ..answer } } else { answer })
    }

    /// It does not say.
    fn effort(&self, _: &Path, _: &Question) -> Result<String> {
        Ok(String::new())
    }
}

/// What is read, and how.
struct Reading<'a> {
    path: &'a Path,
    metadata: &'a ArrowReaderMetadata,
    tests: &'a [Test],
    wanted: &'a [usize],
    official: &'a Official,
}

impl Reading<'_> {
    /// It knows no threads: as a caller would by hand, row groups are dealt out to them.
    fn all(&self, groups: &[Group], threads: usize) -> Result<Vec<RecordBatch>> {
        if threads == 1 {
            return self.part(groups);
        }
        let part = |thread: usize| -> Result<Vec<Vec<RecordBatch>>> {
            let mine = groups.iter().skip(thread).step_by(threads);
            mine.map(|group| self.part(std::slice::from_ref(group))).collect()
        };
        let parts = std::thread::scope(|scope| {
            let part = &part;
            let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || part(thread))).collect();
            handles.into_iter().map(|handle| handle.join().map_err(|_| "a thread panicked")?).collect::<Result<Vec<_>>>()
        })?;
        let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
        Ok((0..groups.len()).flat_map(|group| parts[group % threads].next().unwrap_or_default()).collect())
    }

    /// Reads some row groups with one reader. A filter is for all of them, unless they are all decided.
    fn part(&self, groups: &[Group]) -> Result<Vec<RecordBatch>> {
        let Self { path, metadata, wanted, .. } = *self;
        let tests = if groups.iter().all(|group| group.decided) { &[] } else { self.tests };
        let schema = metadata.parquet_schema();
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(path)?, metadata.clone()).with_batch_size(65_536);
        if groups.iter().any(|group| group.selection.is_some()) {
            builder = builder.with_row_selection(together(groups));
        }
        builder = builder.with_row_groups(groups.iter().map(|group| group.index).collect());
        if self.official.while_decoding {
            if !tests.is_empty() {
                builder = builder.with_row_filter(row_filter(tests, schema));
            }
            let reader = builder.with_projection(ProjectionMask::roots(schema, wanted.iter().copied())).build()?;
            return Ok(reader.collect::<Result<_, _>>()?);
        }
        // The tests' columns are read with the others, and left out afterwards.
        let mut columns: Vec<usize> = wanted.iter().copied().chain(tests.iter().map(|test| test.column)).collect();
        columns.sort_unstable();
        columns.dedup();
        let place = |column: &usize| columns.binary_search(column).map_err(|_| "a column is not read");
        let kept: Vec<usize> = wanted.iter().map(place).collect::<Result<_, _>>()?;
        let reader = builder.with_projection(ProjectionMask::roots(schema, columns.iter().copied())).build()?;
        let without_failing = |batch: Result<RecordBatch, ArrowError>| -> Result<RecordBatch> {
            let batch = batch?;
            let mut passes: Option<BooleanArray> = None;
            for test in tests {
                let column = batch.column(place(&test.column)?);
                let found = compare(test.op, column, &test.value)?;
                passes = Some(passes.map_or_else(|| found.clone(), |before| both(&before, &found)));
            }
            let batch = batch.project(&kept)?;
            Ok(passes.map_or_else(|| Ok(batch.clone()), |passes| filter_record_batch(&batch, &passes))?)
        };
        reader.map(without_failing).collect()
    }
}

fn tests(conditions: &[Condition], schema: &Schema) -> Result<Vec<Test>> {
    let test = |condition: &Condition| {
        let column = schema.index_of(condition.column)?;
        Ok(Test { column, op: condition.op, value: Scalar::new(constant(condition.value, schema.field(column).data_type())?) })
    };
    conditions.iter().map(test).collect()
}

/// A constant of a column's type.
fn constant(value: Value, data_type: &DataType) -> Result<ArrayRef> {
    Ok(match (value, data_type) {
        (Value::Integer(value), DataType::Int64) => Arc::new(Int64Array::from(vec![value])),
        (Value::Integer(value), DataType::Int32) => Arc::new(Int32Array::from(vec![i32::try_from(value)?])),
        (Value::Day(day), DataType::Date32) => Arc::new(Date32Array::from(vec![day])),
        (Value::Cents(cents), DataType::Decimal128(precision, 2)) => {
            Arc::new(Decimal128Array::from(vec![i128::from(cents)]).with_precision_and_scale(*precision, 2)?)
        }
        (_, other) => return Err(format!("a column of {other} is none of lineitem's").into()),
    })
}

/// The columns that are wanted, by where they are.
fn wanted(question: &Question, schema: &Schema) -> Result<Vec<usize>> {
    Ok(match &question.wanted {
        Wanted::Columns(Some(names)) => names.iter().map(|name| schema.index_of(name)).collect::<Result<_, _>>()?,
        Wanted::Count => Vec::new(),
        Wanted::Columns(None) | Wanted::Rows(_) => (0..schema.fields().len()).collect(),
    })
}

fn compare(op: Op, column: &dyn Datum, value: &Scalar<ArrayRef>) -> Result<BooleanArray, ArrowError> {
    match op {
        Op::Equal => cmp::eq(column, value),
        Op::Less => cmp::lt(column, value),
        Op::LessOrEqual => cmp::lt_eq(column, value),
        Op::Greater => cmp::gt(column, value),
        Op::GreaterOrEqual => cmp::gt_eq(column, value),
    }
}

fn both(a: &BooleanArray, b: &BooleanArray) -> BooleanArray {
    BooleanArray::new(a.values() & b.values(), arrow_buffer::NullBuffer::union(a.nulls(), b.nulls()))
}

/// Which of many minima and maxima leave it possible that a value passes; what is not known does.
fn possible(test: &Test, mins: &ArrayRef, maxes: &ArrayRef) -> Result<Vec<bool>> {
    let found = match test.op {
        Op::Equal => both(&cmp::lt_eq(mins, &test.value)?, &cmp::gt_eq(maxes, &test.value)?),
        Op::Less | Op::LessOrEqual => compare(test.op, mins, &test.value)?,
        Op::Greater | Op::GreaterOrEqual => compare(test.op, maxes, &test.value)?,
    };
    Ok(found.iter().map(|known| known.unwrap_or(true)).collect())
}

/// Which of many minima and maxima say that every value passes.
fn certain(test: &Test, mins: &ArrayRef, maxes: &ArrayRef) -> Result<Vec<bool>> {
    let found = both(&compare(test.op, mins, &test.value)?, &compare(test.op, maxes, &test.value)?);
    Ok(found.iter().map(|known| known.unwrap_or(false)).collect())
}

/// The row groups of which statistics do not say that no row passes.
fn by_statistics(metadata: &ArrowReaderMetadata, question: &Question, tests: &[Test]) -> Result<Vec<Group>> {
    let all = metadata.metadata().row_groups();
    let group = |(index, group): (usize, &parquet::file::metadata::RowGroupMetaData)| Group {
        index,
        rows: group.num_rows() as usize,
        decided: true,
        selection: None,
    };
    let mut groups: Vec<Group> = all.iter().enumerate().map(group).collect();
    let mut kept = vec![true; groups.len()];
    for (test, condition) in tests.iter().zip(&question.conditions) {
        let converter = StatisticsConverter::try_new(condition.column, metadata.schema(), metadata.parquet_schema())?;
        let (mins, maxes) = (converter.row_group_mins(all)?, converter.row_group_maxes(all)?);
        let nulls = converter.with_missing_null_counts_as_zero(false).row_group_null_counts(all)?;
        let (possible, certain) = (possible(test, &mins, &maxes)?, certain(test, &mins, &maxes)?);
        for (i, group) in groups.iter_mut().enumerate() {
            kept[i] &= possible[i];
            group.decided &= certain[i] && nulls.is_valid(i) && nulls.value(i) == 0;
        }
    }
    let mut kept = kept.into_iter();
    groups.retain(|_| kept.next().unwrap_or(true));
    Ok(groups)
}

/// Drops row groups whose bloom filters say that no row passes.
fn by_bloom_filters(file: &File, metadata: &ArrowReaderMetadata, tests: &[Test], groups: &mut Vec<Group>) -> Result<()> {
    for test in tests.iter().filter(|test| test.op == Op::Equal) {
        let mut left = Vec::with_capacity(groups.len());
        for group in groups.drain(..) {
            let chunk = metadata.metadata().row_group(group.index).column(test.column);
            let filter = if group.decided { None } else { Sbbf::read_from_column_chunk(chunk, file)? };
            let value = test.value.get().0;
            let found = filter.is_none_or(|filter| match value.data_type() {
                DataType::Int64 => filter.check(&value.as_primitive::<arrow_array::types::Int64Type>().value(0)),
                DataType::Int32 => filter.check(&value.as_primitive::<arrow_array::types::Int32Type>().value(0)),
                _ => true,
            });
            if found {
                left.push(group);
            }
        }
        *groups = left;
    }
    Ok(())
}

/// Reads the page index: minima and maxima of the tests' columns, offsets of these and those that are wanted, of the row groups that are left.
fn with_page_index(
    file: &File,
    metadata: ArrowReaderMetadata,
    tests: &[Test],
    wanted: &[usize],
    groups: &[Group],
) -> Result<ArrowReaderMetadata> {
    let owned = Arc::clone(metadata.metadata());
    drop(metadata);
    let owned = Arc::try_unwrap(owned).unwrap_or_else(|shared| shared.as_ref().clone());
    let looked_at = || groups.iter().map(|group| group.index);
    let tested = || tests.iter().map(|test| test.column);
    let mut reader = ParquetMetaDataReader::new_with_metadata(owned)
        .with_page_index_policy(PageIndexPolicy::Optional)
        .with_column_index_mask(ColumnChunkMask::row_groups_and_columns(looked_at(), tested()))
        .with_offset_index_mask(ColumnChunkMask::row_groups_and_columns(looked_at(), tested().chain(wanted.iter().copied())));
    reader.read_page_indexes(file)?;
    Ok(ArrowReaderMetadata::try_new(Arc::new(reader.finish()?), Default::default())?)
}

/// Leaves rows of pages of which the page index does not say that none passes, and drops row groups without any.
fn by_page_index(metadata: &ArrowReaderMetadata, tests: &[Test], groups: &mut Vec<Group>) -> Result<()> {
    let Some(index) = metadata.metadata().page_index().map(AsRef::as_ref) else { return Ok(()) };
    for group in groups.iter_mut().filter(|group| !group.decided) {
        for test in tests {
            if let Some(pages) = pages(metadata, index, test, group.index)? {
                group.selection = Some(match group.selection.take() {
                    Some(before) => before.intersection(&pages),
                    None => pages,
                });
            }
        }
        // What leaves all rows costs time and changes nothing.
        group.selection.take_if(|selection| selection.row_count() == group.rows);
    }
    groups.retain(|group| group.selection.as_ref().is_none_or(RowSelection::selects_any));
    Ok(())
}

/// The rows of a row group whose pages may hold a value that passes, if there is an index.
fn pages(metadata: &ArrowReaderMetadata, index: &dyn PageIndexProvider, test: &Test, group: usize) -> Result<Option<RowSelection>> {
    if index.column_index(group, test.column).is_none() {
        return Ok(None);
    }
    let field = metadata.schema().field(test.column);
    let converter = StatisticsConverter::from_column_index(test.column, field, metadata.parquet_schema())?;
    let (mins, maxes) = (converter.data_page_mins(index, [&group])?, converter.data_page_maxes(index, [&group])?);
    let Some(rows) = converter.data_page_row_counts(index, metadata.metadata().row_groups(), [&group])? else { return Ok(None) };
    if rows.len() != mins.len() || rows.null_count() > 0 {
        return Ok(None);
    }
    let mut start = 0;
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (rows, possible) in rows.values().iter().zip(possible(test, &mins, &maxes)?) {
        let end = start + *rows as usize;
        if possible {
            ranges.push(start..end);
        }
        start = end;
    }
    Ok(Some(RowSelection::from_consecutive_ranges(ranges.into_iter(), start)))
}

/// Leaves the row groups of these rows, and of them these rows.
fn by_number(metadata: &ArrowReaderMetadata, numbers: &[u64], groups: &mut Vec<Group>) {
    let all = metadata.metadata().row_groups().iter().map(|group| group.num_rows() as u64);
    let starts: Vec<u64> = all.scan(0, |sum, rows| Some(std::mem::replace(sum, *sum + rows))).collect();
    for group in groups.iter_mut() {
        let start = starts[group.index];
        let mine = numbers.iter().filter(|number| (start..start + group.rows as u64).contains(number));
        let ranges = mine.map(|number| (number - start) as usize).map(|row| row..row + 1);
        group.selection = Some(RowSelection::from_consecutive_ranges(ranges, group.rows));
    }
    groups.retain(|group| group.selection.as_ref().is_none_or(RowSelection::selects_any));
}

/// One selection for row groups that are read one after another.
fn together(groups: &[Group]) -> RowSelection {
    let mut start = 0;
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for group in groups {
        match &group.selection {
            None => ranges.push(start..start + group.rows),
            Some(selection) => {
                let mut row = start;
                for selector in selection.iter() {
                    if !selector.skip {
                        ranges.push(row..row + selector.row_count);
                    }
                    row += selector.row_count;
                }
            }
        }
        start += group.rows;
    }
    RowSelection::from_consecutive_ranges(ranges.into_iter(), start)
}

/// A predicate a column, in the order of the question: one column is decoded once for all conditions on it.
fn row_filter(tests: &[Test], schema: &SchemaDescriptor) -> RowFilter {
    let mut columns: Vec<usize> = Vec::new();
    for test in tests {
        if !columns.contains(&test.column) {
            columns.push(test.column);
        }
    }
    let predicate = |column: usize| {
        let mine: Vec<Test> = tests.iter().filter(|test| test.column == column).cloned().collect();
        let passes = move |batch: RecordBatch| {
            let mut found = mine.iter().map(|test| compare(test.op, batch.column(0), &test.value));
            let first = found.next().unwrap_or_else(|| Ok(BooleanArray::from(vec![true; batch.num_rows()])))?;
            found.try_fold(first, |before, next| Ok(both(&before, &next?)))
        };
        Box::new(ArrowPredicateFn::new(ProjectionMask::roots(schema, [column]), passes)) as Box<dyn ArrowPredicate>
    };
    RowFilter::new(columns.into_iter().map(predicate).collect())
}
