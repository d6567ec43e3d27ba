//! The crate `parquet` of the Arrow project.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use arrow_array::RecordBatch;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::{Engine, Table, WriteCodec};
use crate::{Result, digest};

pub struct Official;

struct Batches(Vec<RecordBatch>);

impl Engine for Official {
    fn name(&self) -> &'static str {
        "parquet 60"
    }

    /// It knows no threads: as a caller would by hand, row groups are dealt out to them.
    fn read(&self, path: &Path, columns: Option<&[String]>, threads: usize) -> Result<Box<dyn Table>> {
        let metadata = ArrowReaderMetadata::load(&File::open(path)?, Default::default())?;
        let groups = metadata.metadata().num_row_groups();
        let part = |t: usize| -> Result<Vec<Vec<RecordBatch>>> {
            let mine = (0..groups).filter(|group| group % threads == t);
            mine.map(|group| Ok(reader(path, &metadata, columns, vec![group])?.collect::<Result<_, _>>()?)).collect()
        };
        if threads == 1 {
            let batches = reader(path, &metadata, columns, (0..groups).collect())?.collect::<Result<_, _>>()?;
            return Ok(Box::new(Batches(batches)));
        }
        let parts = std::thread::scope(|scope| {
            let part = &part;
            let handles: Vec<_> = (0..threads).map(|t| scope.spawn(move || part(t))).collect();
            handles.into_iter().map(|handle| handle.join().map_err(|_| "a thread panicked")?).collect::<Result<Vec<_>>>()
        })?;
        let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
        Ok(Box::new(Batches((0..groups).flat_map(|group| parts[group % threads].next().unwrap_or_default()).collect())))
    }

    /// Each thread streams its row groups.
    fn stream(&self, path: &Path, rows: Option<usize>, threads: usize) -> Result<usize> {
        let metadata = ArrowReaderMetadata::load(&File::open(path)?, Default::default())?;
        let groups = metadata.metadata().num_row_groups();
        let part = |t: usize| -> Result<usize> {
            let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(path)?, metadata.clone());
            if let Some(rows) = rows {
                builder = builder.with_batch_size(rows);
            }
            let reader = builder.with_row_groups((0..groups).filter(|group| group % threads == t).collect()).build()?;
            reader.map(|batch| Ok(batch?.num_rows())).sum()
        };
        if threads == 1 {
            return part(0);
        }
        std::thread::scope(|scope| {
            let part = &part;
            let handles: Vec<_> = (0..threads).map(|t| scope.spawn(move || part(t))).collect();
            handles.into_iter().map(|handle| handle.join().map_err(|_| "a thread panicked")?).sum()
        })
    }
}

fn reader(path: &Path, metadata: &ArrowReaderMetadata, columns: Option<&[String]>, groups: Vec<usize>) -> Result<ParquetRecordBatchReader> {
    let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(path)?, metadata.clone());
    if let Some(columns) = columns {
        // `ProjectionMask::columns` and `Schema::index_of` compare every name with every column.
        let known: HashMap<&str, usize> = if columns.len() > 8 {
            builder.schema().fields().iter().enumerate().map(|(i, field)| (field.name().as_str(), i)).collect()
        } else {
            columns.iter().filter_map(|name| Some((name.as_str(), builder.schema().index_of(name).ok()?))).collect()
        };
        let root = |name: &String| known.get(name.as_str()).copied().ok_or_else(|| format!("there is no column {name}"));
        let roots: Vec<usize> = columns.iter().map(root).collect::<Result<_, _>>()?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        builder = builder.with_projection(mask);
    }
    Ok(builder.with_batch_size(65_536).with_row_groups(groups).build()?)
}

impl Table for Batches {
    fn rows(&self) -> usize {
        self.0.iter().map(RecordBatch::num_rows).sum()
    }

    fn digests(&self) -> Result<Vec<u64>> {
        digest::of_batches(&self.0)
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(RecordBatch::get_array_memory_size).sum()
    }

    fn write(&self, codec: WriteCodec, row_group_rows: usize, out: &mut Vec<u8>) -> Result<()> {
        let compression = match codec {
            WriteCodec::None => Compression::UNCOMPRESSED,
            WriteCodec::Snappy => Compression::SNAPPY,
            WriteCodec::Zstd => Compression::ZSTD(Default::default()),
        };
        let properties = WriterProperties::builder().set_compression(compression).set_max_row_group_row_count(Some(row_group_rows)).build();
        let schema = self.0.first().ok_or("there is nothing to write")?.schema();
        let mut writer = ArrowWriter::try_new(out, schema, Some(properties))?;
        for batch in &self.0 {
            writer.write(batch)?;
        }
        writer.close()?;
        Ok(())
    }
}
