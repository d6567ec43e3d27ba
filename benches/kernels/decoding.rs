//! Decoders.

use std::sync::Arc;

use benches::random::Random;
use divan::Bencher;
use divan::counter::ItemsCount;
use herringbone::encoding::{Dictionary, Shape, decoder, encoder, write_indices};
use herringbone::format::{Encoding, PhysicalType};
use herringbone::values::{ByteArrays, Values};

use crate::{LENGTHS, naive};

/// A page of values in an encoding, and how to read it.
struct Page {
    encoding: Encoding,
    shape: Shape,
    bytes: Vec<u8>,
    n: usize,
    dictionary: Option<Arc<Dictionary>>,
}

impl Page {
    fn new(encoding: Encoding, physical_type: PhysicalType, values: &Values) -> Self {
        let shape = Shape { physical_type, width: 0 };
        let mut writer = encoder(encoding, shape).expect("an encoder");
        writer.write(values.as_slice()).expect("values of the type");
        let mut bytes = Vec::new();
        writer.finish(&mut bytes);
        Self { encoding, shape, bytes, n: values.len(), dictionary: None }
    }

    fn decode(&self) -> Values {
        let mut out = Values::new(self.shape.physical_type, 0);
        let mut reader = decoder(self.encoding, self.shape, &self.bytes, self.dictionary.as_ref()).expect("a decoder");
        reader.read(&self.bytes, self.n, &mut out).expect("a page that can be read");
        out
    }

    /// Times our decoder, or the twin, after both were seen to read the same.
    fn bench(&self, bencher: Bencher, ours: bool, twin: impl Fn(&[u8]) -> Values + Sync) {
        assert!(self.decode() == twin(&self.bytes), "the twins differ");
        let bencher = bencher.counter(ItemsCount::new(self.n));
        if ours { bencher.bench_local(|| self.decode()) } else { bencher.bench_local(|| twin(&self.bytes)) }
    }
}

fn arrays((offsets, data): (Vec<i32>, Vec<u8>)) -> Values {
    Values::Bytes(offsets.windows(2).map(|pair| &data[pair[0] as usize..pair[1] as usize]).collect())
}

/// Numbers of so many bits.
fn numbers(n: usize, width: u32) -> Vec<u64> {
    let mut random = Random::new(u64::from(width));
    (0..n).map(|_| random.bits() >> (64 - width)).collect()
}

fn text(n: usize, sorted: bool) -> Values {
    let mut random = Random::new(5);
    let mut found: Vec<String> =
        (0..n).map(|_| format!("https://example.org/{}/item/{}", random.below(50), random.below(1 << 40))).collect();
    if sorted {
        found.sort();
    }
    Values::Bytes(found.iter().map(|text| text.as_bytes()).collect::<ByteArrays>())
}

#[divan::bench(args = LENGTHS, consts = [true, false])]
fn plain_i32<const OURS: bool>(bencher: Bencher, n: usize) {
    let values = Values::Words32(numbers(n, 32).into_iter().map(|number| number as u32).collect());
    Page::new(Encoding::Plain, PhysicalType::Int32, &values).bench(bencher, OURS, |page| Values::Words32(naive::plain_u32(page)));
}

#[divan::bench(args = LENGTHS, consts = [true, false])]
fn plain_i64<const OURS: bool>(bencher: Bencher, n: usize) {
    let values = Values::Words64(numbers(n, 64));
    Page::new(Encoding::Plain, PhysicalType::Int64, &values).bench(bencher, OURS, |page| Values::Words64(naive::plain_u64(page)));
}

#[divan::bench(args = LENGTHS, consts = [true, false])]
fn plain_bytes<const OURS: bool>(bencher: Bencher, n: usize) {
    Page::new(Encoding::Plain, PhysicalType::ByteArray, &text(n, false)).bench(bencher, OURS, |page| arrays(naive::plain_bytes(page)));
}

