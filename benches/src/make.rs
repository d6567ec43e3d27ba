//! Writes the files with the official crate, so that what is read does not change with our writer.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Date32Type;
use arrow_array::{RecordBatchReader, UInt32Array};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::data_type::{Int96, Int96Type};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use crate::Result;
use crate::random::Random;
use crate::shapes::{self, Shape};

const INT96: &str = "ts_int96";

/// The names of all files of the comparison.
pub fn names() -> Vec<&'static str> {
    shapes::all().iter().map(|shape| shape.name).chain([INT96]).collect()
}

/// Makes a file of the comparison unless it is there, and returns its path. `scale` is the share of the rows of a full file.
pub fn file(folder: &Path, name: &str, scale: f64) -> Result<PathBuf> {
    let path = folder.join(format!("{name}.parquet"));
    unless_there(path, |path| {
        if name == INT96 {
            return int96(path, rows(4_000_000, scale), 8);
        }
        let shape = shapes::all().into_iter().find(|shape| shape.name == name).ok_or_else(|| format!("there is no file {name}"))?;
        // What a wide file is about are its columns.
        let scale = if name.starts_with("wide") { 1.0 } else { scale };
        table(&shape, rows(shape.rows, scale), path)
    })
}

/// Makes a file of many columns unless it is there, and returns its path.
pub fn wide(folder: &Path, columns: usize, groups: usize, rows_in_group: usize) -> Result<PathBuf> {
    let path = folder.join(format!("columns_{columns}x{groups}.parquet"));
    unless_there(path, |path| {
        let mut random = Random::new(columns as u64);
        let properties = properties(Compression::SNAPPY).build();
        write(path, properties, (0..groups).map(|_| shapes::wide(&mut random, rows_in_group, columns)))
    })
}

/// Makes lineitem sorted by `l_shipdate` unless it is there, and returns its path: with a page index, pages of 64 KiB, row groups of 500,000 rows
/// and a bloom filter of `l_orderkey`.
pub fn sorted(folder: &Path, scale: f64) -> Result<PathBuf> {
    let generated = file(folder, "lineitem", scale)?;
    unless_there(folder.join("lineitem_sorted.parquet"), |path| {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&generated)?)?.build()?;
        let schema = reader.schema();
        let all = concat_batches(&schema, &reader.collect::<Result<Vec<_>, _>>()?)?;
        let days = all.column_by_name("l_shipdate").and_then(|column| column.as_primitive_opt::<Date32Type>());
        let days = days.ok_or("lineitem has no l_shipdate that is a date")?;
        let mut order: Vec<u32> = (0..u32::try_from(days.len())?).collect();
        order.sort_by_key(|row| days.value(*row as usize));
        let key = ColumnPath::from("l_orderkey");
        let group_rows = rows(500_000, scale);
        let properties = properties(Compression::SNAPPY)
            .set_data_page_size_limit(64 << 10)
            .set_column_bloom_filter_enabled(key.clone(), true)
            .set_column_bloom_filter_max_ndv(key.clone(), 500_000)
            .set_column_bloom_filter_fpp(key, 0.01);
        let groups = order.chunks(group_rows).map(|rows| take_record_batch(&all, &UInt32Array::from(rows.to_vec())));
        write(path, properties.build(), groups.collect::<Result<Vec<_>, _>>()?.into_iter())
    })
}

fn rows(full: usize, scale: f64) -> usize {
    ((full as f64 * scale) as usize).max(1000)
}

/// A file appears under its name when it is whole.
fn unless_there(path: PathBuf, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    if !path.exists() {
        eprintln!("making {}", path.display());
        let part = path.with_extension("part");
        make(&part)?;
        fs::rename(&part, &path)?;
    }
    Ok(path)
}

fn properties(compression: Compression) -> WriterPropertiesBuilder {
    WriterProperties::builder().set_compression(compression).set_max_row_group_row_count(None).set_created_by("benches".into())
}

fn table(shape: &Shape, rows: usize, path: &Path) -> Result<()> {
    let mut random = Random::new(42);
    let mut properties = properties(shape.compression);
    if let Some(encoding) = shape.encoding {
        properties = properties.set_dictionary_enabled(false).set_encoding(encoding);
    }
    if shape.v2 {
        properties = properties.set_writer_version(WriterVersion::PARQUET_2_0);
    }
    write(path, properties.build(), (0..shape.groups).map(|_| (shape.data)(&mut random, rows / shape.groups)))
}

/// Writes each batch as a row group.
fn write(path: &Path, properties: WriterProperties, mut groups: impl Iterator<Item = arrow_array::RecordBatch>) -> Result<()> {
    let first = groups.next().ok_or("a file has at least one row group")?;
    let mut writer = ArrowWriter::try_new(File::create(path)?, first.schema(), Some(properties))?;
    for group in std::iter::once(first).chain(groups) {
        writer.write(&group)?;
        writer.flush()?;
    }
    writer.close()?;
    Ok(())
}

/// Timestamps as INT96, which Arrow writers no longer write.
fn int96(path: &Path, rows: usize, groups: usize) -> Result<()> {
    let mut random = Random::new(96);
    let schema = Arc::new(parse_message_type("message m { optional int96 v; }")?);
    let properties = properties(Compression::UNCOMPRESSED).set_dictionary_enabled(false).build();
    let mut file = SerializedFileWriter::new(File::create(path)?, schema, Arc::new(properties))?;
    for _ in 0..groups {
        let values: Vec<Int96> = shapes::int96(&mut random, rows / groups).into_iter().map(|words| Int96::from(words.to_vec())).collect();
        let mut group = file.next_row_group()?;
        let mut column = group.next_column()?.ok_or("the schema has a column")?;
        column.typed::<Int96Type>().write_batch(&values, Some(&vec![1; values.len()]), None)?;
        column.close()?;
        group.close()?;
    }
    file.close()?;
    Ok(())
}
