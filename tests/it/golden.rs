//! Every file of `testdata/` reads as its golden answer says, in whole and in parts.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, IntervalMonthDayNanoType};
use arrow_array::{
    Array, ArrayRef, Date32Array, Float64Array, Int32Array, Int64Array, LargeStringArray, ListArray, RecordBatch, make_array,
};
use arrow_buffer::OffsetBuffer;
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, IntervalUnit, Schema, SchemaRef, TimeUnit};
use arrow_select::concat::concat_batches;
use arrow_select::take::take;
use herringbone::arrow::{ParquetFile, ScanBuilder, Strings};
use herringbone::{ErrorKind, Limits};

use crate::files::{self, TestFile};

#[test]
fn whole_files_equal_their_golden_answers() {
    for_each_file(|file, golden| {
        let parquet = open(file)?;
        let rows = parquet.metadata().num_rows();
        same("num_rows", rows, golden.num_rows() as u64)?;
        equal(&read(parquet.scan())?, golden)?;
        equal(&read(parquet.scan().threads(1).verify_crc(true))?, golden).map_err(|e| format!("on one thread: {e}"))?;
        same("schema", parquet.arrow_schema().map_err(text)?, parquet.scan().build().map_err(text)?.schema())
    });
}

#[test]
fn small_batches_add_up_to_the_whole() {
    for_each_file(|file, golden| {
        let parquet = open(file)?;
        for (size, threads) in [(1, 1), (7, 2), (64, 1)] {
            if size == 1 && golden.num_rows() > 300 {
                continue;
            }
            let batches = parquet.scan().batch_rows(size).threads(threads).build().map_err(text)?;
            let schema = batches.schema();
            let batches: Vec<RecordBatch> = batches.collect::<Result<_, _>>().map_err(text)?;
            if let Some(batch) = batches.iter().find(|batch| batch.num_rows() > size || batch.num_rows() == 0) {
                return Err(format!("asked for {size} rows, got {}", batch.num_rows()));
            }
            equal(&joined(&schema, &batches)?, golden).map_err(|e| format!("in batches of {size} rows: {e}"))?;
        }
        Ok(())
    });
}

#[test]
fn all_batches_at_once_are_those_one_by_one() {
    for_each_file(|file, golden| {
        let size = golden.num_rows().div_ceil(40).max(1);
        // With little memory lanes wait for the taker, who sleeps until it is worth waking.
        for memory_bytes in [1, Limits::default().memory_bytes] {
            let limits = Limits { memory_bytes, ..Limits::default() };
            let parquet = ParquetFile::open_with(&file.path, limits).map_err(text)?;
            for threads in [2, 5] {
                let scan = || parquet.scan().batch_rows(size).threads(threads).build().map_err(text);
                let one_by_one: Vec<RecordBatch> = scan()?.collect::<Result<_, _>>().map_err(text)?;
                same("batches", scan()?.read_all().map_err(text)?, one_by_one)?;
            }
        }
        Ok(())
    });
}

#[test]
fn little_memory_reads_the_same() {
    for_each_file(|file, golden| {
        let limits = Limits { memory_bytes: 1, ..Limits::default() };
        let parquet = ParquetFile::open_with(&file.path, limits).map_err(text)?;
        equal(&read(parquet.scan().batch_rows(11).threads(3))?, golden)
    });
}

#[test]
fn parts_equal_slices_of_the_whole() {
    for_each_file(|file, golden| {
        let parquet = open(file)?;
        let n = golden.num_rows();
        for (offset, limit) in [(0, n / 2), (n / 3, 5), (n.saturating_sub(1), 10), (n, 1), (1, n), (n / 2, 0), (n + 5, 5)] {
            let read = read(parquet.scan().offset(offset as u64).limit(limit as u64).batch_rows(13))?;
            let start = offset.min(n);
            let expected = golden.slice(start, limit.min(n - start));
            equal(&read, &expected).map_err(|e| format!("offset {offset}, limit {limit}: {e}"))?;
        }
        for ranges in ranges(n) {
            let read = read(parquet.scan().rows(ranges.iter().map(|r| r.start as u64..r.end as u64)).batch_rows(9))?;
            let slices: Vec<RecordBatch> = ranges.iter().map(|r| golden.slice(r.start, r.len())).collect();
            equal(&read, &joined(&golden.schema(), &slices)?).map_err(|e| format!("rows {ranges:?}: {e}"))?;
        }
        Ok(())
    });
}

