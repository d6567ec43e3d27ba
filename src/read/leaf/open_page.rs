//! A page that is being read: its levels and values, and the containers that they go to.

#[cfg(feature = "arrow")]
use std::ops::Range;
use std::sync::Arc;

use super::{LeafData, Scratch};
use crate::encoding::{Decoder, Dictionary, Part};
use crate::error::{Error, Result};
use crate::format::Encoding;
#[cfg(feature = "arrow")]
use crate::format::PhysicalType;
use crate::levels::nested::{self, Entries, Levels, Slots};
use crate::levels::{LevelReader, spread, spread_entries, spread_offsets, spread_stored};
use crate::page::{ChunkInfo, Page};
use crate::read::room::Room;
#[cfg(feature = "arrow")]
use crate::values::length;
use crate::values::{Bits, ByteArrays, FixedBytes, Values, append_copy};

/// A page that is being read.
pub(super) struct OpenPage {
    pub(super) page: Page,
    pub(super) decoder: Box<dyn Decoder>,
    /// Entries not read yet.
    pub(super) left: usize,
    pub(super) repetition: LevelReader,
    pub(super) definition: LevelReader,
    /// Whether single rows may be picked in one call: not in lists, and where values are missing.
    #[cfg(feature = "arrow")]
    pub(super) can_pick: bool,
    /// In lists: the levels of the next entries, as far as they were decoded, and how many of them are done.
    pub(super) levels: Levels,
    pub(super) done: usize,
}

/// How many levels are decoded at a time: memory follows this and not the number of entries that a page claims.
const LEVELS_AHEAD: usize = 1 << 16;

/// Where values go.
pub(super) struct Output<'a> {
    pub(super) chunk: &'a ChunkInfo,
    pub(super) keep_indices: bool,
    pub(super) part_bytes: usize,
    /// What all rows that are read at a time may take.
    pub(super) room: &'a Room,
    pub(super) dictionary: &'a Option<Arc<Dictionary>>,
    /// How many slots are to come in all, of this page and of the next ones; in lists a guess.
    pub(super) expected: usize,
}

/// Memory is reserved for no more slots than these ahead of what pages prove to hold.
const EXPECTED_MOST: usize = 1 << 19;
/// For no more levels, of a byte each.
const EXPECTED_LEVELS: usize = 1 << 20;
/// Pages that change from a dictionary to values and back make a part each; beyond so many of them memory is reserved for the page alone.
const FEW_PARTS: usize = 4;
/// And for no more bytes of byte arrays.
const EXPECTED_BYTES: usize = 8 << 20;

/// Nulls and values of a dictionary take their places without a byte in the page: `n` more slots must stay within a batch.
fn check_room(values: &Values, n: usize, most: usize) -> Result<()> {
    let each = match values {
        Values::Words32(_) => 4,
        Values::Words64(_) => 8,
        Values::Fixed(fixed) => fixed.width(),
        Values::Bits(_) | Values::Bytes(_) => return Ok(()),
    };
    let bytes = values.memory_size().saturating_add(n.saturating_mul(each));
    if bytes <= most {
        return Ok(());
    }
    Err(Error::limit(format!(
        "{n} values and nulls of {each} bytes make {bytes} bytes of one batch, more than the {most} of Limits::batch_bytes: read fewer rows at a time, or raise it"
    )))
}

/// A row may have any number of entries, most of which take no byte of the page: levels, and the offsets of `n` more values, must stay within a batch.
fn check_entries(levels: &Levels, n: usize, most: usize) -> Result<()> {
    let entries = levels.repetition.len().saturating_add(levels.definition.len());
    if entries.saturating_add(n.saturating_mul(4)) <= most {
        return Ok(());
    }
    Err(Error::limit(format!(
        "the rows of one batch have {entries} levels, which take more than the {most} bytes of Limits::batch_bytes: read fewer rows at a time, or raise it"
    )))
}

/// `whole * part / of`.
pub(super) fn share(whole: usize, part: usize, of: usize) -> usize {
    usize::try_from((whole as u128).saturating_mul(part as u128).checked_div(of as u128).unwrap_or(0)).unwrap_or(usize::MAX)
}

