//! The metadata of a file.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::format::{ColumnOrder, EncryptionAlgorithm, KeyValue, PhysicalType};
use crate::limits::Limits;
use crate::metadata::footer::TAIL_BYTES;
use crate::metadata::parse::{At, RowGroups, skeleton, structs};
use crate::metadata::statistics::Context;
use crate::metadata::writer::{forgets_nulls_of_groups, has_corrupt_binary_bounds, has_prefixes_across_pages};
use crate::metadata::{Order, RowGroup, WriterVersion};
use crate::schema::{Leaf, Repetition, Schema};
use crate::thrift::{Decode, Reader};

/// What a file says about itself: schema, row groups, application metadata (`FileMetaData`).
///
/// Cloning is cheap. It keeps the footer's bytes; column chunks are read from them when they are asked for.
#[derive(Clone)]
pub struct FileMetadata(Arc<Inner>);

struct Inner {
    footer: Bytes,
    file_size: u64,
    metadata_bytes: usize,
    version: i32,
    num_rows: u64,
    claimed_rows: i64,
    schema: Arc<Schema>,
    key_values: Option<At>,
    created_by: Option<String>,
    writer: Option<WriterVersion>,
    column_orders: Vec<ColumnOrder>,
    encryption_algorithm: Option<At>,
    footer_signing_key_metadata: Option<At>,
    row_groups: RowGroups,
}

impl FileMetadata {
    /// Reads the footer of a file of `file_size` bytes; where it is, [`Tail`](crate::metadata::footer::Tail) says.
    ///
    /// # Errors
    /// `Malformed` if the footer breaks the format's rules, its schema is none, a row group has another number of columns
    /// than the schema, or the rows of the row groups do not add up to those of the file (unless it claims 0, or there are no row groups); `Limit` if it takes more memory than
    /// [`Limits::metadata_bytes`] or the schema nests deeper than [`Limits::schema_depth`].
    pub fn parse(footer: Bytes, file_size: u64, limits: &Limits) -> Result<Self> {
        let footer_start = data_end(file_size, footer.len());
        let skeleton = skeleton(&footer, limits).map_err(|(error, at)| error.at_offset(footer_start.saturating_add(at as u64)))?;
        let in_footer = |error: Error| error.at_offset(footer_start);
        let schema = Schema::from_elements(&skeleton.schema, limits).map_err(in_footer)?;
        check_columns(&skeleton.row_groups, schema.leaves().len()).map_err(in_footer)?;
        let num_rows = check_rows(&skeleton.row_groups, skeleton.num_rows, schema.leaves().is_empty()).map_err(in_footer)?;
        let writer = skeleton.created_by.as_deref().and_then(WriterVersion::parse);
        // Orders that do not fit the schema are as good as none.
        let orders_fit = skeleton.column_orders.len() == schema.leaves().len();
        Ok(Self(Arc::new(Inner {
            file_size,
            metadata_bytes: limits.metadata_bytes,
            version: skeleton.version,
            num_rows,
            claimed_rows: skeleton.num_rows,
            schema: Arc::new(schema),
            key_values: skeleton.key_values,
            writer,
            created_by: skeleton.created_by,
            column_orders: if orders_fit { skeleton.column_orders } else { Vec::new() },
            encryption_algorithm: skeleton.encryption_algorithm,
            footer_signing_key_metadata: skeleton.footer_signing_key_metadata,
            row_groups: skeleton.row_groups,
            footer,
        })))
    }

    /// The version of the format that the file claims, 1 or 2 as a rule; nothing depends on it.
    pub fn version(&self) -> i32 {
        self.0.version
    }

    /// Number of rows in all row groups. Where there are none, rows may be in other files: [`check_has_data`](Self::check_has_data) tells.
    pub fn num_rows(&self) -> u64 {
        self.0.num_rows
    }

