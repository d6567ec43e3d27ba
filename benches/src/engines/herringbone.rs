//! This crate.

use std::path::Path;

use arrow_array::RecordBatch;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::write::WriterOptions;

use super::{Engine, Table, WriteCodec};
use crate::{Result, digest};

pub struct Herringbone;

struct Batches(Vec<RecordBatch>);

impl Engine for Herringbone {
    fn name(&self) -> &'static str {
        "herringbone"
    }

    fn read(&self, path: &Path, columns: Option<&[String]>, threads: usize) -> Result<Box<dyn Table>> {
        let mut scan = ParquetFile::open(path)?.scan().threads(threads);
        if let Some(columns) = columns {
            scan = scan.columns(columns);
        }
        Ok(Box::new(Batches(scan.build()?.read_all()?)))
    }

    fn stream(&self, path: &Path, rows: Option<usize>, threads: usize) -> Result<usize> {
        let mut scan = ParquetFile::open(path)?.scan().threads(threads);
        if let Some(rows) = rows {
            scan = scan.batch_rows(rows);
        }
        scan.build()?.map(|batch| Ok(batch?.num_rows())).sum()
    }
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
        let options =
            WriterOptions::builder().compression(codec.name().parse()?).row_group_rows(row_group_rows as u64).threads(1).build()?;
        let schema = self.0.first().ok_or("there is nothing to write")?.schema();
        let mut writer = ArrowWriter::try_new(out, schema, options)?;
        for batch in &self.0 {
            writer.write(batch)?;
        }
        writer.close()?;
        Ok(())
    }
}
