//! What writing takes.

use benches::random::Random;
use divan::Bencher;
use divan::counter::ItemsCount;
use herringbone::encoding::{DictionaryBuilder, Shape, encoder};
use herringbone::format::{Encoding, PhysicalType};
use herringbone::values::{ByteArrays, Values, ValuesSlice};

use crate::{LENGTHS, naive};

/// The dictionary of values of which there are so many.
#[divan::bench(args = [(1000, 4096), (1000, 1_000_000), (100_000, 1_000_000)], consts = [true, false])]
fn dictionary_of_i64<const OURS: bool>(bencher: Bencher, (distinct, n): (u64, usize)) {
    let mut random = Random::new(distinct);
    // Far from each other, so that they are hashed.
    let values: Vec<u64> = (0..n).map(|_| random.below(distinct).wrapping_mul(0x1234_5678_9abc)).collect();
    let shape = Shape { physical_type: PhysicalType::Int64, width: 0 };
    let fast = || {
        let mut builder = DictionaryBuilder::new(shape, usize::MAX, usize::MAX).expect("a builder");
        let mut indices = Vec::new();
        builder.intern(ValuesSlice::Words64(&values), &mut indices).expect("values of the type");
        (builder, indices)
    };
    let (ours, twin) = (fast(), naive::intern(&values));
    assert!(ours.0.entries() == &Values::Words64(twin.0) && ours.1 == twin.1, "the twins differ");
    let bencher = bencher.counter(ItemsCount::new(n));
    if OURS { bencher.bench_local(fast) } else { bencher.bench_local(|| naive::intern(&values)) }
}

#[divan::bench(args = LENGTHS, consts = [true, false])]
fn dictionary_of_text<const OURS: bool>(bencher: Bencher, n: usize) {
    let mut random = Random::new(8);
    let words: Vec<String> = (0..n).map(|_| format!("word {}", random.below(500))).collect();
    let arrays: ByteArrays = words.iter().map(|word| word.as_bytes()).collect();
    let slices: Vec<&[u8]> = arrays.iter().collect();
    let shape = Shape { physical_type: PhysicalType::ByteArray, width: 0 };
    let fast = || {
        let mut builder = DictionaryBuilder::new(shape, usize::MAX, usize::MAX).expect("a builder");
        let mut indices = Vec::new();
        builder.intern(ValuesSlice::Bytes((&arrays).into()), &mut indices).expect("values of the type");
        (builder, indices)
    };
    let (ours, twin) = (fast(), naive::intern_bytes(&slices));
    let entries: ByteArrays = twin.0.iter().map(Vec::as_slice).collect();
    assert!(ours.0.entries() == &Values::Bytes(entries) && ours.1 == twin.1, "the twins differ");
    let bencher = bencher.counter(ItemsCount::new(n));
    if OURS { bencher.bench_local(fast) } else { bencher.bench_local(|| naive::intern_bytes(&slices)) }
}

#[divan::bench(args = LENGTHS, consts = [true, false])]
fn byte_stream_split_f64<const OURS: bool>(bencher: Bencher, n: usize) {
    let mut random = Random::new(6);
    let values: Vec<u64> = (0..n).map(|_| random.bits()).collect();
    let fast = || {
        let shape = Shape { physical_type: PhysicalType::Double, width: 0 };
        let mut writer = encoder(Encoding::ByteStreamSplit, shape).expect("an encoder");
        writer.write(ValuesSlice::Words64(&values)).expect("values of the type");
        let mut out = Vec::new();
        writer.finish(&mut out);
        out
    };
    assert!(fast() == naive::split_streams(&values), "the twins differ");
    let bencher = bencher.counter(ItemsCount::new(n));
    if OURS { bencher.bench_local(fast) } else { bencher.bench_local(|| naive::split_streams(&values)) }
}
