//! Filtered scans: what they give is what a full read gives, filtered afterwards.

mod cells;
mod expressions;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use herringbone::Limits;
use herringbone::arrow::{ArrowWriter, ParquetFile, ScanBuilder, ScanMetrics, Strings};
use herringbone::compression::Compression;
use herringbone::format::{Encoding, PhysicalType};
use herringbone::predicate::col;
use herringbone::read::{self, FileSource, PageOptions};
use herringbone::write::{ColumnOptions, FileWriter, WriterOptions, WriterOptionsBuilder};
use proptest::prelude::*;

use self::expressions::Naive;
use crate::arrow_write::arrays::{self, Random, Types};
use crate::arrow_write::{options, values};
use crate::{files, remote};

#[test]
fn filtered_scans_of_testdata_equal_full_reads_filtered() {
    let totals = Totals::default();
    files::for_each(&files::all(), |file| file.name.clone(), |file| check_file(&file.path, 0x5eed ^ file.name.len() as u64, 12, &totals));
    totals.assert_varied();
}

#[test]
#[ignore = "needs PARQUET_TEST_DATA"]
fn corpora_filtered_scans_equal_full_reads_filtered() {
    let folder = std::env::var_os("PARQUET_TEST_DATA").expect("PARQUET_TEST_DATA names the folder data of parquet-testing");
    let entries = std::fs::read_dir(folder).expect("a readable folder").map(|entry| entry.expect("a readable entry").path());
    // One of them has gigabytes of text.
    let is_good = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|ending| ending == "parquet") && !path.to_string_lossy().contains("large_string_map")
    };
    let files: Vec<_> = entries.filter(is_good).collect();
    let totals = Totals::default();
    files::for_each(&files, |path| path.display().to_string(), |path| check_file(path, 7, 25, &totals));
    totals.assert_varied();
    println!("{} files filtered", files.len());
}

/// What happened over many scans.
#[derive(Default)]
struct Totals {
    scans: AtomicU64,
    kept: AtomicU64,
    asked: AtomicU64,
    statistics: AtomicU64,
    indexes: AtomicU64,
    decided: AtomicU64,
}

impl Totals {
    fn add(&self, metrics: &ScanMetrics, kept: usize) {
        self.scans.fetch_add(1, Ordering::Relaxed);
        self.kept.fetch_add(kept as u64, Ordering::Relaxed);
        self.asked.fetch_add(metrics.rows, Ordering::Relaxed);
        self.statistics.fetch_add(metrics.rows_by_statistics, Ordering::Relaxed);
        self.indexes.fetch_add(metrics.rows_by_page_indexes, Ordering::Relaxed);
        self.decided.fetch_add(metrics.rows_decided, Ordering::Relaxed);
    }

    /// The test would be worth little if filters kept all, or nothing was ever passed over.
    fn assert_varied(self) {
        let [scans, kept, asked, statistics, decided] =
            [self.scans, self.kept, self.asked, self.statistics, self.decided].map(AtomicU64::into_inner);
        println!("{scans} scans kept {kept} of {asked} rows; statistics excluded {statistics} and decided {decided}");
        assert!(kept > asked / 10 && kept < asked * 9 / 10);
        assert!(statistics > 0 && decided > 0);
    }
}

