//! The frame of the file: magic numbers, footer, schema, and what the footer says about the file as a whole.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};
use crate::format::{self, ColumnChunk, ColumnMetaData, ColumnOrder, FileMetaData, SchemaElement};
use crate::limits::Limits;
use crate::metadata::footer::{MAGIC, MAGIC_ENCRYPTED, TAIL_BYTES};
use crate::metadata::{
    FileMetadata, Order, RowGroup, WriterVersion, forgets_dictionary_header, has_corrupt_binary_bounds, has_prefixes_across_pages,
};
use crate::read::Source;
use crate::schema::Schema;
use crate::thrift::{Reader, Wire};
use crate::verify::layout::Part;
use crate::verify::report::{Code, Recorder, Severity};
use crate::verify::spot::Spot;
use crate::verify::{VerifyOptions, stored_schema, waves};

/// What is known of the file while it is walked.
pub(super) struct File<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) limits: Limits,
    /// Where the footer begins.
    pub(super) data_end: u64,
    pub(super) schema: Arc<Schema>,
    /// One for each leaf, when the file has them.
    pub(super) column_orders: Option<Vec<ColumnOrder>>,
    pub(super) quirks: Quirks,
}

/// Habits of writers that readers know.
#[derive(Clone, Copy)]
pub(super) struct Quirks {
    pub(super) corrupt_binary_bounds: bool,
    pub(super) prefixes_across_pages: bool,
    pub(super) forgets_dictionary_header: bool,
    /// Whether data pages of version 2 are called version 1 in `encoding_stats`.
    pub(super) confuses_page_types: bool,
}

/// Walks a whole file.
pub(super) fn walk(source: &dyn Source, size: u64, options: &VerifyOptions, out: &mut Recorder) -> Result<()> {
    let Some((footer_start, footer)) = footer(source, size, &options.limits, out)? else { return Ok(()) };
    let place = Spot { offset: Some(footer_start), ..Spot::default() };
    let (metadata, length) = match FileMetaData::from_bytes(&footer, &options.limits) {
        Ok(parsed) => parsed,
        Err(error) => {
            failed(Code::Footer, &error, place, out);
            return Ok(());
        }
    };
    // A signature follows the footer of a file that is encrypted.
    if length != footer.len() && metadata.encryption_algorithm.is_none() {
        out.add(Code::FooterTrailing, place, format!("{length} bytes"), format!("{} bytes", footer.len()));
    }
    let schema = match Schema::from_elements(&metadata.schema, &options.limits) {
        Ok(schema) => Arc::new(schema),
        Err(error) => {
            failed(Code::Schema, &error, place, out);
            return Ok(());
        }
    };
    out.schema = Some(Arc::clone(&schema));
    boolean_repetitions(&footer, &metadata.schema, place, out);
    let writer = metadata.created_by.as_deref().and_then(WriterVersion::parse);
    let file = File {
        source,
        limits: options.limits.clone(),
        data_end: footer_start,
        column_orders: column_orders(&metadata, &schema, out),
        schema,
        quirks: Quirks {
            corrupt_binary_bounds: has_corrupt_binary_bounds(writer.as_ref()),
            prefixes_across_pages: has_prefixes_across_pages(writer.as_ref()),
            forgets_dictionary_header: forgets_dictionary_header(writer.as_ref()),
            confuses_page_types: writer.as_ref().is_some_and(|writer| writer.application().starts_with("parquet-cpp")),
        },
    };
    out.layout.add(0..MAGIC.len() as u64, Part::Magic, Spot::default());
    out.layout.add(footer_start..size, Part::Footer, Spot::default());
    whole(&metadata, &file, out);
    waves::walk(&file, &metadata.row_groups, options.threads, out)?;
    let (layout, all_known) = (std::mem::take(&mut out.layout), out.all_known);
    layout.check(out, |gap| Ok(!all_known || is_known(&file, gap)?))?;
    if out.report.errors == 0 {
        as_readers_see(footer.clone(), &metadata.row_groups, size, &options.limits, place, out);
    }
    Ok(())
}