#[test]
fn columns_read_alone_equal_those_of_the_whole() {
    for_each_file(|file, golden| {
        let parquet = open(file)?;
        let schema = golden.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        for (index, name) in names.iter().enumerate().step_by(names.len() / 12 + 1) {
            let ambiguous = name.is_empty() || name.contains('.') || names.iter().filter(|other| *other == name).count() > 1;
            if !ambiguous {
                let read = read(parquet.scan().columns([*name]).limit(50))?;
                let expected = golden.project(&[index]).map_err(text)?.slice(0, golden.num_rows().min(50));
                equal(&read, &expected).map_err(|e| format!("column {name:?} alone: {e}"))?;
            }
        }
        let none = read(parquet.scan().columns(Vec::<String>::new()))?;
        same("columns", none.num_columns(), 0)?;
        same("rows without columns", none.num_rows(), golden.num_rows())
    });
}

#[test]
fn row_groups_and_row_numbers_add_up() {
    for_each_file(|file, golden| {
        let parquet = open(file)?;
        let groups: Vec<usize> = parquet.metadata().row_groups().map(|group| group.num_rows() as usize).collect();
        let starts: Vec<usize> = groups.iter().scan(0, |at, rows| Some(std::mem::replace(at, *at + rows))).collect();
        let backwards: Vec<usize> = (0..groups.len()).rev().collect();
        let read = read(parquet.scan().row_groups(backwards.clone()).row_number("row number"))?;
        let slices: Vec<RecordBatch> = backwards.iter().map(|&group| golden.slice(starts[group], groups[group])).collect();
        let numbers: Vec<i64> =
            backwards.iter().flat_map(|&group| starts[group]..starts[group] + groups[group]).map(|row| row as i64).collect();
        let last = read.num_columns() - 1;
        let got: Vec<i64> = read.column(last).as_primitive::<arrow_array::types::Int64Type>().values().to_vec();
        same("row numbers", got, numbers)?;
        let without = read.project(&(0..last).collect::<Vec<_>>()).map_err(text)?;
        equal(&without, &joined(&golden.schema(), &slices)?)
    });
}

#[test]
fn text_and_bytes_come_out_in_the_form_asked_for() {
    let columns = AtomicUsize::new(0);
    for_each_file(|file, golden| {
        let parquet = open(file)?;
        let scan = || parquet.scan().use_stored_schema(false);
        let (plain, views, dictionaries) =
            (read(scan().strings(Strings::Utf8))?, read(scan().strings(Strings::Utf8View))?, read(scan().strings(Strings::Dictionary))?);
        for (index, column) in plain.columns().iter().enumerate() {
            let (name, view, dictionary) = (golden.schema_ref().field(index).name(), views.column(index), dictionaries.column(index));
            let alike = match column.data_type() {
                DataType::Utf8 => view.as_string_view_opt().is_some_and(|view| view.iter().eq(column.as_string::<i32>())),
                DataType::Binary => view.as_binary_view_opt().is_some_and(|view| view.iter().eq(column.as_binary::<i32>())),
                _ => continue,
            };
            columns.fetch_add(1, Ordering::Relaxed);
            if !alike {
                return Err(format!("column {name:?} as views: {view:?}, expected {column:?}"));
            }
            let dictionary = dictionary.as_dictionary_opt::<Int32Type>().ok_or_else(|| format!("column {name:?} is no dictionary"))?;
            same_values(&take(dictionary.values(), dictionary.keys(), None).map_err(text)?, column)
                .map_err(|fault| format!("column {name:?} as a dictionary: {fault}"))?;
        }
        Ok(())
    });
    assert!(columns.into_inner() > 200, "too few columns of text and bytes");
}