fn check_file(path: &Path, seed: u64, times: usize, totals: &Totals) -> Result<(), String> {
    let costs = remote::costs()[seed as usize % 4].clone();
    // With little memory, units have few rows, or are read batch by batch.
    let memory_bytes = [1, 4 << 10, 32 << 10, Limits::default().memory_bytes][seed as usize / 4 % 4];
    let limits = Limits { memory_bytes, ..Limits::default() };
    let file = ParquetFile::open_with(path, limits).map_err(|error| error.to_string())?.with_fetch_options(costs);
    let bytes = bytes::Bytes::from(std::fs::read(path).map_err(|error| error.to_string())?);
    // Of INT96, naive cells have a unit that not all values fit.
    let plain = |scan: ScanBuilder| scan.use_stored_schema(false).strings(Strings::Utf8).int96_overflow(herringbone::arrow::Overflow::Null);
    let has_int96 = file.metadata().schema().leaves().iter().any(|leaf| leaf.physical_type == PhysicalType::Int96);
    let batches = plain(file.scan()).build().and_then(|scan| scan.read_all()).map_err(|error| error.to_string());
    // Files with columns that cannot be read as a whole are other tests' matter.
    let Ok(batches) = batches else { return Ok(()) };
    let Some(first) = batches.first() else { return Ok(()) };
    let whole = concat_batches(&first.schema(), &batches).map_err(|error| error.to_string())?;
    let mut columns = cells::columns(file.metadata().schema(), &whole);
    if has_int96 {
        columns.retain(|column| !matches!(column.data_type, arrow_schema::DataType::Timestamp(..)));
    }
    if columns.is_empty() || whole.num_rows() > 20_000 {
        return Ok(());
    }
    let all = values::rows(std::slice::from_ref(&whole));
    let mut random = Random::new(seed);
    for _ in 0..times {
        let naive = Naive::random(&mut random, &columns, &whole, 2);
        let expr = naive.expr(&columns);
        let expected: Vec<usize> = (0..whole.num_rows()).filter(|row| naive.of(&columns, &whole, *row) == Some(true)).collect();
        let scan = plain(file.scan()).filter(expr.clone()).batch_rows(1 + random.below(300)).threads(1 + random.below(3));
        let scan = scan.row_number("the row");
        let mut pushed = scan.clone().push().map_err(|error| format!("{expr}: {error}"))?;
        let (batches, _) = remote::push::drive_on(&mut pushed, &bytes).map_err(|error| format!("{expr}, pushed: {error}"))?;
        compare(&batches, &all, &expected).map_err(|fault| format!("{expr}, pushed: {fault}"))?;
        let mut scan = scan.build().map_err(|error| format!("{expr}: {error}"))?;
        let most = scan.num_rows();
        let batches = scan.by_ref().collect::<Result<Vec<_>, _>>().map_err(|error| format!("{expr}: {error}"))?;
        totals.add(&scan.metrics(), expected.len());
        compare(&batches, &all, &expected).map_err(|fault| format!("{expr}: {fault}"))?;
        if (scan.is_exact() && most != expected.len() as u64) || most < expected.len() as u64 {
            return Err(format!("{expr}: {most} rows were announced, and {} are there", expected.len()));
        }
        if scan.metrics().rows_passed != expected.len() as u64 {
            return Err(format!("{expr}: metrics count {} rows that passed, and {} did", scan.metrics().rows_passed, expected.len()));
        }
        let alike = |metrics: ScanMetrics| {
            (metrics.rows_passed, metrics.rows_evaluated, metrics.rows_by_page_indexes, metrics.rows_by_bloom_filters)
        };
        if alike(scan.metrics()) != alike(pushed.metrics()) {
            return Err(format!("{expr}: {:?}, and pushed {:?}", scan.metrics(), pushed.metrics()));
        }
    }
    Ok(())
}