    /// `Malformed` where there are rows, but no row groups: a summary of other files, as `_common_metadata` of some writers is. Its schema is good, but
    /// to read no rows of it would hide that they are elsewhere.
    ///
    /// # Errors
    /// As said.
    pub fn check_has_data(&self) -> Result<()> {
        match self.0.claimed_rows {
            rows if rows > 0 && self.num_row_groups() == 0 && !self.schema().leaves().is_empty() => Err(Error::malformed(format!(
                "the file claims {rows} rows, but has no row groups: it sums up other files, as _common_metadata does; read those"
            ))
            .at_offset(self.file_size().saturating_sub(8).saturating_sub(self.footer_size() as u64))),
            _ => Ok(()),
        }
    }

    /// Bytes of the file.
    pub fn file_size(&self) -> u64 {
        self.0.file_size
    }

    /// Bytes of the footer.
    pub fn footer_size(&self) -> usize {
        self.0.footer.len()
    }

    /// The bytes of the footer as they are in the file (or were decrypted).
    pub fn footer(&self) -> &Bytes {
        &self.0.footer
    }

    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.0.schema
    }

    /// Who wrote the file, in the writer's own words.
    pub fn created_by(&self) -> Option<&str> {
        self.0.created_by.as_deref()
    }

    /// Who wrote the file, if `created_by` has the usual form.
    pub fn writer(&self) -> Option<&WriterVersion> {
        self.0.writer.as_ref()
    }

    /// Whether the deprecated bounds of binary columns may be corrupt (PARQUET-251): they may in files of parquet-mr
    /// before 1.8.0 and of unknown writers.
    pub fn has_corrupt_binary_bounds(&self) -> bool {
        has_corrupt_binary_bounds(self.writer())
    }

    /// Whether pages encoded as DELTA_BYTE_ARRAY may refer to the last value of the page before (PARQUET-246): they may
    /// in files of parquet-mr before 1.8.0 and of unknown writers.
    pub fn has_prefixes_across_pages(&self) -> bool {
        has_prefixes_across_pages(self.writer())
    }

    /// The application metadata, in the order of the file.
    pub fn key_values(&self) -> KeyValues<'_> {
        let mut reader = self.0.key_values.map_or_else(|| Reader::new(&[], 0), |at| self.reader(at));
        let left = structs(&mut reader).unwrap_or(0);
        KeyValues { reader, left }
    }

    /// The value of the first entry of the application metadata with this key that has a value.
    pub fn key_value(&self, key: &str) -> Option<Cow<'_, str>> {
        self.key_values().filter(|entry| entry.key == key).find_map(|entry| entry.value)
    }

    /// The order that the bounds of a leaf column obey; `None` if the file says nothing, and then bounds mean nothing.
    pub fn column_order(&self, leaf: usize) -> Option<&ColumnOrder> {
        self.0.column_orders.get(leaf)
    }

    /// The order that the bounds of a leaf column compare by; `None` if it is not defined, by the file or by the column's
    /// type, and then the bounds are to be ignored.
    pub fn order(&self, leaf: usize) -> Option<Order> {
        Order::of(self.0.schema.leaves().get(leaf)?, self.column_order(leaf)?)
    }

    /// The algorithm of a file that is encrypted, or partly, while its footer is not.
    ///
    /// # Errors
    /// `Malformed` if its fields break the format's rules.
    pub fn encryption_algorithm(&self) -> Result<Option<EncryptionAlgorithm<'_>>> {
        self.0.encryption_algorithm.map(|at| EncryptionAlgorithm::decode(&mut self.reader(at))).transpose()
    }

    /// Whether the file is encrypted, or partly.
    pub fn is_encrypted(&self) -> bool {
        self.0.encryption_algorithm.is_some()
    }

    /// What a key management system needs to find the key that the footer is signed with.
    pub fn footer_signing_key_metadata(&self) -> Option<&[u8]> {
        self.reader(self.0.footer_signing_key_metadata?).binary().ok()
    }

    /// Number of row groups.
    pub fn num_row_groups(&self) -> usize {
        self.0.row_groups.entries.len()
    }

    /// A row group; `None` if there are not as many.
    pub fn row_group(&self, index: usize) -> Option<RowGroup<'_>> {
        let entry = self.0.row_groups.entries.get(index)?;
        let columns = self.0.schema.leaves().len();
        let first = index.checked_mul(columns)?;
        let chunks = self.0.row_groups.chunks.get(first..first.checked_add(columns)?)?;
        Some(RowGroup::new(self, index, entry, chunks))
    }

    /// All row groups, in the order of their rows.
    pub fn row_groups(&self) -> impl DoubleEndedIterator<Item = RowGroup<'_>> {
        (0..self.num_row_groups()).filter_map(|index| self.row_group(index))
    }

    /// Memory in bytes that structures of the file may take.
    pub(super) fn metadata_bytes(&self) -> usize {
        self.0.metadata_bytes
    }

    /// Where the footer begins in the file.
    pub(super) fn data_end(&self) -> u64 {
        data_end(self.0.file_size, self.0.footer.len())
    }

    /// What the statistics of a column are read in the light of.
    pub(crate) fn statistics_context<'l>(&self, leaf: &'l Leaf) -> Context<'l> {
        let order = self.column_order(leaf.index).and_then(|order| Order::of(leaf, order));
        Context { leaf, order, corrupt_binary_bounds: self.has_corrupt_binary_bounds(), forgets_nulls: self.forgets_nulls_of_groups(leaf) }
    }

    /// Whether the null counts of a column may leave out the nulls of groups around it.
    pub(crate) fn forgets_nulls_of_groups(&self, leaf: &Leaf) -> bool {
        let is_in_optional_group = leaf.max_definition_level > u8::from(leaf.repetition != Repetition::Required);
        leaf.physical_type == PhysicalType::ByteArray && is_in_optional_group && forgets_nulls_of_groups(self.writer())
    }

    /// A reader of the footer from a position in it.
    pub(super) fn reader(&self, at: At) -> Reader<'_> {
        Reader::new(self.bytes_from(at), self.0.metadata_bytes)
    }

    /// The footer from a position in it.
    pub(super) fn bytes_from(&self, at: At) -> &[u8] {
        self.0.footer.get(at as usize..).unwrap_or_default()
    }
}

