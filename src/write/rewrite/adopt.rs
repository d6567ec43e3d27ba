//! Taking over what another file says about a column chunk, as far as it holds in a file of another writer.

use crate::error::{Error, Result};
use crate::format::{ColumnChunk, ColumnMetaData, ColumnOrder, Encoding, PhysicalType};
use crate::metadata::{ChunkLocation, FileMetadata, RowGroup};
use crate::write::chunk::chunk_entry;
use crate::write::rewrite::owned;

/// A column chunk of another file.
pub(super) struct Adopted {
    /// Its entry, with the offsets of the other file, without indexes and bloom filter.
    pub(super) entry: ColumnChunk<'static>,
    pub(super) location: ChunkLocation,
    pub(super) keeps_column_index: bool,
}

/// Whether an order is one that this crate knows.
pub(super) fn is_known(order: &ColumnOrder) -> bool {
    !matches!(order, ColumnOrder::Unknown(_))
}

/// Adds the row group and the column to an error.
pub(super) fn place(group: &RowGroup<'_>, column: usize, error: Error) -> Error {
    let error = error.in_row_group(group.index());
    match group.file().schema().leaves().get(column) {
        Some(leaf) => error.in_column(leaf.path.dotted()),
        None => error,
    }
}

/// Takes over the chunk of a column for a file in which its bounds have the given order.
pub(super) fn adopt(group: &RowGroup<'_>, column: usize, order: &ColumnOrder) -> Result<Adopted> {
    let location = group.chunk(column)?;
    let refused = if location.encrypted {
        Some("the column chunk is encrypted: it cannot be copied without its key")
    } else if location.in_other_file {
        Some("the column chunk lies in another file: copy that one")
    } else {
        None
    };
    if let Some(why) = refused {
        return Err(place(group, column, Error::unsupported(why)));
    }
    let (mut meta, keeps_column_index) = believed(group, column, order)?;
    // What the format never defined is nowhere in the new file.
    (meta.index_page_offset, meta.bloom_filter_offset, meta.bloom_filter_length) = (None, None, None);
    Ok(Adopted { entry: chunk_entry(meta), location, keeps_column_index })
}

/// What is said about a chunk without bounds that hold only in their own file, and whether its column index still holds.
pub(super) fn believed(group: &RowGroup<'_>, column: usize, order: &ColumnOrder) -> Result<(ColumnMetaData<'static>, bool)> {
    let meta = group.raw_column(column)?.meta_data;
    let meta = meta.ok_or_else(|| place(group, column, Error::malformed("the column chunk has no metadata")))?;
    let mut meta = owned::meta(meta);
    let keeps_column_index = disbelieve(&mut meta, group.file(), column, order).map_err(|error| place(group, column, error))?;
    Ok((meta, keeps_column_index))
}

/// Removes bounds that readers disbelieve by the name of the writer, and bounds of another order, which mean something else.
fn disbelieve(meta: &mut ColumnMetaData<'_>, file: &FileMetadata, column: usize, order: &ColumnOrder) -> Result<bool> {
    if file.has_prefixes_across_pages() && meta.encodings.contains(&Encoding::DeltaByteArray) {
        return Err(Error::unsupported(
            "DELTA_BYTE_ARRAY pages of this writer may need the page before them (PARQUET-246), which readers know by its name: \
             the column has to be decoded and encoded again",
        ));
    }
    let same_order = file.column_order(column).is_some_and(|other| other == order && is_known(other));
    if let Some(statistics) = &mut meta.statistics {
        let is_binary = matches!(meta.physical_type, PhysicalType::ByteArray | PhysicalType::FixedLenByteArray);
        if is_binary && file.has_corrupt_binary_bounds() {
            (statistics.min, statistics.max) = (None, None);
        }
        if !same_order {
            (statistics.min_value, statistics.max_value) = (None, None);
            (statistics.is_min_value_exact, statistics.is_max_value_exact) = (None, None);
        }
    }
    if file.schema().leaves().get(column).is_some_and(|leaf| file.forgets_nulls_of_groups(leaf)) {
        if let Some(statistics) = &mut meta.statistics {
            statistics.null_count = None;
        }
        return Ok(false);
    }
    Ok(same_order)
}