impl OpenPage {
    pub(super) fn new(page: Page, dictionary: Option<&Arc<Dictionary>>, scratch: &mut Scratch) -> Result<Self> {
        let decoder = page.decoder(dictionary)?;
        let left = page.num_values();
        let (repetition, definition) = (page.repetition_reader()?, page.definition_reader()?);
        let levels = Levels { repetition: std::mem::take(&mut scratch.repetition), definition: std::mem::take(&mut scratch.definition) };
        let mut open = Self {
            page,
            decoder,
            left,
            repetition,
            definition,
            levels,
            done: 0,
            #[cfg(feature = "arrow")]
            can_pick: true,
        };
        open.levels.clear();
        Ok(open)
    }

    /// Decodes the levels of the next entries when all of those decoded before are done.
    pub(super) fn refill(&mut self) -> Result<()> {
        if self.done < self.levels.len() {
            return Ok(());
        }
        self.levels.clear();
        self.done = 0;
        let n = self.left.min(LEVELS_AHEAD);
        let read = self.repetition.read(self.page.repetition_bytes(), n, &mut self.levels.repetition);
        let read = read.and_then(|()| self.definition.read(self.page.definition_bytes(), n, &mut self.levels.definition));
        read.map_err(|error| self.page.place(error))
    }

    pub(super) fn read_flat(&mut self, n: usize, output: &Output<'_>, scratch: &mut Scratch, out: &mut LeafData) -> Result<()> {
        let start = out.validity.len();
        let max = output.chunk.max_definition;
        if start == 0 && max > 0 {
            out.validity.reserve(output.expected.min(EXPECTED_MOST));
        }
        let present = match max {
            0 => n,
            1 => {
                self.definition.read_validity(self.page.definition_bytes(), n, &mut out.validity)?;
                out.validity.count_ones_from(start)
            }
            _ => {
                let from = out.levels.definition.len();
                self.definition.read(self.page.definition_bytes(), n, &mut out.levels.definition)?;
                nested::push_at_least(out.levels.definition.get(from..).unwrap_or_default(), max, &mut out.validity);
                out.validity.count_ones_from(start)
            }
        };
        self.left = self.left.saturating_sub(n);
        self.append(n, present, start, output, scratch, out)
    }

    /// Passes over entries of a page that was just opened.
    pub(super) fn pass_entries(&mut self, entries: usize, is_list: bool) -> Result<()> {
        if !is_list {
            return self.skip_flat(entries);
        }
        let mut left = entries.min(self.left);
        while left > 0 {
            self.refill()?;
            let n = left.min(self.levels.len().saturating_sub(self.done));
            self.skip_entries(n)?;
            left = left.saturating_sub(n);
        }
        Ok(())
    }

    pub(super) fn skip_flat(&mut self, n: usize) -> Result<()> {
        let present = self.definition.skip(self.page.definition_bytes(), n)?;
        self.left = self.left.saturating_sub(n);
        self.decoder.skip(self.page.value_bytes(), present)
    }