/// Compares what a scan gave, whose last column has the numbers of rows, with some of all rows.
fn compare(batches: &[RecordBatch], all: &[String], expected: &[usize]) -> Result<(), String> {
    let numbers = |batch: &RecordBatch| batch.column(batch.num_columns() - 1).as_primitive::<Int64Type>().values().to_vec();
    let found: Vec<usize> = batches.iter().flat_map(numbers).map(|row| row as usize).collect();
    if found != expected {
        let wrong = found.iter().zip(expected).position(|(a, b)| a != b).unwrap_or(found.len().min(expected.len()));
        return Err(format!(
            "{} rows instead of {}; the first difference is at {wrong}: row {:?} instead of {:?}",
            found.len(),
            expected.len(),
            found.get(wrong),
            expected.get(wrong)
        ));
    }
    let without = |batch: &RecordBatch| batch.project(&(0..batch.num_columns() - 1).collect::<Vec<_>>()).expect("columns that are there");
    let rows = values::rows(&batches.iter().map(without).collect::<Vec<_>>());
    match rows.iter().zip(expected).find(|(row, number)| **row != all[**number]) {
        Some((row, number)) => Err(format!("row {number} is {row} instead of {}", all[*number])),
        None => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn filtered_scans_of_generated_files_equal_full_reads_filtered(seed: u64) {
        let mut random = Random::new(seed);
        let schema = arrays::schema(&mut random, 4, Types::All);
        let batches: Vec<_> = (0..1 + random.below(3)).map(|_| {
            let rows = random.below(200);
            let batch = arrays::batch(&mut random, &schema, rows);
            if random.one_in(2) && batch.num_columns() > 0 { sorted(&batch) } else { batch }
        }).collect();
        let options = options::any(&mut random, &schema).build().unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), options).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        let (_, bytes) = writer.close_into().unwrap();
        let bytes = bytes::Bytes::from(bytes);
        let file = ParquetFile::from_bytes(bytes.clone()).unwrap();

        let plain = |scan: ScanBuilder| scan.use_stored_schema(false).strings(Strings::Utf8);
        let costs = remote::costs()[random.below(4)].clone();
        let file = file.with_fetch_options(costs);
        let read = plain(file.scan()).build().unwrap();
        let whole = concat_batches(&read.schema(), &read.collect::<Result<Vec<_>, _>>().unwrap()).unwrap();
        let columns = Arc::new(cells::columns(file.metadata().schema(), &whole));
        prop_assume!(!columns.is_empty());
        for _ in 0..3 {
            let naive = Naive::random(&mut random, &columns, &whole, 2);
            let expr = naive.expr(&columns);
            let n = whole.num_rows() as u64;

            // Ranges before the filter, offset and limit behind it.
            let (start, end) = (random.below(n as usize + 1) as u64 / 2, n - random.below(n as usize + 1) as u64 / 3);
            let (start, end) = (start.min(end), end);
            let (offset, limit) = ([0, random.below(30)][random.below(2)], [usize::MAX, random.below(100)][random.below(2)]);
            let expected: Vec<usize> = (start as usize..end as usize).filter(|row| naive.of(&columns, &whole, *row) == Some(true)).skip(offset).take(limit).collect();
            let scan = plain(file.scan()).rows(std::iter::once(start..end)).offset(offset as u64).batch_rows(1 + random.below(150)).threads(1 + random.below(3));
            let scan = if limit == usize::MAX { scan } else { scan.limit(limit as u64) };
            // The same condition as a function, alone or behind the filter.
            let names: Vec<String> = whole.schema().fields().iter().map(|field| field.name().clone()).collect();
            let function = random.one_in(3);
            let scan = if !function || random.one_in(2) { scan.filter(expr.clone()) } else { scan };
            let (naive, described) = (Arc::new(naive), Arc::clone(&columns));
            let scan = match function {
                true => scan.filter_rows(names, move |batch: &RecordBatch| {
                    let keep = (0..batch.num_rows()).map(|row| naive.of(&described, batch, row));
                    Ok(BooleanArray::from(keep.collect::<Vec<_>>()))
                }),
                false => scan,
            };
            let scan = scan.row_number("the row");
            let read = scan.clone().build().unwrap().read_all().unwrap();
            let all = values::rows(std::slice::from_ref(&whole));
            if let Err(fault) = compare(&read, &all, &expected) {
                prop_assert!(false, "{expr} of {}: {fault}", file.metadata().schema());
            }
            let (pushed, _) = remote::push::drive_on(&mut scan.clone().push().unwrap(), &bytes).unwrap();
            if let Err(fault) = compare(&pushed, &all, &expected) {
                prop_assert!(false, "pushed, {expr} of {}: {fault}", file.metadata().schema());
            }
            #[cfg(feature = "async")]
            if random.one_in(4) {
                use futures_util::TryStreamExt;
                let streamed: Vec<RecordBatch> = futures_executor::block_on(scan.stream().unwrap().try_collect()).unwrap();
                if let Err(fault) = compare(&streamed, &all, &expected) {
                    prop_assert!(false, "streamed, {expr} of {}: {fault}", file.metadata().schema());
                }
            }
        }
    }
}

/// A file of a batch.
fn written(batch: &RecordBatch, options: WriterOptionsBuilder) -> Vec<u8> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), options.build().expect("options")).expect("a writer");
    writer.write(batch).expect("rows");
    writer.close_into().expect("a file").1
}

