//! One pass over the footer: everything but the column chunks, of which only the places are remembered.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::format::{ColumnOrder, KeyValue, SchemaElement};
use crate::limits::Limits;
use crate::simd::vectorized;
use crate::thrift::{Alike, Decode, Reader, Wire};

/// A position in the footer; a footer has less than 4 GiB.
pub(super) type At = u32;

/// The footer without its column chunks.
#[derive(Debug)]
pub(super) struct Skeleton<'a> {
    pub(super) version: i32,
    pub(super) schema: Vec<SchemaElement<'a>>,
    pub(super) num_rows: i64,
    pub(super) row_groups: RowGroups,
    pub(super) key_values: Option<At>,
    pub(super) created_by: Option<String>,
    pub(super) column_orders: Vec<ColumnOrder>,
    pub(super) encryption_algorithm: Option<At>,
    pub(super) footer_signing_key_metadata: Option<At>,
}

/// All row groups of a file.
#[derive(Debug)]
pub(super) struct RowGroups {
    pub(super) entries: Vec<Entry>,
    /// Where the column chunks begin, those of all row groups one after another.
    pub(super) chunks: Vec<At>,
}

/// The small fields of a row group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) num_rows: u64,
    pub(super) total_byte_size: u64,
    pub(super) total_compressed_size: Option<u64>,
    pub(super) file_offset: Option<u64>,
    pub(super) sorting_columns: Option<At>,
    pub(super) num_columns: u32,
    pub(super) ordinal: Option<i16>,
}

/// Reads a footer; the error has the position in it at which reading stopped.
pub(super) fn skeleton<'a>(footer: &'a [u8], limits: &Limits) -> Result<Skeleton<'a>, (Error, usize)> {
    let mut reader = Reader::new(footer, limits.metadata_bytes);
    fields(&mut reader).map_err(|error| (error, reader.position()))
}

fn fields<'a>(reader: &mut Reader<'a>) -> Result<Skeleton<'a>> {
    let (mut version, mut schema, mut num_rows, mut row_groups) = (None, None, None, None);
    let (mut key_values, mut created_by, mut encryption_algorithm, mut footer_signing_key_metadata) = (None, None, None, None);
    let mut column_orders = Vec::new();
    let mut last = 0;
    while let Some(field) = reader.field(&mut last)? {
        match (field.id, field.wire) {
            (1, Wire::I32) => version = Some(i32::decode(reader)?),
            (2, Wire::List) => schema = Some(Vec::<SchemaElement<'_>>::decode(reader)?),
            (3, Wire::I64) => num_rows = Some(i64::decode(reader)?),
            (4, Wire::List) => row_groups = Some(all_row_groups(reader)?),
            (5, Wire::List) => key_values = Some(checked_key_values(reader)?),
            (6, Wire::Binary) => created_by = Some(Cow::<str>::decode(reader)?.into_owned()),
            (7, Wire::List) => column_orders = Vec::<ColumnOrder>::decode(reader)?,
            (8, Wire::Struct) => encryption_algorithm = Some(skipped(reader, Wire::Struct)?),
            (9, Wire::Binary) => footer_signing_key_metadata = Some(skipped(reader, Wire::Binary)?),
            _ => reader.skip(field.wire)?,
        }
    }
    let lacks = |field: &str| Error::malformed(format!("the footer lacks its field {field}"));
    Ok(Skeleton {
        version: version.ok_or_else(|| lacks("version"))?,
        schema: schema.ok_or_else(|| lacks("schema"))?,
        num_rows: num_rows.ok_or_else(|| lacks("num_rows"))?,
        row_groups: row_groups.ok_or_else(|| lacks("row_groups"))?,
        key_values,
        created_by,
        column_orders,
        encryption_algorithm,
        footer_signing_key_metadata,
    })
}

fn position(reader: &Reader<'_>) -> Result<At> {
    At::try_from(reader.position()).map_err(|_| Error::limit("the footer has 4 GiB or more"))
}

fn skipped(reader: &mut Reader<'_>, wire: Wire) -> Result<At> {
    let at = position(reader)?;
    reader.skip(wire)?;
    Ok(at)
}

/// Steps over the list of key-values, once it is known that it can be read again.
fn checked_key_values(reader: &mut Reader<'_>) -> Result<At> {
    let at = position(reader)?;
    for _ in 0..structs(reader)? {
        KeyValue::decode(reader)?;
    }
    Ok(at)
}

/// The length of a list of structs, whose elements come next, whatever type the list names.
pub(super) fn structs(reader: &mut Reader<'_>) -> Result<usize> {
    reader.list().map(|(_, length)| length)
}

/// What is gathered of the column chunks of all row groups.
#[derive(Default)]
struct Chunks {
    places: Vec<At>,
    /// For how many places the budget was charged.
    paid: usize,
    alike: Alike,
    may_learn: bool,
}

impl Chunks {
    /// Charges the budget for so many places more than there are.
    fn pay(&mut self, reader: &mut Reader<'_>, more: usize) -> Result<()> {
        let wanted = self.places.len().saturating_add(more);
        let bytes = wanted.saturating_sub(self.paid).saturating_mul(size_of::<At>());
        if reader.charge(bytes).is_err() {
            // What was learnt can be done without.
            reader.forget(&mut self.alike);
            reader.charge(bytes)?;
        }
        self.paid = self.paid.max(wanted);
        Ok(())
    }