#[test]
fn without_the_stored_schema_files_read_as_if_there_were_none() {
    let files = files::all();
    let table = |file: &TestFile| file.name.split('.').next().unwrap_or_default().to_string();
    let bare: Vec<&TestFile> = files.iter().filter(|file| file.name.ends_with("noschema")).collect();
    let pairs: Vec<(&TestFile, &TestFile)> =
        bare.iter().flat_map(|bare| files.iter().filter(|file| table(file) == table(bare)).map(move |file| (file, *bare))).collect();
    assert!(pairs.len() > 50, "only {} pairs of files with and without a stored schema", pairs.len());
    files::for_each(
        &pairs,
        |(file, bare)| format!("{} as {}", file.name, bare.name),
        |(file, bare)| {
            let ours = read(open(file)?.scan().use_stored_schema(false))?;
            let golden = bare.golden();
            // Some variants have fewer columns, or other units of time.
            if ours.schema().fields().len() != golden.num_columns() || file.name.contains("coerce") || file.name.contains("item-names") {
                return Ok(());
            }
            equal(&ours, &golden)
        },
    );
}

#[test]
fn what_is_unsupported_does_not_stand_in_the_way_of_the_rest() {
    let files = files::all();
    let file = files.iter().find(|file| file.name == "unsupported.columns").expect("the file");
    let parquet = open(file).expect("a readable footer");
    equal(&read(parquet.scan().columns(["x"])).expect("readable"), &file.golden()).expect("equal");
    for column in ["strange", "lzo", "future_codec"] {
        let error = parquet.scan().columns([column]).build().and_then(|scan| scan.read_all()).expect_err("unsupported");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert_eq!(error.place().column.as_deref(), Some(column), "{error}");
    }
}

#[test]
fn the_comparison_sees_differences() {
    let ints = |values: &[Option<i32>]| Arc::new(values.iter().copied().collect::<Int32Array>()) as ArrayRef;
    let batch = |name: &str, column: ArrayRef, nullable: bool| {
        let field = Field::new(name, column.data_type().clone(), nullable);
        RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).expect("a batch")
    };
    let one = batch("x", ints(&[Some(1), None, Some(3)]), true);
    assert_eq!(equal(&one, &one), Ok(()));
    let others = [
        batch("x", ints(&[Some(1), None, Some(4)]), true),
        batch("x", ints(&[Some(1), Some(0), Some(3)]), true),
        batch("x", ints(&[Some(1), None]), true),
        batch("y", ints(&[Some(1), None, Some(3)]), true),
        batch("x", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])), true),
        batch("x", Arc::new(Date32Array::from(vec![Some(1), None, Some(3)])), true),
    ];
    for other in others {
        assert!(equal(&one, &other).is_err() && equal(&other, &one).is_err(), "{other:?}");
    }
    let required = batch("x", ints(&[Some(1), Some(2)]), false);
    assert!(equal(&required, &batch("x", ints(&[Some(1), Some(2)]), true)).is_err());
    let nan = |bits: u64| batch("x", Arc::new(Float64Array::from(vec![f64::from_bits(bits)])) as ArrayRef, true);
    assert_eq!(equal(&nan(0x7ff8 << 48), &nan(0x7ff8 << 48)), Ok(()));
    assert!(equal(&nan(0), &nan(1 << 63)).is_err(), "0 and -0 differ");
    let list = |inner: &str, last: i32| {
        let field = Arc::new(Field::new(inner, DataType::Int32, true));
        let offsets = OffsetBuffer::from_lengths([2, 0, 1]);
        batch("x", Arc::new(ListArray::new(field, offsets, ints(&[Some(1), None, Some(last)]), None)) as ArrayRef, true)
    };
    assert_eq!(equal(&list("element", 3), &list("element", 3)), Ok(()));
    assert!(equal(&list("element", 3), &list("element", 4)).is_err());
}

fn for_each_file(check: impl Fn(&TestFile, &RecordBatch) -> Result<(), String> + Sync) {
    let mut files = files::all();
    files.retain(|file| file.name != "unsupported.columns");
    files::for_each(&files, |file| file.name.clone(), |file| check(file, &file.golden()));
}

fn open(file: &TestFile) -> Result<ParquetFile, String> {
    ParquetFile::open(&file.path).map_err(text)
}

fn read(scan: ScanBuilder) -> Result<RecordBatch, String> {
    let scan = scan.build().map_err(text)?;
    let (schema, rows) = (scan.schema(), scan.num_rows());
    let batch = joined(&schema, &scan.read_all().map_err(text)?)?;
    same("rows that the scan announced", rows, batch.num_rows() as u64)?;
    Ok(batch)
}

