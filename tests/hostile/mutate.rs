//! Ways of breaking a file.

use std::collections::BTreeSet;
use std::ops::Range;

use bytes::Bytes;
use herringbone::Limits;
use herringbone::read::{self, PageOptions};

use crate::integers::{self, BOUNDARIES, Integer, Kind};

/// Up to this length of a file or of its footer, every place is tried; beyond, as many as this.
const EVERY_CUT: usize = 4 << 10;
const EVERY_FLIP: usize = 64 << 10;
/// Bits flipped anywhere, and pages that are swapped or otherwise dealt with as a whole, in one file.
const FLIPS_ANYWHERE: usize = 200;
const PAGES: usize = 40;

/// The limits under which broken files are read.
pub fn limits() -> Limits {
    Limits { page_bytes: 4 << 20, batch_bytes: 4 << 20, memory_bytes: 16 << 20, metadata_bytes: 8 << 20, ..Limits::default() }
}

/// A file that can be broken.
pub struct Victim {
    pub bytes: Vec<u8>,
    footer: Range<usize>,
    footer_integers: Vec<Integer>,
    pages: Vec<Page>,
}

struct Page {
    /// Header and body in the file.
    header: Range<usize>,
    end: usize,
    integers: Vec<Integer>,
}

/// One way of breaking it.
#[derive(Clone, Copy, Debug)]
pub enum Mutation {
    /// The file ends here.
    End(usize),
    /// So many bytes are missing here.
    Hole(usize, usize),
    /// A bit of a byte is flipped.
    Flip(usize, u32),
    /// An integer of the footer is replaced.
    Footer(usize, i64),
    /// The length of the footer is replaced.
    FooterLength(u32),
    /// An integer of a page's header is replaced.
    Header(usize, usize, i64),
    /// Two pages change places.
    Swap(usize, usize),
    /// A page is missing.
    Missing(usize),
    /// A page of another kind stands where this one was, which readers pass over.
    Hidden(usize),
    /// Four bytes of a page's body are replaced: at its start they are lengths of levels, levels, or a bit width.
    Body(usize, usize, u32),
}

impl Victim {
    pub fn new(bytes: Vec<u8>) -> Self {
        let footer = footer(&bytes);
        let footer_integers = integers::of_struct(&bytes[footer.clone()]).map(|(found, _)| found).unwrap_or_default();
        let pages = pages(&bytes);
        Self { bytes, footer, footer_integers, pages }
    }

    /// All mutations of the file, in an order that mixes nothing.
    pub fn mutations(&self) -> Vec<Mutation> {
        let mut all: Vec<Mutation> = Vec::new();
        let mut random = Random(self.bytes.len() as u64 ^ 0x9e37_79b9_7f4a_7c15);
        let len = self.bytes.len();
        all.extend(places(0..len, EVERY_CUT, &mut random).into_iter().map(Mutation::End));
        all.extend((0..60).map(|_| Mutation::Hole(random.below(len), 1 + random.below(40))));
        for at in places(self.footer.start..len, EVERY_FLIP, &mut random) {
            all.extend((0..8).map(|bit| Mutation::Flip(at, bit)));
        }
        all.extend((0..FLIPS_ANYWHERE).map(|_| Mutation::Flip(random.below(len), random.below(8) as u32)));
        for (index, integer) in self.footer_integers.iter().enumerate() {
            all.extend(values(integer).map(|value| Mutation::Footer(index, value)));
        }
        all.extend(BOUNDARIES.iter().map(|value| Mutation::FooterLength(*value as u32)));
        let headers: usize = self.pages.iter().map(|page| page.header.len()).sum();
        let chosen = places(0..self.pages.len(), EVERY_FLIP * self.pages.len() / headers.max(1), &mut random);
        for index in chosen {
            self.mutations_of_page(index, &mut random, &mut all);
        }
        all
    }

    /// Whether it changes a field's number, its type or a text's length in a page's header, so that what follows are other fields.
    #[allow(dead_code, reason = "for comparing with the official crate")]
    pub fn shifts_header(&self, mutation: Mutation) -> bool {
        match mutation {
            Mutation::Header(page, integer, _) => self.pages[page].integers[integer].kind == Kind::Length,
            Mutation::Flip(at, _) => self.pages.iter().any(|page| {
                let is_value = |integer: &Integer| (integer.at..integer.at + integer.len).contains(&(at - page.header.start));
                page.header.contains(&at) && !page.integers.iter().any(|integer| integer.kind == Kind::Value && is_value(integer))
            }),
            _ => false,
        }
    }

