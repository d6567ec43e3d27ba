//! Rewriting without decoding: column chunks are copied as they are, with their indexes and bloom filters; only offsets
//! change. That concatenates files of one schema, leaves columns out ([`without_other_columns`]), changes application
//! metadata, and appends row groups to a file.
//!
//! What the name of a file's writer says about its bytes is lost, since the new file has another one: statistics that must
//! not be believed are left behind, and chunks that only their writer's faults explain are refused.

// Here other files are read.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod adopt;
mod append;
mod copy;
mod owned;
mod prune;
/// They write with every codec.
#[cfg(all(test, feature = "snappy", feature = "gzip", feature = "zstd", feature = "lz4", feature = "brotli"))]
mod tests;

pub use prune::without_other_columns;

use std::collections::HashMap;
use std::io::Write;

use crate::error::{Error, Result};
use crate::format::{RowGroup, SortingColumn};
use crate::limits::Limits;
use crate::metadata::{self, FileMetadata};
use crate::read::{self, Source};
use crate::write::FileWriter;
use crate::write::rewrite::adopt::adopt;
use crate::write::rewrite::copy::{Room, copy_bloom_filter, copy_chunk};

/// How many bytes of page indexes, which are written at the end of the file, may be kept while row groups are copied one by one.
const MOST_WAITING: u64 = 256 << 20;

impl<W: Write> FileWriter<W> {
    /// Copies all row groups of a file, and returns its metadata. Its schema is that of this file, or has more columns, which
    /// are left behind.
    ///
    /// # Errors
    /// As for [`copy_row_group`](Self::copy_row_group), and those of [`read::metadata`] and [`FileMetadata::check_has_data`].
    pub fn copy_file(&mut self, source: &(impl Source + ?Sized)) -> Result<FileMetadata> {
        self.copy_file_within(source, &Limits::default())
    }

    /// As [`copy_file`](Self::copy_file), within limits of the caller's for the other file's metadata, indexes and bloom filters.
    ///
    /// # Errors
    /// As for [`copy_file`](Self::copy_file).
    pub fn copy_file_within(&mut self, source: &(impl Source + ?Sized), limits: &Limits) -> Result<FileMetadata> {
        let metadata = read::metadata(source, limits)?;
        metadata.check_has_data()?;
        self.assembler.check()?;
        let (columns, mut room) = (self.columns_in(&metadata)?, Room::of(source, limits)?);
        for group in metadata.row_groups() {
            self.copy_group(source, &group, &columns, &mut room)?;
        }
        Ok(metadata)
    }

    /// Copies a row group of another file without decoding it: pages, page index, bloom filters, statistics.
    ///
    /// # Errors
    /// `Usage` when the other file lacks a column of this one or has it in another form; `Unsupported` when a chunk is
    /// encrypted, lies in yet another file, or was written by a writer whose faults readers know by its name; `Malformed` when
    /// the other file's metadata are, or what they refer to overlaps so that it is more than the file; `Limit` while page indexes
    /// of more than 256 MiB wait for the end of this file; `Io` from the source and the sink.
    pub fn copy_row_group(&mut self, source: &(impl Source + ?Sized), metadata: &FileMetadata, row_group: usize) -> Result<()> {
        self.assembler.check()?;
        if self.assembler.waiting() > MOST_WAITING {
            return Err(Error::limit(format!(
                "page indexes of more than {MOST_WAITING} bytes wait for the end of the file: begin another one"
            )));
        }
        let columns = self.columns_in(metadata)?;
        let group = metadata
            .row_group(row_group)
            .ok_or_else(|| Error::usage(format!("there is no row group {row_group}: the file has {}", metadata.num_row_groups())))?;
        self.copy_group(source, &group, &columns, &mut Room::of(source, &Limits::default())?)
    }