/// A batch sorted by its first column that can be sorted, so that pages have narrow bounds.
fn sorted(batch: &RecordBatch) -> RecordBatch {
    let rows = values::rows(std::slice::from_ref(batch));
    let mut order: Vec<u32> = (0..batch.num_rows() as u32).collect();
    order.sort_by(|a, b| rows[*a as usize].cmp(&rows[*b as usize]));
    let order = arrow_array::UInt32Array::from(order);
    let arrays = batch.columns().iter().map(|array| arrow_select::take::take(array, &order, None).expect("rows that are there"));
    RecordBatch::try_new(batch.schema(), arrays.collect()).unwrap_or_else(|_| batch.clone())
}

#[test]
fn statistics_alone_answer_where_they_can() {
    let file = ParquetFile::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/bloom-filters.index-v2.parquet")).expect("a file");
    let scan = file.scan().filter(col("id").gt_eq(0)).columns(Vec::<String>::new()).build().expect("a scan");
    assert!(scan.is_exact());
    assert_eq!(scan.num_rows(), 120);
    let rows: usize = scan.map(|batch| batch.expect("rows").num_rows()).sum();
    assert_eq!(rows, 120);
    let mut scan = file.scan().filter(col("id").gt(1_000)).build().expect("a scan");
    assert_eq!(scan.num_rows(), 0);
    assert!(scan.next().is_none());
    assert_eq!(scan.metrics().reads, 0);
    assert_eq!(scan.metrics().row_groups_by_statistics, file.metadata().num_row_groups() as u64);
}

/// Of a dictionary in a struct parquet-cpp counts the nulls that are the dictionary's own; a copy has another writer's name.
#[test]
fn null_counts_without_those_of_groups_are_not_believed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/structs-of-dictionaries.null-counts.parquet");
    let original = ParquetFile::open(&path).expect("a file");
    let mut writer = FileWriter::new(Vec::new(), Arc::clone(original.metadata().schema()), WriterOptions::default()).expect("a writer");
    writer.copy_file(&FileSource::open(&path).expect("a file")).expect("copied");
    let copy = ParquetFile::from_bytes(writer.close_into().expect("a copy").1).expect("a file");
    for file in [original, copy] {
        let filters = [
            (col("s").is_null(), 10),
            (col("s.text").is_null(), 10),
            (col("s.text").is_not_null(), 30),
            (col("s.text").gt_eq("a"), 30),
            (col("s.text").gt_eq("text 1").not(), 11),
        ];
        for (filter, expected) in filters {
            let scan = file.scan().filter(filter.clone()).build().expect("a scan");
            let rows: usize = scan.map(|batch| batch.expect("rows").num_rows()).sum();
            assert_eq!(rows, expected, "{filter}");
        }
    }
}