/// Unpacking and looking up: widths of indices.
fn dictionary(bencher: Bencher, ours: bool, width: u32, n: usize) {
    let entries = numbers(1 << width, 40);
    let mut bytes = Vec::new();
    write_indices(&numbers(n, width).into_iter().map(|number| number as u32).collect::<Vec<_>>(), &mut bytes);
    let shape = Shape { physical_type: PhysicalType::Int64, width: 0 };
    let dictionary = Some(Arc::new(Dictionary::new(Values::Words64(entries.clone()))));
    let page = Page { encoding: Encoding::RleDictionary, shape, bytes, n, dictionary };
    page.bench(bencher, ours, |page| Values::Words64(naive::dictionary(page, &entries, n)));
}

#[divan::bench(args = [(4, 4096), (10, 4096), (4, 1_000_000), (10, 1_000_000), (17, 1_000_000)], consts = [true, false])]
fn dictionary_i64<const OURS: bool>(bencher: Bencher, (width, n): (u32, usize)) {
    dictionary(bencher, OURS, width, n);
}

/// Sorted numbers whose differences have so many bits.
#[divan::bench(args = [(0, 4096), (5, 4096), (11, 4096), (33, 4096), (0, 1_000_000), (5, 1_000_000), (11, 1_000_000), (33, 1_000_000)], consts = [true, false])]
fn delta_i64<const OURS: bool>(bencher: Bencher, (width, n): (u32, usize)) {
    let mut sum = 0u64;
    let differences = if width == 0 { vec![3; n] } else { numbers(n, width) };
    let values = differences.into_iter().map(|difference| {
        sum += difference;
        sum
    });
    let page = Page::new(Encoding::DeltaBinaryPacked, PhysicalType::Int64, &Values::Words64(values.collect()));
    page.bench(bencher, OURS, |page| Values::Words64(naive::delta(page).0.into_iter().map(i64::cast_unsigned).collect()));
}

#[divan::bench(args = LENGTHS, consts = [true, false])]
fn delta_length_bytes<const OURS: bool>(bencher: Bencher, n: usize) {
    let page = Page::new(Encoding::DeltaLengthByteArray, PhysicalType::ByteArray, &text(n, false));
    page.bench(bencher, OURS, |page| arrays(naive::delta_lengths(page)));
}

#[divan::bench(args = LENGTHS, consts = [true, false])]
fn delta_bytes<const OURS: bool>(bencher: Bencher, n: usize) {
    let page = Page::new(Encoding::DeltaByteArray, PhysicalType::ByteArray, &text(n, true));
    page.bench(bencher, OURS, |page| arrays(naive::delta_strings(page)));
}

#[divan::bench(args = LENGTHS, consts = [true, false])]
fn byte_stream_split_f32<const OURS: bool>(bencher: Bencher, n: usize) {
    let values = Values::Words32(numbers(n, 32).into_iter().map(|number| number as u32).collect());
    let page = Page::new(Encoding::ByteStreamSplit, PhysicalType::Float, &values);
    page.bench(bencher, OURS, |page| Values::Words32(naive::plain_u32(&naive::byte_streams(page, 4))));
}

#[divan::bench(args = LENGTHS, consts = [true, false])]
fn byte_stream_split_f64<const OURS: bool>(bencher: Bencher, n: usize) {
    let page = Page::new(Encoding::ByteStreamSplit, PhysicalType::Double, &Values::Words64(numbers(n, 64)));
    page.bench(bencher, OURS, |page| Values::Words64(naive::plain_u64(&naive::byte_streams(page, 8))));
}

#[divan::bench(args = LENGTHS, consts = [true, false])]
fn alp_f64<const OURS: bool>(bencher: Bencher, n: usize) {
    let values = numbers(n, 20).into_iter().enumerate();
    // One in a hundred is no decimal.
    let values = values.map(|(i, cents)| if i % 100 == 7 { (cents as f64).sqrt() } else { cents as f64 / 100.0 }.to_bits());
    let page = Page::new(Encoding::Alp, PhysicalType::Double, &Values::Words64(values.collect()));
    page.bench(bencher, OURS, |page| Values::Words64(naive::alp(page)));
}
