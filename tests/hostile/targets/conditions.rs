//! Conditions in SQL: whatever text it is, a scan filtered by it gives the rows of a file of which nothing is known, and the printed
//! condition means the same.

use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field};
use herringbone::Result;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::predicate::Expr;
use herringbone::write::{BloomFilterOptions, ColumnOptions, StatisticsLevel, WriterOptions};

use super::judge;

const ROWS: usize = 200;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let expr: Expr = match text.parse() {
        Ok(expr) => expr,
        Err(error) => return judge(&error),
    };
    let [known, bare] = files();
    let rows = match (chosen(known, expr.clone()), chosen(bare, expr.clone())) {
        (Ok(pruned), Ok(read)) => {
            assert_eq!(pruned, read, "{expr}: other rows where statistics, indexes, bloom filters and dictionaries are asked");
            read
        }
        (Err(error), Err(_)) => return judge(&error),
        (one, other) => panic!("{expr}: {one:?} by statistics and {other:?} without"),
    };
    let others = chosen(known, expr.clone().not()).expect("the opposite of what could be asked");
    assert!(rows.iter().all(|row| others.binary_search(row).is_err()), "{expr}: rows that pass it and its opposite");
    // Parentheses may nest too deep once more of them are written.
    if let Ok(again) = expr.to_string().parse::<Expr>() {
        assert_eq!(chosen(known, again).expect("what was printed"), rows, "{text}, printed as {expr}: other rows");
    }
}

/// The numbers of the rows that pass.
fn chosen(file: &ParquetFile, filter: Expr) -> Result<Vec<i64>> {
    let scan = file.scan().threads(1).columns(["a"]).filter(filter).row_number("the row").build()?;
    let (announced, exact) = (scan.num_rows(), scan.is_exact());
    let numbers: Vec<i64> =
        scan.read_all()?.iter().flat_map(|batch| batch.column(1).as_primitive::<Int64Type>().values().to_vec()).collect();
    assert!(!exact || announced == numbers.len() as u64, "other rows than were announced");
    assert!(numbers.is_sorted(), "rows in another order");
    Ok(numbers)
}

/// The same rows twice: with all that a filter can be answered by, in small pieces, and with nothing.
fn files() -> &'static [ParquetFile; 2] {
    static FILES: OnceLock<[ParquetFile; 2]> = OnceLock::new();
    FILES.get_or_init(|| {
        let known = ColumnOptions::new().page_rows(10);
        let filtered = known.clone().bloom_filter(BloomFilterOptions::default());
        let known = WriterOptions::builder().row_group_rows(50).columns(known).threads(1);
        let known = ["b", "c", "d", "e", "i"].into_iter().fold(known, |known, column| known.column(column, filtered.clone()));
        let bare = ColumnOptions::new().dictionary(false).statistics(StatisticsLevel::None);
        let bare = WriterOptions::builder().offset_index(false).columns(bare).threads(1);
        [known, bare].map(|options| {
            let batch = batch();
            let options = options.build().expect("options that go together");
            let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), options).expect("a schema that can be written");
            writer.write(&batch).expect("memory takes all that is written to it");
            ParquetFile::from_bytes(writer.close_into().expect("memory takes all that is written to it").1).expect("what was written")
        })
    })
}

/// A column of each kind that conditions tell apart; names are short, so that text comes upon them.
fn batch() -> RecordBatch {
    let some = |row: &usize| row % 7 != 3;
    let numbers = || (0..ROWS).map(|row| some(&row).then_some(row as i64 / 3 - 20));
    let words = || (0..ROWS).map(|row| (row % 5 != 0).then(|| ["", "a", "ab", "b%_", "é", "zebra"][row / 9 % 6]));
    let doubles = (0..ROWS).map(|row| some(&row).then(|| [-1.5, -0.0, 0.0, 1.0, f64::NAN, f64::INFINITY, 1e300][row / 11 % 7]));
    let decimals = Decimal128Array::from_iter(numbers().map(|number| number.map(|number| i128::from(number) * 25)));
    let times = TimestampMicrosecondArray::from_iter(numbers().map(|number| number.map(|number| number * 86_400_000_000 + 1)));
    let inner = Field::new("x", DataType::Int64, true);
    let groups = StructArray::from(vec![(Arc::new(inner), Arc::new(Int64Array::from_iter(numbers())) as ArrayRef)]);
    let lists = (0..ROWS).map(|row| some(&row).then(|| (0..row % 4).map(|item| Some(item as i64)).collect::<Vec<_>>()));
    RecordBatch::try_from_iter_with_nullable([
        ("a", Arc::new(Int64Array::from_iter_values((0..ROWS).map(|row| row as i64))) as ArrayRef, false),
        ("b", Arc::new(Int64Array::from_iter(numbers())), true),
        ("c", Arc::new(StringArray::from_iter(words())), true),
        ("d", Arc::new(Float64Array::from_iter(doubles)), true),
        ("e", Arc::new(decimals.with_precision_and_scale(12, 2).expect("a decimal type")), true),
        ("f", Arc::new(Date32Array::from_iter(numbers().map(|number| number.map(|number| number as i32)))), true),
        ("g", Arc::new(times), true),
        ("h", Arc::new((0..ROWS).map(|row| some(&row).then_some(row % 90 < 40)).collect::<BooleanArray>()), true),
        ("i", Arc::new(BinaryArray::from_iter(words().map(|word| word.map(str::as_bytes)))), true),
        ("s", Arc::new(groups), false),
        ("l", Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists)), true),
    ])
    .expect("columns of as many rows")
}
