//! The crate `polars-parquet`, driven as Polars itself drives it: the file is mapped into memory, and columns of row groups are decoded whole.

use std::fs::File;
use std::io::Cursor;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use polars_arrow::array::{Array, BooleanArray, ListArray, MapArray, PrimitiveArray, StructArray, Utf8ViewArray};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field, PhysicalType};
use polars_arrow::offset::Offset;
use polars_arrow::record_batch::RecordBatchT;
use polars_arrow::types::NativeType;
use polars_arrow::with_match_primitive_type_full;
use polars_buffer::Buffer;
use polars_parquet::read::{BasicDecompressor, FileMetadata, PageReader, column_iter_to_arrays, infer_schema, read_metadata};
use polars_parquet::write::{
    CompressionOptions, Encoding, FileWriter, StatisticsOptions, Version, WriteOptions, ZstdLevel, row_group_iter, to_parquet_schema,
};
use polars_utils::mmap::MMapSemaphore;
use rayon::prelude::*;

use super::{Engine, Table, WriteCodec};
use crate::Result;
use crate::digest::Digest;

pub struct Polars;

/// One chunk a row group, or as many as it was decoded to; of each the arrays of all columns.
struct Chunks {
    schema: ArrowSchema,
    /// Of each row group, of each column, its arrays.
    groups: Vec<Vec<Vec<Box<dyn Array>>>>,
    rows: usize,
}

/// A file that was opened.
struct Opened {
    bytes: Buffer<u8>,
    metadata: FileMetadata,
    schema: ArrowSchema,
}

impl Engine for Polars {
    fn name(&self) -> &'static str {
        "polars-parquet 0.55"
    }

    fn read(&self, path: &Path, columns: Option<&[String]>, threads: usize) -> Result<Box<dyn Table>> {
        let opened = Opened::open(path, columns)?;
        let fields: Vec<&Field> = opened.schema.iter_values().collect();
        let groups = 0..opened.metadata.row_groups.len();
        let groups = if threads == 1 {
            groups.map(|group| fields.iter().map(|field| opened.column(group, field)).collect()).collect::<Result<Vec<_>>>()?
        } else {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            let group = |group| fields.par_iter().map(|field| opened.column(group, field)).collect();
            pool.install(|| groups.into_par_iter().map(group).collect::<Result<Vec<_>>>())?
        };
        Ok(Box::new(Chunks { rows: opened.metadata.num_rows, schema: opened.schema, groups }))
    }

    /// Parts are row groups: it decodes no smaller ones.
    fn stream(&self, path: &Path, _: Option<usize>, threads: usize) -> Result<usize> {
        let opened = Opened::open(path, None)?;
        let fields: Vec<&Field> = opened.schema.iter_values().collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let mut rows = 0;
        for group in 0..opened.metadata.row_groups.len() {
            let columns: Vec<_> = match threads {
                1 => fields.iter().map(|field| opened.column(group, field)).collect::<Result<_>>()?,
                _ => pool.install(|| fields.par_iter().map(|field| opened.column(group, field)).collect::<Result<_>>())?,
            };
            rows += columns.first().map_or(0, |arrays| arrays.iter().map(|array| array.len()).sum());
        }
        Ok(rows)
    }
}

impl Opened {
    fn open(path: &Path, columns: Option<&[String]>) -> Result<Self> {
        let bytes = Buffer::from_owner(MMapSemaphore::new_from_file(&File::open(path)?)?);
        let metadata = read_metadata(&mut Cursor::new(bytes.as_slice()))?;
        let mut schema = infer_schema(&metadata)?;
        if let Some(columns) = columns {
            let field = |name: &String| schema.get(name).cloned().ok_or_else(|| format!("there is no column {name}"));
            schema = columns.iter().map(field).collect::<Result<_, _>>()?;
        }
        Ok(Self { bytes, metadata, schema })
    }

    /// Decodes a field of a row group.
    fn column(&self, group: usize, field: &Field) -> Result<Vec<Box<dyn Array>>> {
        let chunks = self.metadata.row_groups[group].columns_under_root_iter(&field.name).ok_or("a column has no chunks")?;
        let (mut pages, mut types) = (Vec::new(), Vec::new());
        for chunk in chunks {
            let range = chunk.byte_range();
            let bytes = self.bytes.clone().sliced(range.start as usize..range.end as usize);
            let reader = PageReader::new(Cursor::new(bytes), chunk, Vec::new(), usize::MAX);
            pages.push(BasicDecompressor::new(reader, Vec::new()));
            types.push(&chunk.descriptor().descriptor.primitive_type);
        }
        Ok(column_iter_to_arrays(pages, types, field.clone(), None)?.0)
    }
}

impl Table for Chunks {
    fn rows(&self) -> usize {
        self.rows
    }

    fn digests(&self) -> Result<Vec<u64>> {
        let mut digests = vec![Digest::default(); self.schema.len()];
        for group in &self.groups {
            for (arrays, digest) in group.iter().zip(&mut digests) {
                arrays.iter().try_for_each(|array| add(array.as_ref(), 0..array.len(), digest))?;
            }
        }
        Ok(digests.into_iter().map(Digest::get).collect())
    }