#[cfg(feature = "sql")]
#[test]
fn whether_something_is_true_is_never_unknown() {
    let flags = BooleanArray::from(vec![Some(true), Some(false), None]);
    let batch = RecordBatch::try_from_iter([("flag", Arc::new(flags) as ArrayRef)]).expect("a batch");
    let file = ParquetFile::from_bytes(written(&batch, WriterOptions::builder())).expect("a file");
    for (text, expected) in [
        ("flag", vec![Some(true)]),
        ("not flag", vec![Some(false)]),
        ("flag is true", vec![Some(true)]),
        ("flag is false", vec![Some(false)]),
        ("not (flag is true)", vec![Some(false), None]),
        ("not flag is false", vec![Some(true), None]),
        ("flag is not true", vec![Some(false), None]),
        ("not (flag is not true)", vec![Some(true)]),
        ("not (flag is not false)", vec![Some(false)]),
        ("not (flag is true or flag is false)", vec![None]),
    ] {
        let scan = file.scan().filter(text.parse().expect(text)).build().expect("a scan");
        let found: Vec<Option<bool>> =
            scan.flat_map(|batch| batch.expect("rows").column(0).as_boolean().iter().collect::<Vec<_>>()).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_name_is_that_of_the_same_column_everywhere() {
    let inner = arrow_array::StructArray::from(vec![(
        Arc::new(arrow_schema::Field::new("b", arrow_schema::DataType::Int64, false)),
        Arc::new(Int64Array::from(vec![1, 9])) as ArrayRef,
    )]);
    let columns = [("a", Arc::new(inner) as ArrayRef), ("a.b", Arc::new(Int64Array::from(vec![7, 3])) as ArrayRef)];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let file = ParquetFile::from_bytes(written(&batch, WriterOptions::builder())).expect("a file");
    let rows = file.scan().columns(["a.b"]).filter(col("a.b").gt(5)).build().and_then(|scan| scan.read_all()).expect("rows");
    let found: Vec<i64> = rows.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect();
    assert_eq!(found, [7]);
}

/// Text of a dictionary takes more than metadata tell: what is read ahead of it is read again, batch by batch.
#[test]
fn rows_that_take_more_than_the_memory_are_those_of_a_plain_scan() {
    let rows = 20_000_i64;
    let words = (0..rows).map(|row| Some(char::from(b'a' + (row % 10) as u8).to_string().repeat(400)));
    let numbers = Int64Array::from_iter_values((0..rows).map(|row| row * 7 % 1_000));
    let words = Arc::new(StringArray::from_iter(words)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("word", words), ("n", Arc::new(numbers) as ArrayRef)]).expect("a batch");
    let bytes = bytes::Bytes::from(written(&batch, WriterOptions::builder()));
    let limits = Limits { memory_bytes: 1 << 20, batch_bytes: 1 << 20, ..Limits::default() };
    let file = ParquetFile::from_source_with(bytes.clone(), limits).expect("a file");
    for threads in [1, 2, 3] {
        let scan = || file.scan().strings(Strings::Utf8).batch_rows(400).threads(threads).filter(col("n").lt(600));
        let passing = |row: &i64| row * 7 % 1_000 < 600;
        let expected: Vec<i64> = (0..rows).filter(passing).collect();
        let read = scan().row_number("row").build().and_then(Iterator::collect::<Result<Vec<_>, _>>).expect("rows");
        let (pushed, _) = remote::push::drive_on(&mut scan().row_number("row").push().expect("a scan"), &bytes).expect("rows, pushed");
        for batches in [read, pushed] {
            let whole = concat_batches(&batches[0].schema(), &batches).expect("batches of one schema");
            let numbers = whole.column_by_name("row").expect("numbers").as_primitive::<arrow_array::types::Int64Type>();
            assert_eq!(numbers.values()[..], expected[..]);
            let words = whole.column_by_name("word").expect("words").as_string::<i32>();
            assert!(
                expected.iter().zip(words).all(|(row, word)| word.is_some_and(|word| word.as_bytes() == [b'a' + (row % 10) as u8; 400]))
            );
        }
    }
}

/// What the rows of a batch may take is not used up by those before.
#[test]
fn columns_of_conditions_take_room_for_each_batch_anew() {
    let rows = 400_000_i64;
    let numbers = Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row * 7 % 1_000))) as ArrayRef;
    let words = Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("word {}", row * 11 % 400_000)))) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("word", words), ("n", numbers)]).expect("a batch");
    let plain = ColumnOptions::new().encoding(Encoding::Plain);
    let bytes = bytes::Bytes::from(written(&batch, WriterOptions::builder().columns(plain)));
    let limits = Limits { memory_bytes: 1 << 20, batch_bytes: 1 << 20, ..Limits::default() };
    let file = ParquetFile::from_source_with(bytes, limits).expect("a file");
    for threads in [1, 2] {
        for filter in [col("n").lt(5), col("word").lt("word 1"), col("n").lt(600).and(col("word").lt("word 2"))] {
            let scan = file.scan().batch_rows(8_000).threads(threads).filter(filter.clone()).build().expect("a scan");
            let read: usize = scan.map(|batch| batch.expect("rows").num_rows()).sum();
            assert!(read > 0, "{filter}");
        }
    }
}

