//! Levels, and values to their slots.

use benches::random::Random;
use divan::Bencher;
use divan::counter::ItemsCount;
use herringbone::levels::nested::{Levels, Slots, offsets};
use herringbone::levels::{LevelEncoding, LevelReader, count_levels, spread, write_levels};
use herringbone::values::{Bits, Values};

use crate::{LENGTHS, naive};

/// Slots and the share of nulls among them in percent.
const NULLS: [(usize, u64); 6] = [(4096, 0), (4096, 10), (4096, 50), (1_000_000, 0), (1_000_000, 10), (1_000_000, 50)];

fn validity(n: usize, nulls: u64) -> Vec<bool> {
    let mut random = Random::new(nulls);
    (0..n).map(|_| random.below(100) >= nulls).collect()
}

/// Times ours, or the twin, after both were seen to have the same result.
fn twins<T: PartialEq>(bencher: Bencher, n: usize, ours: bool, fast: impl Fn() -> T, twin: impl Fn() -> T) {
    assert!(fast() == twin(), "the twins differ");
    let bencher = bencher.counter(ItemsCount::new(n));
    if ours { bencher.bench_local(fast) } else { bencher.bench_local(twin) }
}

#[divan::bench(args = NULLS, consts = [true, false])]
fn spread_i64<const OURS: bool>(bencher: Bencher, (n, nulls): (usize, u64)) {
    let valid = validity(n, nulls);
    let bits: Bits = valid.iter().copied().collect();
    let words: Vec<u64> = (0..bits.count_ones() as u64).map(|i| i * 3).collect();
    let dense = Values::Words64(words.clone());
    let fast = || {
        let mut out = Values::Words64(Vec::new());
        spread(&dense, &bits, 0, n, &mut out);
        out
    };
    twins(bencher, n, OURS, fast, || Values::Words64(naive::spread(&words, &valid)));
}

#[divan::bench(args = NULLS, consts = [true, false])]
fn spread_i32<const OURS: bool>(bencher: Bencher, (n, nulls): (usize, u64)) {
    let valid = validity(n, nulls);
    let bits: Bits = valid.iter().copied().collect();
    let words: Vec<u32> = (0..bits.count_ones() as u32).map(|i| i * 3).collect();
    let dense = Values::Words32(words.clone());
    let fast = || {
        let mut out = Values::Words32(Vec::new());
        spread(&dense, &bits, 0, n, &mut out);
        out
    };
    twins(bencher, n, OURS, fast, || Values::Words32(naive::spread(&words, &valid)));
}

/// Definition levels of a flat column as the validity bitmap.
#[divan::bench(args = NULLS, consts = [true, false])]
fn validity_of_levels<const OURS: bool>(bencher: Bencher, (n, nulls): (usize, u64)) {
    let levels: Vec<u8> = validity(n, nulls).into_iter().map(u8::from).collect();
    let mut bytes = Vec::new();
    write_levels(&levels, 1, &mut bytes);
    let fast = || {
        let mut out = Bits::new();
        LevelReader::new(LevelEncoding::Rle, 1).expect("a reader").read_validity(&bytes, n, &mut out).expect("levels");
        out
    };
    twins(bencher, n, OURS, fast, || naive::hybrid(&bytes, 1, n).into_iter().map(|level| level == 1).collect());
}

/// Levels of nested columns as bytes.
#[divan::bench(args = LENGTHS, consts = [true, false])]
fn levels_to_3<const OURS: bool>(bencher: Bencher, n: usize) {
    let mut random = Random::new(3);
    let levels: Vec<u8> = (0..n).map(|_| random.below(4) as u8).collect();
    let mut bytes = Vec::new();
    write_levels(&levels, 3, &mut bytes);
    let fast = || {
        let mut out = Vec::new();
        LevelReader::new(LevelEncoding::Rle, 3).expect("a reader").read(&bytes, n, &mut out).expect("levels");
        out
    };
    twins(bencher, n, OURS, fast, || naive::hybrid(&bytes, 2, n).into_iter().map(|level| level as u8).collect());
}

/// Lists of some elements, some empty and some null: levels of at most 3.
fn lists(n: usize) -> Levels {
    let mut random = Random::new(9);
    let mut levels = Levels::default();
    while levels.len() < n {
        let length = random.below(9);
        for i in 0..length.max(1) {
            levels.repetition.push(u8::from(i > 0));
            levels.definition.push(if length == 0 { random.below(2) as u8 } else { 2 + random.below(2) as u8 });
        }
    }
    levels
}

#[divan::bench(args = LENGTHS, consts = [true, false])]
fn offsets_of_lists<const OURS: bool>(bencher: Bencher, n: usize) {
    let levels = lists(n);
    let elements = Slots { repetition: 1, definition: 2 };
    let fast = || offsets(&levels, Slots::ROWS, elements).expect("offsets");
    twins(bencher, levels.len(), OURS, fast, || naive::offsets(&levels.repetition, &levels.definition, 2));
}

#[divan::bench(args = LENGTHS, consts = [true, false])]
fn histogram<const OURS: bool>(bencher: Bencher, n: usize) {
    let levels = lists(n).definition;
    let fast = || {
        let mut counts = vec![0; 4];
        count_levels(&levels, &mut counts);
        counts
    };
    twins(bencher, levels.len(), OURS, fast, || naive::histogram(&levels, 3));
}