    fn bytes(&self) -> usize {
        let arrays = self.groups.iter().flatten().flatten();
        arrays.map(|array| polars_arrow::compute::aggregate::estimated_bytes_size(array.as_ref())).sum()
    }

    /// Row groups are those that were read.
    fn write(&self, codec: WriteCodec, _: usize, out: &mut Vec<u8>) -> Result<()> {
        let compression = match codec {
            WriteCodec::None => CompressionOptions::Uncompressed,
            WriteCodec::Snappy => CompressionOptions::Snappy,
            WriteCodec::Zstd => CompressionOptions::Zstd(Some(ZstdLevel::try_new(1)?)),
        };
        let options = WriteOptions { statistics: StatisticsOptions::default(), version: Version::V1, compression, data_page_size: None };
        let types = to_parquet_schema(&self.schema)?.fields().to_vec();
        let encodings: Vec<Vec<Encoding>> = self.schema.iter_values().map(|field| encodings(&field.dtype)).collect();
        let mut writer = FileWriter::try_new(out, self.schema.clone(), options)?;
        let schema = Arc::new(self.schema.clone());
        for group in &self.groups {
            let parts = group.first().map_or(0, Vec::len);
            for part in 0..parts {
                let arrays: Vec<Box<dyn Array>> = group.iter().map(|arrays| arrays[part].clone()).collect();
                let rows = arrays[0].len();
                let batch = RecordBatchT::try_new(rows, schema.clone(), arrays)?;
                writer.write(rows as u64, row_group_iter(batch, Buffer::from_vec(encodings.clone()), types.clone(), options))?;
            }
        }
        writer.end(None)?;
        Ok(())
    }
}

/// The encodings of a column's leaves that Polars chooses.
fn encodings(dtype: &ArrowDataType) -> Vec<Encoding> {
    match dtype.to_storage() {
        ArrowDataType::List(item) | ArrowDataType::LargeList(item) | ArrowDataType::Map(item, _) => encodings(&item.dtype),
        ArrowDataType::Struct(fields) => fields.iter().flat_map(|field| encodings(&field.dtype)).collect(),
        storage => vec![match storage.to_physical_type() {
            PhysicalType::Boolean => Encoding::Rle,
            PhysicalType::Primitive(_) | PhysicalType::Utf8View | PhysicalType::BinaryView => Encoding::RleDictionary,
            _ => Encoding::Plain,
        }],
    }
}

/// The twin of the digest of Arrow arrays.
fn add(array: &dyn Array, range: Range<usize>, digest: &mut Digest) -> Result<()> {
    match array.dtype().to_physical_type() {
        PhysicalType::Primitive(primitive) => with_match_primitive_type_full!(primitive, |$T| {
            primitives::<$T>(array, range, digest)
        }),
        PhysicalType::Boolean => {
            let booleans = cast::<BooleanArray>(array)?;
            slots(array, range, digest, |i, digest| {
                digest.word(u64::from(booleans.value(i)));
                Ok(())
            })
        }
        PhysicalType::Utf8View => {
            let text = cast::<Utf8ViewArray>(array)?;
            slots(array, range, digest, |i, digest| {
                digest.bytes(text.value(i).as_bytes());
                Ok(())
            })
        }
        PhysicalType::List => lists::<i32>(array, range, digest),
        PhysicalType::LargeList => lists::<i64>(array, range, digest),
        PhysicalType::Map => {
            let maps = cast::<MapArray>(array)?;
            slots(array, range, digest, |i, digest| list(maps.offsets().as_slice(), i, maps.field().as_ref(), digest))
        }
        PhysicalType::Struct => {
            let structs = cast::<StructArray>(array)?;
            slots(array, range, digest, |i, digest| structs.values().iter().try_for_each(|child| add(child.as_ref(), i..i + 1, digest)))
        }
        other => Err(format!("values of {other:?} are not compared").into()),
    }
}

fn cast<T: 'static>(array: &dyn Array) -> Result<&T> {
    Ok(array.as_any().downcast_ref().ok_or("an array is of another type than it says")?)
}

fn slots(array: &dyn Array, range: Range<usize>, digest: &mut Digest, value: impl Fn(usize, &mut Digest) -> Result<()>) -> Result<()> {
    for i in range {
        if array.is_null(i) { digest.null() } else { value(i, digest)? }
    }
    Ok(())
}

fn primitives<T: NativeType>(array: &dyn Array, range: Range<usize>, digest: &mut Digest) -> Result<()> {
    let values = cast::<PrimitiveArray<T>>(array)?;
    slots(array, range, digest, |i, digest| {
        digest.bytes(values.value(i).to_le_bytes().as_ref());
        Ok(())
    })
}

fn lists<O: Offset>(array: &dyn Array, range: Range<usize>, digest: &mut Digest) -> Result<()> {
    let lists = cast::<ListArray<O>>(array)?;
    slots(array, range, digest, |i, digest| list(lists.offsets().as_slice(), i, lists.values().as_ref(), digest))
}

fn list<O: Offset>(offsets: &[O], i: usize, items: &dyn Array, digest: &mut Digest) -> Result<()> {
    let range = offsets[i].to_usize()..offsets[i + 1].to_usize();
    digest.word(range.len() as u64);
    add(items, range, digest)
}