#[test]
fn what_does_not_go_is_refused_when_the_scan_is_built() {
    let file = ParquetFile::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/codecs.none-v1.parquet")).expect("a file");
    let refused = |scan: ScanBuilder| scan.build().expect_err("a refusal").to_string();
    assert!(refused(file.scan().filter(col("nothing").eq(1))).contains("there is no column \"nothing\" to filter by"));
    assert!(refused(file.scan().filter(col("word").eq(1))).contains("holds text and cannot be compared with 1"));
    assert!(refused(file.scan().filter(col("list").eq(1))).contains("list is a group"));
    let scan = file.scan().filter_rows(["word"], |_| Err("no luck".into())).threads(1).build().expect("a scan");
    assert!(scan.read_all().expect_err("the function's error").to_string().contains("no luck"));
    let scan = file.scan().filter_rows(["word"], |_| Ok(BooleanArray::from(vec![true]))).build().expect("a scan");
    assert!(scan.read_all().expect_err("too few booleans").to_string().contains("1 booleans for"));
    let panics = file.scan().filter_rows(["word"], |_| panic!("in the filter")).threads(2).build().expect("a scan");
    assert!(panics.read_all().is_err());
    assert!(file.scan().build().expect("a scan").next().expect("a batch").is_ok(), "another scan is not harmed");
}

/// Where pages are passed over, it does not matter that nobody knows the writer: unless their values share prefixes.
#[test]
fn pages_of_unknown_writers_are_passed_over() {
    let text: ArrayRef = Arc::new(StringArray::from_iter_values((0..8_000).map(|row| format!("some text {}", row % 1_999))));
    let number: ArrayRef = Arc::new(Int64Array::from_iter_values(0..8_000));
    let batch = RecordBatch::try_from_iter([("text", text), ("number", number)]).expect("a batch");
    for (encoding, pages_of_text) in [(Encoding::Plain, 2), (Encoding::DeltaByteArray, 40)] {
        let text = ColumnOptions::new().page_rows(200).encoding(encoding);
        let options = WriterOptions::builder().columns(ColumnOptions::new().page_rows(200)).column("text", text);
        let file = ParquetFile::from_bytes(written(&batch, options.created_by("somebody"))).expect("a file");
        let mut scan = file.scan().rows([4_100..4_101, 7_990..7_991]).threads(1).build().expect("a scan");
        let rows: Vec<RecordBatch> = scan.by_ref().map(|batch| batch.expect("rows")).collect();
        let expected = [batch.slice(4_100, 1), batch.slice(7_990, 1)];
        assert_eq!(concat_batches(&batch.schema(), &rows).expect("rows"), concat_batches(&batch.schema(), &expected).expect("rows"));
        assert_eq!(scan.metrics().pages_decoded, 2 + pages_of_text, "{encoding}");
    }
}

/// A dictionary is decoded for the pages that have indices into it, and not for those behind it where it was full.
#[test]
fn dictionaries_are_decoded_for_pages_that_need_them() {
    let text: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..60_000).map(|row| format!("text {}", row.min(30_000) % 100 + row / 10_000 * row))));
    let batch = RecordBatch::try_from_iter([("text", text)]).expect("a batch");
    let columns = ColumnOptions::new().page_rows(500).dictionary_bytes(100_000).compression(Compression::UNCOMPRESSED);
    let mut bytes = written(&batch, WriterOptions::builder().columns(columns));
    let file = ParquetFile::from_bytes(bytes.clone()).expect("a file");
    let pages = read::pages(Bytes::from(bytes.clone()), file.metadata(), 0, 0, &PageOptions::default()).expect("pages");
    let pages: Vec<_> = pages.map(|page| page.expect("a page")).collect();
    assert!(pages[0].is_dictionary());
    assert_eq!(pages[3].encoding(), Encoding::RleDictionary);
    assert!(![Encoding::RleDictionary, Encoding::PlainDictionary].contains(&pages[pages.len() - 1].encoding()));
    // The length of the first entry.
    let entries = pages[1].offset() as usize - pages[0].bytes().len();
    bytes[entries..entries + 4].fill(0xff);
    let file = ParquetFile::from_bytes(bytes).expect("a file");
    let row = |row: u64| file.scan().rows([row..row + 1, row + 1..row + 2]).threads(1).build().expect("a scan").read_all();
    assert!(row(1_200).expect_err("the dictionary is broken").to_string().contains("text"));
    let last = row(59_900).expect("no need of a dictionary");
    assert_eq!(concat_batches(&batch.schema(), &last).expect("rows"), batch.slice(59_900, 2));
    // Nor is it fetched for them.
    let mut scan = file.scan().rows(std::iter::once(59_900..59_901)).threads(1).build().expect("a scan");
    assert!(scan.by_ref().all(|batch| batch.is_ok()));
    let fetched = scan.metrics().bytes_fetched;
    assert!(fetched < pages[0].bytes().len() as u64 / 2, "{fetched} bytes of which {} are the dictionary's", pages[0].bytes().len());
}