/// The entries of [`FileMetadata::key_values`].
#[derive(Clone, Debug)]
pub struct KeyValues<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Iterator for KeyValues<'a> {
    type Item = KeyValue<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        KeyValue::decode(&mut self.reader).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl fmt::Debug for FileMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileMetadata")
            .field("num_rows", &self.num_rows())
            .field("num_row_groups", &self.num_row_groups())
            .field("num_columns", &self.schema().leaves().len())
            .field("created_by", &self.created_by())
            .finish_non_exhaustive()
    }
}

fn data_end(file_size: u64, footer: usize) -> u64 {
    file_size.saturating_sub(footer as u64).saturating_sub(TAIL_BYTES as u64)
}

fn check_columns(row_groups: &RowGroups, leaves: usize) -> Result<()> {
    match row_groups.entries.iter().enumerate().find(|(_, entry)| entry.num_columns as usize != leaves) {
        None => Ok(()),
        Some((index, entry)) => {
            let message = format!("the row group has {} columns, but the schema has {leaves}", entry.num_columns);
            Err(Error::malformed(message).in_row_group(index))
        }
    }
}

fn check_rows(row_groups: &RowGroups, claimed: i64, no_columns: bool) -> Result<u64> {
    let sum = row_groups.entries.iter().try_fold(0_u64, |sum, entry| sum.checked_add(entry.num_rows));
    match (u64::try_from(claimed), sum) {
        // Some writers left 0 there, and where there are no columns no data contradict the claim. Without row groups it is `check_has_data` that does.
        (Ok(claimed), Some(sum)) if claimed == sum || claimed == 0 || no_columns || row_groups.entries.is_empty() => Ok(sum),
        (_, Some(sum)) => Err(Error::malformed(format!("the file claims {claimed} rows, but its row groups have {sum}"))),
        (_, None) => Err(Error::malformed("the row groups have more than 2^64 rows")),
    }
}