    /// Moves past `entries` entries and returns their levels.
    fn pass(&mut self, entries: usize) -> Entries<'_> {
        let range = self.done..self.done.saturating_add(entries);
        self.done = range.end;
        self.left = self.left.saturating_sub(entries);
        self.levels.entries().part(range)
    }

    pub(super) fn read_entries(&mut self, entries: usize, output: &Output<'_>, scratch: &mut Scratch, out: &mut LeafData) -> Result<()> {
        let levels = self.pass(entries);
        let start = out.validity.len();
        let slots = output.chunk.slots();
        let (n, present) = if output.chunk.max_definition > output.chunk.repeated_definition {
            let n = levels.validity(slots, output.chunk.max_definition, &mut out.validity);
            (n, out.validity.count_ones_from(start))
        } else {
            let n = levels.count(slots);
            (n, n)
        };
        let expected = output.expected.max(entries).min(EXPECTED_LEVELS);
        for (more, all) in [(levels.repetition, &mut out.levels.repetition), (levels.definition, &mut out.levels.definition)] {
            if all.is_empty() && !more.is_empty() {
                all.reserve(expected);
            }
            append_copy(all, more);
        }
        check_entries(&out.levels, n, output.part_bytes)?;
        self.append(n, present, start, output, scratch, out)
    }

    pub(super) fn skip_entries(&mut self, entries: usize) -> Result<()> {
        let chunk = self.page.chunk();
        let values = Slots { repetition: chunk.max_repetition, definition: chunk.max_definition };
        let present = self.pass(entries).count(values);
        self.decoder.skip(self.page.value_bytes(), present)
    }

    /// Decodes `present` values and appends `n` slots; `start` is where their bits begin in the validity.
    fn append(
        &mut self,
        n: usize,
        present: usize,
        start: usize,
        output: &Output<'_>,
        scratch: &mut Scratch,
        out: &mut LeafData,
    ) -> Result<()> {
        let mut values = self.take_part(n, present, output, out);
        if let Values::Bytes(_) = values {
            return self.append_bytes(n, present, start, values, output, out);
        }
        check_room(&values, n, output.part_bytes)?;
        self.append_fixed(n, present, &out.validity, start, &mut values, scratch)?;
        self.give_part(values, output, out);
        out.count(0, output.room)
    }

    /// Appends the rows of `ranges`, which are among the next rows of this page, `all`; `false` where that is not for this page.
    #[cfg(feature = "arrow")]
    pub(super) fn pick(
        &mut self,
        all: Range<u64>,
        ranges: &[Range<u64>],
        rows: usize,
        output: &Output<'_>,
        out: &mut LeafData,
    ) -> Result<bool> {
        let max = output.chunk.max_definition;
        let is_words = output.chunk.shape.physical_type != PhysicalType::ByteArray || self.indices_of(output).is_some();
        self.can_pick =
            is_words && output.chunk.max_repetition == 0 && self.definition.skip_full(self.page.definition_bytes(), length(&all))?;
        if !self.can_pick {
            return Ok(false);
        }
        if max > 0 {
            out.validity.extend_run(true, rows);
        }
        if max > 1 {
            out.levels.definition.resize(out.levels.definition.len().saturating_add(rows), max);
        }
        let mut values = self.take_part(rows, rows, output, out);
        check_room(&values, rows, output.part_bytes)?;
        self.decoder.pick(self.page.value_bytes(), all.start, ranges, &mut values)?;
        self.give_part(values, output, out);
        out.count(0, output.room)?;
        Ok(true)
    }

    /// The dictionary, if indices into it are what is read.
    fn indices_of<'a>(&self, output: &Output<'a>) -> Option<&'a Arc<Dictionary>> {
        let indices = output.keep_indices && matches!(self.page.encoding(), Encoding::RleDictionary | Encoding::PlainDictionary);
        output.dictionary.as_ref().filter(|_| indices)
    }

    /// The last part, if what comes next belongs to it, or memory for another.
    fn take_part(&self, n: usize, present: usize, output: &Output<'_>, out: &mut LeafData) -> Values {
        if self.indices_of(output).is_some() {
            return match out.parts.pop_if(|part| matches!(part, Part::Indices { .. })) {
                Some(Part::Indices { indices, .. }) => Values::Words32(indices),
                _ if out.parts.len() >= FEW_PARTS => Values::Words32(Vec::with_capacity(n.min(EXPECTED_MOST))),
                _ => Values::Words32(Vec::with_capacity(output.expected.min(EXPECTED_MOST))),
            };
        }
        match out.parts.pop_if(|part| matches!(part, Part::Values(_))) {
            Some(Part::Values(values)) => values,
            _ => self.container(n, present, out.parts.len() >= FEW_PARTS, output),
        }
    }

    fn give_part(&self, values: Values, output: &Output<'_>, out: &mut LeafData) {
        out.parts.push(match (values, self.indices_of(output)) {
            (Values::Words32(indices), Some(dictionary)) => Part::Indices { indices, dictionary: Arc::clone(dictionary) },
            (values, _) => Part::Values(values),
        });
    }

    /// An empty container with memory for the slots to come, as far as this page lets them be believed: growing step by step
    /// would copy what is there and leave memory unused.
    fn container(&self, n: usize, present: usize, is_one_of_many: bool, output: &Output<'_>) -> Values {
        let shape = output.chunk.shape;
        let expected = if is_one_of_many { n } else { output.expected };
        let expected = expected.clamp(n.min(EXPECTED_MOST), EXPECTED_MOST);
        match Values::new(shape.physical_type, shape.width) {
            Values::Words32(_) => Values::Words32(Vec::with_capacity(expected.min(output.part_bytes / 4))),
            Values::Words64(_) => Values::Words64(Vec::with_capacity(expected.min(output.part_bytes / 8))),
            Values::Fixed(mut fixed) => {
                fixed.reserve(expected.min(EXPECTED_BYTES.checked_div(shape.width.max(12)).unwrap_or(0)));
                Values::Fixed(fixed)
            }
            Values::Bytes(_) => {
                let mut arrays = ByteArrays::with_limit(output.part_bytes);
                let page = self.page.value_bytes();
                let of_page = match self.page.encoding() {
                    Encoding::Plain => page.len().saturating_sub(share(self.page.num_values(), present, n).saturating_mul(4)),
                    // How long values become that share bytes is not to be seen from the page.
                    _ => self.decoder.estimate(page, share(self.page.num_values(), present, n)).unwrap_or(page.len()),
                };
                let bytes = share(of_page, expected, self.page.num_values());
                arrays.reserve(expected, bytes.saturating_add(bytes / 16).min(page.len().max(EXPECTED_BYTES)));
                Values::Bytes(arrays)
            }
            Values::Bits(mut bits) => {
                bits.reserve(expected);
                Values::Bits(bits)
            }
        }
    }

    /// Values of one width: straight to their place where there are no nulls, else dense into scratch memory first.
    fn append_fixed(
        &mut self,
        n: usize,
        present: usize,
        validity: &Bits,
        start: usize,
        out: &mut Values,
        scratch: &mut Scratch,
    ) -> Result<()> {
        if present == n {
            return self.decoder.read(self.page.value_bytes(), n, out).map(drop);
        }
        if let Some(dense) = self.decoder.as_stored(self.page.value_bytes(), present)? {
            spread_stored(dense, validity, start, n, out);
            return Ok(());
        }
        if present >= MANY_INDICES
            && let Some(indices) = self.decoder.indices()
            && spread_entries(indices, self.page.value_bytes(), validity, start, n, present, out)?
        {
            return Ok(());
        }
        let mut dense = match out {
            Values::Words32(_) => Values::Words32(std::mem::take(&mut scratch.words32)),
            Values::Words64(_) => Values::Words64(std::mem::take(&mut scratch.words64)),
            Values::Fixed(fixed) => Values::Fixed(FixedBytes::new(fixed.width())),
            Values::Bits(_) | Values::Bytes(_) => Values::Bits(Bits::new()),
        };
        // Not a few thousand slots at a time, which would keep values in the nearest cache: 5 % slower, 12 of booleans (measured).
        let read = self.decoder.read(self.page.value_bytes(), present, &mut dense);
        if read.is_ok() {
            spread(&dense, validity, start, n, out);
        }
        dense.clear();
        match dense {
            Values::Words32(words) => scratch.words32 = words,
            Values::Words64(words) => scratch.words64 = words,
            _ => {}
        }
        read.map(drop)
    }

    /// Byte arrays: nulls are put between the offsets afterwards, and another part begins where one is full.
    fn append_bytes(
        &mut self,
        n: usize,
        present: usize,
        start: usize,
        values: Values,
        output: &Output<'_>,
        out: &mut LeafData,
    ) -> Result<()> {
        let mut values = values;
        let (mut slots_done, mut values_done) = (0, 0);
        loop {
            let read = self.decoder.read(self.page.value_bytes(), present.saturating_sub(values_done), &mut values)?;
            values_done = values_done.saturating_add(read);
            let left = n.saturating_sub(slots_done);
            let slots = if values_done == present {
                left
            } else {
                slots_before_next(&out.validity, start.saturating_add(slots_done), left, read, present == n)
            };
            if let Values::Bytes(arrays) = &mut values {
                spread_offsets(arrays.parts_mut().0, &out.validity, start.saturating_add(slots_done), read, slots);
            }
            slots_done = slots_done.saturating_add(slots);
            let full = std::mem::replace(&mut values, Values::Bytes(ByteArrays::with_limit(output.part_bytes)));
            if values_done < present && full.is_empty() {
                return Err(Error::limit("a single value is larger than Limits::batch_bytes"));
            }
            out.parts.push(Part::Values(full));
            out.count(0, output.room)?;
            if values_done == present {
                return Ok(());
            }
        }
    }
}

/// Fewer indices are looked up first and spread then: a block of memory would be cleared for them. The number is not measured.
const MANY_INDICES: usize = 256;

/// How many of the next `most` slots come before the value after the next `values` values.
fn slots_before_next(validity: &Bits, start: usize, most: usize, values: usize, dense: bool) -> usize {
    if dense {
        return values;
    }
    let mut seen = 0_usize;
    (0..most)
        .find(|slot| {
            let valid = validity.get(start.wrapping_add(*slot)) == Some(true);
            seen = seen.wrapping_add(usize::from(valid));
            seen > values
        })
        .unwrap_or(most)
}