fn joined(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch, String> {
    if schema.fields().is_empty() {
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows));
        return RecordBatch::try_new_with_options(schema.clone(), Vec::new(), &options).map_err(text);
    }
    concat_batches(schema, batches).map_err(text)
}

/// Some selections of rows: none, single ones, neighbours, all.
fn ranges(n: usize) -> Vec<Vec<Range<usize>>> {
    let each_third: Vec<_> = (0..n).step_by(3).map(|i| i..i + 1).collect();
    let middle = vec![n / 4..n / 2, n / 2..n / 2, (n / 2 + 2).min(n)..n - n / 5];
    let mut all = vec![Vec::new(), vec![0..n], each_third];
    if middle.windows(2).all(|w| w[0].end <= w[1].start) && middle.iter().all(|r| r.start <= r.end) {
        all.push(middle);
    }
    all
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: T, expected: T) -> Result<(), String> {
    if ours == expected { Ok(()) } else { Err(format!("{what}: {ours:?}, expected {expected:?}")) }
}

// ---------------------------------------------------------------------------------------------------------------------
// Comparing

fn equal(ours: &RecordBatch, golden: &RecordBatch) -> Result<(), String> {
    let (our_schema, golden_schema) = (ours.schema(), golden.schema());
    let names = |schema: &SchemaRef| schema.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
    same("columns", names(&our_schema), names(&golden_schema))?;
    same("rows", ours.num_rows(), golden.num_rows())?;
    for (index, (field, expected)) in our_schema.fields().iter().zip(golden_schema.fields()).enumerate() {
        let place = |fault| format!("column {:?}: {fault}", field.name());
        same_field(field, expected).map_err(place)?;
        same_values(ours.column(index), golden.column(index)).map_err(place)?;
    }
    Ok(())
}

fn same_field(ours: &Field, golden: &Field) -> Result<(), String> {
    same("nullable", ours.is_nullable(), golden.is_nullable())?;
    for (key, value) in golden.metadata() {
        // pyarrow says that an extension type has no parameters, where others do not say anything.
        let ours = ours.metadata().get(key).map_or("", String::as_str);
        same(&format!("metadata {key:?}"), ours, value)?;
    }
    Ok(())
}

fn same_values(ours: &ArrayRef, golden: &ArrayRef) -> Result<(), String> {
    ours.to_data().validate_full().map_err(text)?;
    if is_interval(ours.data_type()) && golden.data_type() == &DataType::FixedSizeBinary(12) {
        return same_intervals(ours, golden);
    }
    if let (DataType::Dictionary(_, values), data_type) = (ours.data_type(), golden.data_type())
        && **values == *data_type
    {
        // pyarrow restores dictionaries of text and bytes alone.
        let dictionary = ours.as_any_dictionary();
        return same_values(&take(dictionary.values(), dictionary.keys(), None).map_err(text)?, golden);
    }
    let golden = &where_pyarrow_falls_short(golden, ours.data_type());
    let relabelled = relabel(golden.to_data(), ours.data_type())?;
    if ours.to_data() == relabelled {
        return Ok(());
    }
    let expected = make_array(relabelled);
    let row = (0..ours.len()).find(|&i| ours.slice(i, 1).to_data() != expected.slice(i, 1).to_data());
    let row = row.ok_or_else(|| "the arrays differ, but no row does".to_string())?;
    Err(format!("row {row}: {:?}, expected {:?}", ours.slice(row, 1), expected.slice(row, 1)))
}

fn is_interval(data_type: &DataType) -> bool {
    data_type == &DataType::Interval(IntervalUnit::MonthDayNano)
}