    /// Reserves memory for row groups like the first one, if the budget has it and there are bytes enough for their chunks,
    /// which hardly ever have fewer than 32. Growing by doubling took a twentieth of opening a file of 80,000 chunks.
    fn expect(&mut self, reader: &mut Reader<'_>, row_groups: usize) {
        let expected = self.places.len().saturating_mul(row_groups).min(reader.remaining() / 32);
        if self.pay(reader, expected).is_ok() {
            self.places.reserve_exact(expected);
        }
    }
}

fn all_row_groups(reader: &mut Reader<'_>) -> Result<RowGroups> {
    let count = structs(reader)?;
    reader.charge(count.saturating_mul(size_of::<Entry>()))?;
    let (mut entries, mut chunks) = (Vec::new(), Chunks::default());
    for index in 0..count {
        // Learning what chunks look like takes longer than walking over them: with 5 row groups it lost a sixth. The first ones look like no others, since
        // their offsets are numbers of fewer bytes: learning them as well took a sixth longer.
        chunks.may_learn = index > 0 && count.saturating_sub(index) > 8;
        entries.push(row_group(reader, &mut chunks).map_err(|error| error.in_row_group(index))?);
        if index == 0 {
            chunks.expect(reader, count.saturating_sub(1));
        }
    }
    reader.forget(&mut chunks.alike);
    Ok(RowGroups { entries, chunks: chunks.places })
}

fn row_group(reader: &mut Reader<'_>, chunks: &mut Chunks) -> Result<Entry> {
    let (mut num_columns, mut num_rows, mut total_byte_size) = (None, None, None);
    let (mut total_compressed_size, mut file_offset, mut sorting_columns, mut ordinal) = (None, None, None, None);
    let chunks_before = chunks.places.len();
    let mut last = 0;
    while let Some(field) = reader.field(&mut last)? {
        match (field.id, field.wire) {
            (1, Wire::List) => {
                chunks.places.truncate(chunks_before);
                num_columns = Some(all_chunks(reader, chunks)?);
            }
            (2, Wire::I64) => total_byte_size = Some(i64::decode(reader)?),
            (3, Wire::I64) => num_rows = Some(i64::decode(reader)?),
            (4, Wire::List) => sorting_columns = Some(skipped(reader, Wire::List)?),
            (5, Wire::I64) => file_offset = Some(i64::decode(reader)?),
            (6, Wire::I64) => total_compressed_size = Some(i64::decode(reader)?),
            (7, Wire::I16) => ordinal = i16::try_from(i64::decode(reader)?).ok(),
            _ => reader.skip(field.wire)?,
        }
    }
    let lacks = |field: &str| Error::malformed(format!("the row group lacks its field {field}"));
    let num_rows = num_rows.ok_or_else(|| lacks("num_rows"))?;
    let size = |size: Option<i64>| size.and_then(|size| u64::try_from(size).ok());
    Ok(Entry {
        num_rows: u64::try_from(num_rows).map_err(|_| Error::malformed(format!("the row group has {num_rows} rows")))?,
        total_byte_size: size(Some(total_byte_size.ok_or_else(|| lacks("total_byte_size"))?)).unwrap_or(0),
        total_compressed_size: size(total_compressed_size),
        file_offset: size(file_offset),
        sorting_columns,
        num_columns: num_columns.ok_or_else(|| lacks("columns"))?,
        ordinal,
    })
}

/// Remembers where column chunks begin and steps over them.
fn all_chunks(reader: &mut Reader<'_>, chunks: &mut Chunks) -> Result<u32> {
    let count = structs(reader)?;
    chunks.pay(reader, count)?;
    reader.begin_alike(&mut chunks.alike, count, chunks.may_learn);
    // Comparing chunks with those before them is what wide registers are for: a tenth of opening a file of 80,000 chunks.
    vectorized!(step_over(reader, chunks, count))?;
    u32::try_from(count).map_err(|_| Error::limit("the row group has 2^32 columns or more"))
}

#[inline(always)]
fn step_over(reader: &mut Reader<'_>, chunks: &mut Chunks, count: usize) -> Result<()> {
    (0..count).try_for_each(|index| {
        chunks.places.push(position(reader)?);
        reader.skip_alike(&mut chunks.alike, index)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_reserved_for_chunks_that_the_budget_and_the_bytes_left_allow() {
        let bytes = [0; 1 << 16];
        let capacity = |budget: usize, row_groups: usize| {
            let (mut reader, mut chunks) = (Reader::new(&bytes, budget), Chunks::default());
            chunks.pay(&mut reader, 10).unwrap();
            chunks.places.extend(0..10);
            chunks.expect(&mut reader, row_groups);
            chunks.places.capacity() - 10
        };
        assert_eq!(capacity(1 << 20, 19), 190);
        assert_eq!(capacity(1 << 20, 1_000_000), (1 << 16) / 32);
        assert!(capacity(1000, 1_000_000) < 250);
    }

    #[test]
    fn what_was_learnt_makes_room_for_places() {
        // Two empty structs.
        let (bytes, budget) = ([0; 2], 100);
        let (mut reader, mut chunks) = (Reader::new(&bytes, budget), Chunks::default());
        reader.begin_alike(&mut chunks.alike, 1, true);
        reader.skip_alike(&mut chunks.alike, 0).unwrap();
        let all = budget / size_of::<At>();
        assert!(reader.clone().charge(all * size_of::<At>()).is_err(), "learning took some");
        chunks.pay(&mut reader, all).unwrap();
        assert!(chunks.pay(&mut reader, all + 1).is_err());
    }
}