/// Nor is it fetched where many rows are wanted, all of them in pages behind it.
#[test]
#[cfg(feature = "snappy")]
fn dictionaries_before_the_wanted_pages_are_left_alone() {
    let random = |row: i64| row.wrapping_mul(0x5851_f42d_4c95_7f2d) ^ (row << 7);
    let key: ArrayRef = Arc::new(Int64Array::from_iter_values(0..60_000));
    let value: ArrayRef =
        Arc::new(Int64Array::from_iter_values((0..60_000).map(|row| random(if row < 30_000 { row % 3_000 } else { row }))));
    let batch = RecordBatch::try_from_iter([("key", key), ("value", value)]).expect("a batch");
    let columns = ColumnOptions::new().page_rows(500).dictionary_bytes(100_000).compression(Compression::SNAPPY);
    let bytes = written(&batch, WriterOptions::builder().columns(columns));
    let file = ParquetFile::from_bytes(bytes.clone()).expect("a file");
    let pages: Vec<_> = read::pages(Bytes::from(bytes), file.metadata(), 0, 1, &PageOptions::default()).expect("pages").collect();
    let dictionary = pages[0].as_ref().expect("a page");
    assert!(dictionary.is_dictionary() && dictionary.bytes().len() > 90_000);
    assert!(![Encoding::RleDictionary, Encoding::PlainDictionary].contains(&pages[pages.len() - 1].as_ref().expect("a page").encoding()));
    for threads in [1, 2] {
        let filter = col("key").gt_eq(50_000).and(col("key").lt(52_000));
        let mut scan = file.scan().filter(filter).threads(threads).build().expect("a scan");
        let rows: Vec<RecordBatch> = scan.by_ref().map(|batch| batch.expect("rows")).collect();
        assert_eq!(concat_batches(&batch.schema(), &rows).expect("rows"), batch.slice(50_000, 2_000));
        // 16,000 bytes of each column, indexes and headers.
        let fetched = scan.metrics().bytes_fetched;
        assert!(fetched < 70_000, "{fetched} bytes");
        assert_eq!(scan.metrics().bytes, file.metadata().row_group(0).and_then(|group| group.total_compressed_size()).expect("a size"));
    }
}

/// The pages of columns that hold the first row are decompressed together, with the dictionaries that they need, whichever pages these are.
#[test]
#[cfg(feature = "snappy")]
fn pages_of_a_row_are_decompressed_together() {
    let text = |salt: i64| -> ArrayRef {
        let text = |row: i64| format!("text {} of {}", if row < 30_000 { row % 900 } else { row * salt }, row % 7);
        Arc::new(StringArray::from_iter((0..60_000).map(|row| (row % 11 != salt).then(|| text(row)))))
    };
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..60_000).map(|row| row / 3 * if row < 20_000 { 1 } else { row })));
    let columns = [("a", text(1)), ("numbers", numbers), ("b", text(2)), ("c", text(3))];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, name != "numbers"))).expect("a batch");
    let columns = ColumnOptions::new().page_rows(4_000).dictionary_bytes(60_000).compression(Compression::SNAPPY);
    let bytes = written(&batch, WriterOptions::builder().columns(columns));
    let file = ParquetFile::from_bytes(bytes).expect("a file");
    for first in [0, 3, 3_999, 4_000, 12_345, 29_999, 30_000, 41_000, 59_998] {
        let wanted = [first..first + 1, first + 1..first + 2];
        let scan = file.scan().rows(wanted).threads(1).build().expect("a scan");
        let rows = concat_batches(&batch.schema(), &scan.read_all().expect("rows")).expect("rows");
        assert_eq!(rows, batch.slice(first as usize, 2), "{first}");
        let far = file.scan().rows([first..first + 1, 59_999..60_000]).threads(1).build().expect("a scan");
        let rows = concat_batches(&batch.schema(), &far.read_all().expect("rows")).expect("rows");
        assert_eq!(rows.slice(1, 1), batch.slice(59_999, 1), "{first}");
    }
}