    fn mutations_of_page(&self, index: usize, random: &mut Random, all: &mut Vec<Mutation>) {
        let page = &self.pages[index];
        for at in page.header.clone() {
            all.extend((0..8).map(|bit| Mutation::Flip(at, bit)));
        }
        for (integer, found) in page.integers.iter().enumerate() {
            all.extend(values(found).map(|value| Mutation::Header(index, integer, value)));
        }
        if self.pages.len() > PAGES && random.below(self.pages.len()) > PAGES {
            return;
        }
        all.extend([Mutation::Missing(index), Mutation::Hidden(index), Mutation::Swap(index, random.below(self.pages.len()))]);
        if index + 1 < self.pages.len() {
            all.push(Mutation::Swap(index, index + 1));
        }
        for word in [0, 1, 2, 0xff, 0xffff, 0x00ff_ff00, i32::MAX as u32, 1 << 31, u32::MAX, 0xffff_ff7f, 0x8080_8080] {
            all.extend([0, 1, 4, 8].map(|at| Mutation::Body(index, at, word)));
        }
        let body = page.end - page.header.end;
        all.extend((0..8).map(|_| Mutation::Body(index, random.below(body), random.next() as u32)));
    }

    /// The file after a mutation.
    pub fn broken(&self, mutation: Mutation) -> Bytes {
        let mut bytes = self.bytes.clone();
        match mutation {
            Mutation::End(len) => bytes.truncate(len),
            Mutation::Hole(at, len) => drop(bytes.drain(at..(at + len).min(self.bytes.len()))),
            Mutation::Flip(at, bit) => bytes[at] ^= 1 << bit,
            Mutation::Footer(index, value) => {
                replace(&mut bytes, self.footer.start, &self.footer_integers[index], value);
                let grown = (bytes.len() - 8 - self.footer.start) as u32;
                set_word(&mut bytes, self.footer.end + grown as usize - self.footer.len(), grown);
            }
            Mutation::FooterLength(value) => set_word(&mut bytes, self.footer.end, value),
            Mutation::Header(page, index, value) => {
                let page = &self.pages[page];
                replace(&mut bytes, page.header.start, &page.integers[index], value);
            }
            Mutation::Swap(one, other) => {
                let (first, second) = (&self.pages[one.min(other)], &self.pages[one.max(other)]);
                let (a, b) = (first.header.start..first.end, second.header.start..second.end);
                if a.end <= b.start {
                    bytes = [&bytes[..a.start], &bytes[b.clone()], &bytes[a.end..b.start], &bytes[a], &bytes[b.end..]].concat();
                }
            }
            Mutation::Missing(page) => drop(bytes.drain(self.pages[page].header.start..self.pages[page].end)),
            // The first field of a header is the page's type, of which 1 is an index page.
            Mutation::Hidden(page) => replace(&mut bytes, self.pages[page].header.start, &self.pages[page].integers[0], 1),
            Mutation::Body(page, at, word) => {
                let page = &self.pages[page];
                if page.header.end + at + 4 <= page.end {
                    set_word(&mut bytes, page.header.end + at, word);
                }
            }
        }
        Bytes::from(bytes)
    }
}

fn values(integer: &Integer) -> impl Iterator<Item = i64> {
    let own = integer.value;
    let near = [own.wrapping_add(1), own.wrapping_sub(1), own.wrapping_mul(2), own.wrapping_neg()];
    let values: BTreeSet<i64> = BOUNDARIES.iter().copied().chain(near).filter(|value| *value != own).collect();
    values.into_iter()
}

fn replace(bytes: &mut Vec<u8>, base: usize, integer: &Integer, value: i64) {
    let at = base + integer.at;
    bytes.splice(at..at + integer.len, integer.encode(value));
}

fn set_word(bytes: &mut [u8], at: usize, word: u32) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&word.to_le_bytes());
    }
}

/// The footer's place, or the whole file where the end of it says nothing that can be.
fn footer(bytes: &[u8]) -> Range<usize> {
    let tail = bytes.len().saturating_sub(8);
    let length = bytes.get(tail..tail + 4).map_or(0, |length| u32::from_le_bytes(length.try_into().expect("four bytes")));
    tail.saturating_sub(length as usize)..tail
}

/// The pages of a file, as far as they can be found.
fn pages(bytes: &[u8]) -> Vec<Page> {
    let source = Bytes::copy_from_slice(bytes);
    let limits = limits();
    let Ok(metadata) = read::metadata(&source, &limits) else { return Vec::new() };
    let options = PageOptions { limits, verify_crc: false, window: None };
    let mut found = Vec::new();
    let leaves = metadata.schema().leaves().len();
    for (group, leaf) in (0..metadata.num_row_groups()).flat_map(|group| (0..leaves).map(move |leaf| (group, leaf))) {
        let Ok(pages) = read::pages(source.clone(), &metadata, group, leaf, &options) else { continue };
        for page in pages.map_while(Result::ok) {
            let start = page.offset() as usize;
            let Some((integers, length)) = integers::of_struct(&bytes[start..]) else { continue };
            let header = start..start + length;
            found.push(Page { end: header.end + page.bytes().len(), header, integers });
        }
    }
    found.sort_by_key(|page| page.header.start);
    found
}

/// All of a range if it is at most `every` long, or else so many of it.
fn places(range: Range<usize>, every: usize, random: &mut Random) -> Vec<usize> {
    let len = range.len();
    if len <= every {
        return range.collect();
    }
    let places: BTreeSet<usize> = (0..every).map(|_| range.start + random.below(len)).collect();
    places.into_iter().collect()
}

/// Marsaglia's xorshift: enough to pick bytes, the same on every machine.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % (n as u64).max(1)) as usize
    }
}
