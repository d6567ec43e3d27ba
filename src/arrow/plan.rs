//! A scan cut into batches, and each row group into lanes of work.

#![allow(clippy::arithmetic_side_effects, reason = "rows and batches are counted after the sum of all rows was checked")]

use std::ops::Range;
use std::sync::Arc;

use crate::arrow::file::ParquetFile;
use crate::arrow::types::Mapped;
use crate::encoding::Shape;
use crate::error::{Error, Result};
use crate::metadata::ChunkLocation;
use crate::read::{Counted, Counters};

/// What a scan reads.
pub(crate) struct Plan {
    pub(crate) file: ParquetFile,
    /// The root fields.
    pub(crate) fields: Vec<Mapped>,
    /// The leaves of each root field.
    pub(crate) leaves: Vec<Vec<usize>>,
    pub(crate) groups: Vec<Group>,
    pub(crate) batches: Vec<Batch>,
    /// Whether byte arrays stay dictionary indices until they are Arrow arrays.
    pub(crate) keep_indices: bool,
    pub(crate) verify_crc: bool,
    pub(crate) counters: Arc<Counters>,
}

/// The rows of one row group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) index: usize,
    /// The number of its first row in the file.
    pub(crate) first_row: u64,
    pub(crate) num_rows: u64,
    /// Rows to read, counted from its first.
    pub(crate) ranges: Vec<Range<u64>>,
}

impl Group {
    /// The number of rows to read.
    pub(crate) fn rows(&self) -> u64 {
        self.ranges.iter().map(|range| range.end - range.start).fold(0, u64::saturating_add)
    }
}

/// One batch.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// An index in [`Plan::groups`].
    pub(crate) group: usize,
    /// Rows to read, counted from the first row of the row group.
    pub(crate) ranges: Vec<Range<u64>>,
    pub(crate) rows: usize,
}

impl Plan {
    pub(crate) fn new(file: ParquetFile, fields: Vec<Mapped>, groups: Vec<Group>, keep_indices: bool, verify_crc: bool) -> Result<Self> {
        let leaves = fields.iter().map(Mapped::leaves).collect();
        let counters = Arc::new(Counters::default());
        // Of bytes that are pushed, the pushes count.
        let file = match file.origin.pushed {
            Some(_) => file,
            None => ParquetFile { source: Arc::new(Counted { source: Arc::clone(&file.source), counters: Arc::clone(&counters) }), ..file },
        };
        let mut plan = Self { file, fields, leaves, groups: Vec::new(), batches: Vec::new(), keep_indices, verify_crc, counters };
        for group in groups {
            if !plan.is_absent(group.index)? {
                plan.groups.push(group);
            }
        }
        Ok(plan)
    }

    /// Cuts the rows of all groups into batches.
    pub(crate) fn in_batches(mut self, batch_rows: usize) -> Result<Self> {
        for group in 0..self.groups.len() {
            let rows = self.rows_of_batches(group, batch_rows)?;
            self.check_number(group, rows as u64)?;
            self.cut(group, rows as u64);
        }
        Ok(self)
    }

    /// Whether a row group has no metadata for any of the columns: then there is nothing to read, as other readers find too.
    fn is_absent(&self, row_group: usize) -> Result<bool> {
        let mut leaves = self.leaves.iter().flatten();
        let Some(first) = leaves.next() else { return Ok(false) };
        if !self.location(row_group, *first)?.absent {
            return Ok(false);
        }
        for leaf in leaves {
            if !self.location(row_group, *leaf)?.absent {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many rows a batch of a group gets, so that it stays within its bytes as far as the metadata can tell.
    pub(crate) fn rows_of_batches(&self, group: usize, most: usize) -> Result<usize> {
        let Some(group) = self.groups.get(group) else { return Ok(most) };
        // Arrow's arrays take up to 32 bytes a value even where the file's are of one byte.
        let (mut bytes, mut widest) = (0u64, 32);
        for leaf in self.leaves.iter().flatten() {
            bytes = bytes.saturating_add(self.location(group.index, *leaf)?.uncompressed_size);
            widest = widest.max(self.width(*leaf));
        }
        let limit = self.file.limits.batch_bytes as u64;
        let per_row = bytes.checked_div(group.num_rows).unwrap_or(0).max(1);
        let fit = (limit / 4 / per_row).min(limit / widest).max(1);
        Ok(usize::try_from(fit).unwrap_or(most).min(most))
    }

    /// Bytes of a row's place in a leaf's array, where rows have one each and these are of one width.
    fn width(&self, leaf: usize) -> u64 {
        let leaf = self.file.metadata.schema().leaves().get(leaf).filter(|leaf| leaf.max_repetition_level == 0);
        let shape = leaf.map(|leaf| Shape { physical_type: leaf.physical_type, width: leaf.type_length });
        shape.and_then(Shape::fixed_width).unwrap_or(1) as u64
    }

    /// A few bytes can lawfully claim more rows than there is memory to list their batches.
    fn check_number(&self, group: usize, rows: u64) -> Result<()> {
        const BATCH_BYTES: u64 = 128;
        let limit = self.file.limits.metadata_bytes;
        let ranges = self.groups.get(group).map_or(&[][..], |group| &group.ranges);
        let wanted =
            ranges.iter().map(|range| (range.end - range.start) / rows.max(1) + 2).fold(self.batches.len() as u64, u64::saturating_add);
        if wanted.saturating_mul(BATCH_BYTES) > (limit as u64).max(1 << 20) {
            return Err(Error::limit(format!(
                "a scan of at least {wanted} batches, whose list takes more than the {limit} bytes of Limits::metadata_bytes: bound the rows by limit"
            )));
        }
        Ok(())
    }

    fn cut(&mut self, group: usize, rows: u64) {
        let Some(ranges) = self.groups.get(group).map(|group| group.ranges.clone()) else { return };
        let mut batch = Batch { group, ranges: Vec::new(), rows: 0 };
        for range in ranges {
            let mut start = range.start;
            while start < range.end {
                let taken = (range.end - start).min(rows - batch.rows as u64);
                batch.ranges.push(start..start + taken);
                batch.rows += taken as usize;
                start += taken;
                if batch.rows as u64 == rows {
                    self.batches.push(std::mem::replace(&mut batch, Batch { group, ranges: Vec::new(), rows: 0 }));
                }
            }
        }
        if batch.rows > 0 {
            self.batches.push(batch);
        }
    }

    /// Where the chunk of a leaf lies.
    pub(crate) fn location(&self, row_group: usize, leaf: usize) -> Result<ChunkLocation> {
        let group = self.file.metadata.row_group(row_group).ok_or_else(|| Error::usage(format!("there is no row group {row_group}")))?;
        group.chunk(leaf)
    }

    pub(crate) fn num_rows(&self) -> u64 {
        self.batches.iter().map(|batch| batch.rows as u64).sum()
    }

    /// The numbers in the file of a batch's rows.
    pub(crate) fn row_numbers(&self, batch: &Batch) -> Vec<Range<u64>> {
        let first = self.groups.get(batch.group).map_or(0, |group| group.first_row);
        batch.ranges.iter().map(|range| first + range.start..first + range.end).collect()
    }
}