/// Readers step over what they do not need by the types that Thrift names, which can be wrong where nothing else is: then they find other bytes.
fn as_readers_see(footer: Bytes, groups: &[format::RowGroup<'_>], size: u64, limits: &Limits, place: Spot, out: &mut Recorder) {
    let seen = FileMetadata::parse(footer, size, limits).and_then(|metadata| {
        let mut pairs = metadata.row_groups().zip(groups);
        pairs.try_for_each(|(seen, group)| chunks_as_readers_see(&seen, group, out))
    });
    if let Err(error) = seen
        && error.kind() == ErrorKind::Malformed
    {
        failed(Code::Footer, &error, place, out);
    }
}

fn chunks_as_readers_see(seen: &RowGroup<'_>, group: &format::RowGroup<'_>, out: &mut Recorder) -> Result<()> {
    for (leaf, column) in group.columns.iter().enumerate() {
        let place = Spot { row_group: Some(seen.index()), leaf: Some(leaf), ..Spot::default() };
        let chunk = match seen.chunk(leaf) {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == ErrorKind::Malformed => return Err(error),
            Err(_) => continue,
        };
        if chunk.absent && column.meta_data.is_some() {
            out.add(Code::ChunkMissing, place, "", "readers do not find it: the footer names wrong types of what they step over");
        }
    }
    Ok(())
}

/// Whether a gap holds what writers put there: zeros, so that row groups begin at blocks of a file system, or copies of
/// chunks' metadata, as old writers did.
fn is_known(file: &File<'_>, gap: &Range<u64>) -> Result<bool> {
    const MOST: u64 = 16 << 20;
    if gap.end.saturating_sub(gap.start) > MOST {
        return Ok(false);
    }
    let bytes = file.source.read(gap.clone())?;
    let mut rest = &bytes[..];
    let copy = |rest: &[u8]| {
        let chunk = ColumnChunk::from_bytes(rest, &file.limits).map(|(_, length)| length);
        chunk.or_else(|_| ColumnMetaData::from_bytes(rest, &file.limits).map(|(_, length)| length)).ok()
    };
    while let Some(length) = copy(rest).filter(|length| *length > 0) {
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(rest.iter().all(|byte| *byte == 0))
}

/// Checks both ends and reads the footer; returns where it begins.
fn footer(source: &dyn Source, size: u64, limits: &Limits, out: &mut Recorder) -> Result<Option<(u64, Bytes)>> {
    let start = source.read(0..size.min(4))?;
    let end = source.read(size.saturating_sub(TAIL_BYTES as u64)..size)?;
    let quoted = |bytes: &[u8]| format!("{:?}", String::from_utf8_lossy(bytes));
    if end.ends_with(&MAGIC_ENCRYPTED) {
        out.add(Code::Encrypted, Spot::default(), "", "the whole file, footer included");
        return Ok(None);
    }
    let at = |offset| Spot { offset: Some(offset), ..Spot::default() };
    if start[..] != MAGIC {
        out.add(Code::MagicStart, at(0), "PAR1", quoted(&start));
    }
    let Some((length, magic)) = end.split_first_chunk::<4>() else {
        out.add(Code::MagicEnd, at(0), "PAR1", format!("{size} bytes in all"));
        return Ok(None);
    };
    if *magic != MAGIC {
        out.add(Code::MagicEnd, at(size.saturating_sub(4)), "PAR1", quoted(magic));
        return Ok(None);
    }
    let (length, footer_end) = (u64::from(u32::from_le_bytes(*length)), size.saturating_sub(TAIL_BYTES as u64));
    let most = footer_end.saturating_sub(MAGIC.len() as u64);
    if length > most {
        out.add(Code::FooterLength, at(footer_end), format!("at most {most}"), length);
        return Ok(None);
    }
    if length > limits.footer_bytes as u64 {
        out.add(Code::Limited, at(footer_end), format!("a footer of at most {} bytes", limits.footer_bytes), length);
        return Ok(None);
    }
    let from = footer_end.saturating_sub(length);
    Ok(Some((from, source.read(from..footer_end)?)))
}

/// What concerns the file as a whole.
fn whole(metadata: &FileMetaData<'_>, file: &File<'_>, out: &mut Recorder) {
    let place = Spot::default();
    if !matches!(metadata.version, 1 | 2) {
        out.add(Code::Version, place, "1 or 2", metadata.version);
    }
    let rows = metadata.row_groups.iter().fold(0_i64, |sum, group| sum.saturating_add(group.num_rows));
    // Without columns there is nothing that the number could contradict.
    if rows != metadata.num_rows && !file.schema.leaves().is_empty() {
        // Some writers left 0 there, which readers know.
        let severity = if metadata.num_rows == 0 { Severity::Warning } else { Severity::Error };
        out.add_as(severity, Code::FileRows, place, rows, metadata.num_rows);
    }
    stored_schema::check(metadata, &file.schema, out);
}

/// Looks for repetitions that are booleans on the wire, which [`SchemaElement`] takes as they are meant.
fn boolean_repetitions(footer: &[u8], schema: &[SchemaElement<'_>], place: Spot, out: &mut Recorder) {
    // The footer was parsed before: nothing is broken.
    let wires = repetition_wires(&mut Reader::new(footer, 0)).unwrap_or_default();
    for (element, wire) in schema.iter().zip(wires) {
        if let Some(wire @ (Wire::True | Wire::False)) = wire {
            out.add(Code::SchemaRepetition, place, "an integer", format!("the boolean {} of field {:?}", wire == Wire::True, element.name));
        }
    }
}

/// The type on the wire of each schema element's repetition.
fn repetition_wires(footer: &mut Reader<'_>) -> Result<Vec<Option<Wire>>> {
    let mut last = 0;
    while let Some(field) = footer.field(&mut last)? {
        if field.id != 2 || field.wire != Wire::List {
            footer.skip(field.wire)?;
            continue;
        }
        let (_, elements) = footer.list()?;
        return (0..elements).map(|_| repetition_wire(footer)).collect();
    }
    Ok(Vec::new())
}

fn repetition_wire(element: &mut Reader<'_>) -> Result<Option<Wire>> {
    let (mut last, mut found) = (0, None);
    while let Some(field) = element.field(&mut last)? {
        found = if field.id == 3 { Some(field.wire) } else { found };
        element.skip(field.wire)?;
    }
    Ok(found)
}

/// The column orders, if they fit the schema.
fn column_orders(metadata: &FileMetaData<'_>, schema: &Schema, out: &mut Recorder) -> Option<Vec<ColumnOrder>> {
    let orders = metadata.column_orders.clone()?;
    let leaves = schema.leaves();
    if orders.len() != leaves.len() {
        out.add(Code::ColumnOrders, Spot::default(), format!("{} columns", leaves.len()), format!("{} orders", orders.len()));
        return None;
    }
    for (leaf, order) in leaves.iter().zip(&orders) {
        let place = Spot { leaf: Some(leaf.index), ..Spot::default() };
        match order {
            ColumnOrder::TypeOrder => {}
            ColumnOrder::Unknown(id) => out.add(Code::Unsupported, place, "", format!("column order {id}")),
            ColumnOrder::Ieee754TotalOrder | ColumnOrder::Int96TimestampOrder => {
                if Order::of(leaf, order).is_none() {
                    out.add(Code::ColumnOrders, place, "an order of the column's type", format!("{order:?}"));
                }
            }
        }
    }
    Some(orders)
}

/// Adds a finding for an error: a note where the error is none of the file's.
pub(super) fn failed(code: Code, error: &Error, place: Spot, out: &mut Recorder) {
    match error.kind() {
        ErrorKind::Unsupported => out.add(Code::Unsupported, place, "", error.message()),
        ErrorKind::Limit => out.add(Code::Limited, place, "", error.message()),
        _ => out.add(code, place, "", error.message()),
    }
}

impl File<'_> {
    /// The bytes of an index; `None` when there is none or it is not inside the file.
    pub(super) fn side(
        &self,
        offset: Option<i64>,
        length: Option<i32>,
        part: Part,
        place: Spot,
        out: &mut Recorder,
    ) -> Result<Option<Bytes>> {
        let Some(offset) = offset else { return Ok(None) };
        let code = if part == Part::OffsetIndex { Code::OffsetIndex } else { Code::ColumnIndex };
        let start = u64::try_from(offset).ok();
        let range = start.zip(length.and_then(|length| u64::try_from(length).ok())).and_then(|(start, length)| {
            let end = start.checked_add(length)?;
            (start >= MAGIC.len() as u64 && length > 0 && end <= self.data_end).then_some(start..end)
        });
        let Some(range) = range else {
            let found = format!("{} bytes at {offset}", length.unwrap_or(0));
            out.add(code, place, format!("a place before the footer at {}", self.data_end), found);
            return Ok(None);
        };
        out.layout.add(range.clone(), part, place);
        if !out.take_bytes(range.end.saturating_sub(range.start), place) {
            return Ok(None);
        }
        self.source.read(range).map(Some)
    }
}