    /// Copies the chunks of these columns, of which the source has so many bytes at the most.
    fn copy_group(
        &mut self,
        source: &(impl Source + ?Sized),
        group: &metadata::RowGroup<'_>,
        columns: &[usize],
        room: &mut Room,
    ) -> Result<()> {
        if group.num_rows() == 0 {
            return Ok(());
        }
        self.take_orders_of(group.file(), columns);
        // All that can be wrong with the metadata comes up before the first byte is written.
        let orders = self.column_orders.iter();
        let adopted = columns.iter().zip(orders).map(|(column, order)| adopt(group, *column, order)).collect::<Result<Vec<_>>>()?;
        let sorting = sorting_columns(&group.sorting_columns()?, columns);
        let num_rows = i64::try_from(group.num_rows()).map_err(|_| Error::malformed("a row group of more than 2^63 rows"))?;
        self.assembler.guarded(|assembler| {
            let (mut entries, mut indexes, mut filters) = (Vec::new(), Vec::new(), Vec::new());
            for (column, adopted) in columns.iter().zip(adopted) {
                filters.push(adopted.location.bloom_filter);
                let copied = copy_chunk(source, adopted, assembler, room);
                let (entry, index) = copied.map_err(|error| adopt::place(group, *column, error))?;
                entries.push(entry);
                indexes.push(index);
            }
            for ((column, entry), filter) in columns.iter().zip(&mut entries).zip(filters) {
                let copied = copy_bloom_filter(source, filter, entry, assembler, room);
                copied.map_err(|error| adopt::place(group, *column, error))?;
            }
            let sorting_columns = (!sorting.is_empty()).then_some(sorting);
            assembler.push(entries, indexes, RowGroup { num_rows, sorting_columns, ..empty_row_group() });
            Ok(())
        })
    }

    /// Where the columns of this file are among those of another.
    fn columns_in(&self, metadata: &FileMetadata) -> Result<Vec<usize>> {
        let (own, other) = (self.plan().schema(), metadata.schema());
        if own.fields() == other.fields() {
            return Ok((0..own.leaves().len()).collect());
        }
        let found = own.leaves().iter().map(|leaf| other.leaf(leaf.path.dotted()).map(|found| found.index));
        let columns = found.collect::<Option<Vec<_>>>();
        let columns = columns.ok_or_else(|| Error::usage("the other file lacks a column of this one: its row groups cannot be copied"))?;
        let pruned = prune::keep(other, &columns)?;
        if pruned.fields() != own.fields() {
            return Err(Error::usage(format!("the other file's schema is another one: {pruned} instead of {own}")));
        }
        Ok(columns)
    }

    /// The first row group brings the orders that the bounds of its columns have.
    fn take_orders_of(&mut self, metadata: &FileMetadata, columns: &[usize]) {
        if self.assembler.num_row_groups() > 0 {
            return;
        }
        for (order, column) in self.column_orders.iter_mut().zip(columns) {
            if let Some(known) = metadata.column_order(*column).filter(|order| adopt::is_known(order)) {
                *order = known.clone();
            }
        }
    }
}

/// The sorting columns up to the first that is left out.
fn sorting_columns(sorting: &[SortingColumn], columns: &[usize]) -> Vec<SortingColumn> {
    if sorting.is_empty() {
        return Vec::new();
    }
    let places: HashMap<usize, usize> = columns.iter().enumerate().map(|(place, column)| (*column, place)).collect();
    let place = |sorted: &SortingColumn| {
        let place = places.get(&usize::try_from(sorted.column_idx).ok()?)?;
        Some(SortingColumn { column_idx: i32::try_from(*place).ok()?, ..sorted.clone() })
    };
    sorting.iter().map_while(place).collect()
}

fn empty_row_group() -> RowGroup<'static> {
    RowGroup {
        columns: Vec::new(),
        total_byte_size: 0,
        num_rows: 0,
        sorting_columns: None,
        file_offset: None,
        total_compressed_size: None,
        ordinal: None,
    }
}