/// pyarrow leaves Parquet's intervals as they are stored: months, days and milliseconds, 32 bits each.
fn same_intervals(ours: &ArrayRef, golden: &ArrayRef) -> Result<(), String> {
    let (ours, golden) = (ours.as_primitive::<IntervalMonthDayNanoType>(), golden.as_fixed_size_binary());
    for row in 0..ours.len() {
        let stored = golden.is_valid(row).then(|| {
            let part = |k: usize| u32::from_le_bytes(golden.value(row)[4 * k..4 * k + 4].try_into().expect("four bytes"));
            (part(0), part(1), i64::from(part(2)) * 1_000_000)
        });
        let value = ours.is_valid(row).then(|| (ours.value(row).months as u32, ours.value(row).days as u32, ours.value(row).nanoseconds));
        same(&format!("row {row}"), value, stored)?;
    }
    Ok(())
}

/// The golden answer in our type, where the stored Arrow schema or the Parquet type says more than pyarrow makes of it.
fn where_pyarrow_falls_short(golden: &ArrayRef, ours: &DataType) -> ArrayRef {
    use arrow_array::types::{
        Date32Type, Date64Type, Time32MillisecondType, Time32SecondType, TimestampMillisecondType, TimestampSecondType,
    };
    match (golden.data_type(), ours) {
        (DataType::Date32, DataType::Date64) => {
            Arc::new(golden.as_primitive::<Date32Type>().unary::<_, Date64Type>(|days| i64::from(days) * 86_400_000))
        }
        (DataType::Time32(TimeUnit::Millisecond), DataType::Time32(TimeUnit::Second)) => {
            Arc::new(golden.as_primitive::<Time32MillisecondType>().unary::<_, Time32SecondType>(|ms| ms / 1000))
        }
        (DataType::Timestamp(TimeUnit::Millisecond, a), DataType::Timestamp(TimeUnit::Second, b)) if a == b => {
            let seconds = golden.as_primitive::<TimestampMillisecondType>().unary::<_, TimestampSecondType>(|ms| ms / 1000);
            Arc::new(seconds.with_timezone_opt(b.clone()))
        }
        // INT96 with a time zone in the stored schema.
        (DataType::Timestamp(a, None), DataType::Timestamp(b, Some(_))) if a == b => with_type(golden, ours),
        // ENUM is text.
        (DataType::Binary, DataType::Utf8) => with_type(golden, ours),
        (DataType::Dictionary(a, values), DataType::Dictionary(b, wide))
            if a == b && **values == DataType::Utf8 && **wide == DataType::LargeUtf8 =>
        {
            let dictionary = golden.as_any_dictionary();
            let values: LargeStringArray = dictionary.values().as_string::<i32>().iter().collect();
            dictionary.with_values(Arc::new(values))
        }
        _ => Arc::clone(golden),
    }
}

fn with_type(array: &ArrayRef, data_type: &DataType) -> ArrayRef {
    make_array(array.to_data().into_builder().data_type(data_type.clone()).build().expect("the same layout"))
}

/// The same array under another type, where the two lay their values out in the same way. Names and metadata of fields
/// inside are held to be the same here; their nullability is not looked at.
fn relabel(array: ArrayData, to: &DataType) -> Result<ArrayData, String> {
    let from = array.data_type().clone();
    let children: Vec<&Field> = match (&from, to) {
        (a, b) if a == b => return Ok(array),
        (DataType::List(_), DataType::List(f)) | (DataType::LargeList(_), DataType::LargeList(f)) => vec![f],
        (DataType::ListView(_), DataType::ListView(f)) | (DataType::LargeListView(_), DataType::LargeListView(f)) => vec![f],
        (DataType::Map(_, a), DataType::Map(f, b)) if a == b => vec![f],
        (DataType::FixedSizeList(_, a), DataType::FixedSizeList(f, b)) if a == b => vec![f],
        (DataType::Struct(a), DataType::Struct(b)) if a.len() == b.len() => b.iter().map(AsRef::as_ref).collect(),
        _ => return Err(format!("type {to}, expected {from}")),
    };
    let named = |data_type: &DataType| match data_type {
        DataType::Struct(fields) => fields.iter().map(|f| f.name().clone()).collect(),
        _ => Vec::new(),
    };
    same("fields", named(to), named(&from))?;
    let relabelled: Result<Vec<ArrayData>, String> =
        array.child_data().iter().zip(&children).map(|(child, field)| relabel(child.clone(), field.data_type())).collect();
    // Not validated: a child may have nulls where only its parent says so.
    array.into_builder().data_type(to.clone()).child_data(relabelled?).build().map_err(text)
}
