//! Levels: any bytes read whole and in pieces, what was written read again, and what nesting is made of them by kernels and naively.

use arbitrary::Arbitrary;
use herringbone::levels::nested::{self, Levels, Slots};
use herringbone::levels::{
    LevelEncoding, LevelReader, count_level, count_levels, spread, write_equal_levels, write_levels, write_validity,
};
use herringbone::values::{Bits, Values};

use super::{judge, split};

#[derive(Arbitrary, Debug)]
struct Control {
    bit_packed: bool,
    max: u8,
    pieces: [(u8, u16); 6],
    lists: (u8, u8),
    elements: (u8, u8),
    present: u8,
    rows: (u16, u16),
}

pub fn run(data: &[u8]) {
    let Some((control, bytes)) = split::<Control>(data) else { return };
    let encoding = if control.bit_packed { LevelEncoding::BitPacked } else { LevelEncoding::Rle };
    if let Some(levels) = read_pieces(encoding, control.max, bytes, &control.pieces) {
        write_again(&levels, control.max);
        nest(&Levels { repetition: levels.iter().rev().copied().collect(), definition: levels }, &control);
    }
    // The bytes themselves as levels, so that all of them are easily made.
    let (repetition, definition) = bytes.split_at(bytes.len() / 2);
    nest(&Levels { repetition: repetition.to_vec(), definition: definition[..repetition.len()].to_vec() }, &control);
}

/// Reads the levels at once and in pieces, as bytes, as bits and passed over; `None` when there are fewer.
fn read_pieces(encoding: LevelEncoding, max: u8, bytes: &[u8], pieces: &[(u8, u16)]) -> Option<Vec<u8>> {
    let reader = || LevelReader::new(encoding, max).expect("a level of a byte");
    let n = pieces.iter().map(|(_, n)| usize::from(n % 3000)).sum();
    let mut whole = Vec::new();
    if let Err(error) = reader().read(bytes, n, &mut whole) {
        judge(&error);
        return None;
    }
    assert!(whole.len() == n && whole.iter().all(|level| *level <= max), "levels above {max}, or not {n} of them");
    let (mut in_pieces, mut from) = (reader(), 0);
    for (how, n) in pieces {
        let n = usize::from(n % 3000);
        let expected = &whole[from..from + n];
        match how % 3 {
            0 => {
                let mut levels = Vec::new();
                in_pieces.read(bytes, n, &mut levels).expect("levels that were read at once");
                assert!(levels == expected, "the levels from {from} on are others in pieces");
            }
            1 => {
                let mut bits = Bits::new();
                in_pieces.read_validity(bytes, n, &mut bits).expect("levels that were read at once");
                assert!(bits.iter().eq(expected.iter().map(|level| *level == max)), "the validity from {from} on is another");
            }
            _ => {
                let present = in_pieces.skip(bytes, n).expect("levels that were read at once");
                assert_eq!(present, expected.iter().filter(|level| **level == max).count());
            }
        }
        from += n;
    }
    Some(whole)
}

fn write_again(levels: &[u8], max: u8) {
    let read = |bytes: &[u8]| {
        let mut read = Vec::new();
        LevelReader::new(LevelEncoding::Rle, max).expect("a maximum").read(bytes, levels.len(), &mut read).expect("what was written");
        read
    };
    let mut bytes = Vec::new();
    write_levels(levels, max, &mut bytes);
    assert!(read(&bytes) == levels, "other levels than were written");
    if let Some(first) = levels.first() {
        bytes.clear();
        write_equal_levels(*first, levels.len(), max, &mut bytes);
        assert!(read(&bytes).iter().all(|level| level == first));
        assert_eq!(count_level(levels, *first), levels.iter().filter(|level| *level == first).count());
    }
    let mut histogram = vec![0; usize::from(max) + 1];
    count_levels(levels, &mut histogram);
    assert_eq!(histogram.iter().sum::<i64>(), levels.len() as i64);

    let validity: Bits = levels.iter().map(|level| *level == max).collect();
    if max == 1 {
        bytes.clear();
        write_validity(&validity, &mut bytes);
        assert!(read(&bytes) == levels, "another validity than was written");
    }
    let dense = Values::Words32((0..validity.count_ones() as u32).collect());
    let mut slots = Values::Words32(Vec::new());
    spread(&dense, &validity, 0, levels.len(), &mut slots);
    let mut next = 0..;
    let naive: Vec<u32> = validity.iter().map(|valid| if valid { next.next().expect("a number") } else { 0 }).collect();
    assert!(matches!(slots, Values::Words32(slots) if slots == naive), "values in other slots");
}

fn nest(levels: &Levels, control: &Control) {
    let slots = |(repetition, definition): (u8, u8)| Slots { repetition: repetition % 8, definition: definition % 8 };
    let (lists, elements) = (slots(control.lists), slots(control.elements));
    let is_slot = |slots: Slots, at: usize| {
        levels.repetition.get(at).is_none_or(|level| *level <= slots.repetition)
            && levels.definition.get(at).is_none_or(|level| *level >= slots.definition)
    };
    let all = 0..levels.len();
    assert_eq!(nested::count(levels, lists), all.clone().filter(|at| is_slot(lists, *at)).count());

    let present = control.present % 8;
    let mut bits = Bits::new();
    let n = nested::validity(levels, lists, present, &mut bits);
    let naive = all.clone().filter(|at| is_slot(lists, *at)).map(|at| levels.definition.get(at).is_none_or(|level| *level >= present));
    assert!(bits.len() == n && bits.iter().eq(naive), "another validity than naively");

    let mut offsets = Vec::new();
    let mut before = 0;
    for at in all {
        if is_slot(lists, at) {
            offsets.push(before);
        }
        before += i32::from(is_slot(elements, at));
    }
    let orphaned = offsets.first().map_or(before != 0, |first| *first != 0);
    offsets.push(before);
    match nested::offsets(levels, lists, elements) {
        Ok(found) => assert!(!orphaned && found == offsets, "other offsets than naively: {found:?}, {offsets:?}"),
        Err(error) => {
            judge(&error);
            assert!(orphaned, "offsets are refused: {error}");
        }
    }

    let (at, rows) = (usize::from(control.rows.0), usize::from(control.rows.1));
    let rest = levels.repetition.get(at..).unwrap_or_default();
    let begins: Vec<usize> = (0..rest.len()).filter(|entry| rest[*entry] == 0).collect();
    let naive = begins.get(rows).map_or((rest.len(), begins.len()), |end| (*end, rows));
    assert_eq!(nested::row_end(&levels.repetition, at, rows), naive);
}
