//! Each encoding and shape: any bytes decoded whole and in pieces, and what was encoded decoded again, whole and with bytes changed.

use std::sync::Arc;

use arbitrary::Arbitrary;
use herringbone::encoding::{Dictionary, DictionaryBuilder, Shape, decoder, encoder, write_indices};
use herringbone::format::{Encoding, PhysicalType};
use herringbone::values::{Bits, ByteArrays, Values, ValuesSlice};

use super::{Change, change, judge, split};

pub const TYPES: [PhysicalType; 8] = [
    PhysicalType::Boolean,
    PhysicalType::Int32,
    PhysicalType::Int64,
    PhysicalType::Int96,
    PhysicalType::Float,
    PhysicalType::Double,
    PhysicalType::ByteArray,
    PhysicalType::FixedLenByteArray,
];

pub const ENCODINGS: [Encoding; 11] = [
    Encoding::Plain,
    Encoding::PlainDictionary,
    Encoding::Rle,
    Encoding::BitPacked,
    Encoding::DeltaBinaryPacked,
    Encoding::DeltaLengthByteArray,
    Encoding::DeltaByteArray,
    Encoding::RleDictionary,
    Encoding::ByteStreamSplit,
    Encoding::Alp,
    Encoding::Unknown(11),
];

#[derive(Arbitrary, Debug)]
struct Control {
    physical_type: u8,
    width: u8,
    encoding: u8,
    /// Whether the bytes are values to encode, and not a page already.
    encode: bool,
    /// How many of the bytes are the value before the page, if there is one, and how many the values of a dictionary.
    previous: Option<u8>,
    dictionary: Option<u8>,
    pieces: [Piece; 6],
    changes: [Change; 2],
}

#[derive(Arbitrary, Debug)]
struct Piece {
    skip: bool,
    n: u16,
}

pub fn run(data: &[u8]) {
    let Some((control, bytes)) = split::<Control>(data) else { return };
    let physical_type = TYPES[usize::from(control.physical_type) % TYPES.len()];
    let width = if physical_type == PhysicalType::Int96 { 12 } else { usize::from(control.width % 40) };
    let shape = Shape { physical_type, width };
    let encoding = ENCODINGS[usize::from(control.encoding) % ENCODINGS.len()];
    let (previous, bytes) = bytes.split_at(usize::from(control.previous.unwrap_or(0)).min(bytes.len()));
    let (entries, bytes) = bytes.split_at(usize::from(control.dictionary.unwrap_or(0)).min(bytes.len()));
    let mut dictionary = control.dictionary.map(|_| Arc::new(Dictionary::new(values(shape, entries))));
    let mut page = bytes.to_vec();
    if control.encode {
        let values = values(shape, bytes);
        let Some((encoded, its)) = encode(encoding, shape, &values) else { return };
        (page, dictionary) = (encoded, its.or(dictionary));
        let mut decoded = Values::new(physical_type, width);
        let n = values.len();
        let read = decoder(encoding, shape, &page, dictionary.as_ref()).and_then(|mut decoder| decoder.read(&page, n, &mut decoded));
        assert_eq!(read.expect("what was encoded"), n);
        assert!(decoded == values, "{encoding} gives back other values: {decoded:?} for {values:?}");
        change(&mut page, &control.changes);
    }
    let previous = control.previous.map(|_| previous);
    let decode = |whole| decode(encoding, shape, &page, dictionary.as_ref(), previous, &control.pieces, whole);
    let (whole, pieces) = (decode(true), decode(false));
    let Some(whole) = whole else { return };
    let pieces = pieces.expect("pieces of a page that can be read whole");
    let (mut from, mut at) = (0, 0);
    for Piece { skip, n } in &control.pieces {
        let n = usize::from(n % 1024);
        if !skip {
            let of = |values: &Values, at: usize| text(values.as_slice().slice(at..at + n).expect("the piece"));
            assert!(of(&whole, from) == of(&pieces, at), "{encoding}: the values from {from} on are others in pieces");
            at += n;
        }
        from += n;
    }
}

/// What values say, wherever in a container they lie.
fn text(values: ValuesSlice<'_>) -> String {
    match values {
        ValuesSlice::Words32(words) => format!("{words:?}"),
        ValuesSlice::Words64(words) => format!("{words:?}"),
        ValuesSlice::Bits(bits) => {
            let mut alone = Bits::new();
            bits.append_to(&mut alone);
            format!("{alone:?}")
        }
        ValuesSlice::Bytes(arrays) => format!("{:?}", arrays.iter().collect::<Vec<_>>()),
        ValuesSlice::Fixed(arrays) => format!("{:?}", arrays.iter().collect::<Vec<_>>()),
    }
}

/// A page of the values, and its dictionary; `None` where the values cannot be encoded so.
fn encode(encoding: Encoding, shape: Shape, values: &Values) -> Option<(Vec<u8>, Option<Arc<Dictionary>>)> {
    let mut page = Vec::new();
    if matches!(encoding, Encoding::RleDictionary | Encoding::PlainDictionary) {
        let (mut builder, mut indices) = (DictionaryBuilder::new(shape, 1 << 16, 1 << 20).ok()?, Vec::new());
        let taken = builder.intern(values.as_slice(), &mut indices).expect("values of the shape");
        assert_eq!((taken, indices.len()), (values.len(), values.len()), "a dictionary that is full too soon");
        write_indices(&indices, &mut page);
        let mut entries = Vec::new();
        builder.write_page(&mut entries);
        let dictionary = Dictionary::decode(Encoding::Plain, shape, &entries, builder.len()).expect("the dictionary's page");
        assert!(dictionary.values() == builder.entries(), "the dictionary's page has other values");
        return Some((page, Some(Arc::new(dictionary))));
    }
    let mut writer = encoder(encoding, shape).ok()?;
    let half = values.len() / 2;
    for range in [0..half, half..values.len()] {
        writer.write(values.as_slice().slice(range).expect("a part of the values")).expect("values of the shape");
    }
    writer.finish(&mut page);
    Some((page, None))
}

/// All values of the pieces: read at once, or piece by piece without those to pass over. `None` if the page has not as many.
fn decode(
    encoding: Encoding,
    shape: Shape,
    page: &[u8],
    dictionary: Option<&Arc<Dictionary>>,
    previous: Option<&[u8]>,
    pieces: &[Piece],
    whole: bool,
) -> Option<Values> {
    let mut decoder = decoder(encoding, shape, page, dictionary).inspect_err(judge).ok()?;
    if let Some(previous) = previous {
        decoder.set_previous(previous);
    }
    let mut out = Values::new(shape.physical_type, shape.width);
    if whole {
        let n = pieces.iter().map(|piece| usize::from(piece.n % 1024)).sum();
        let read = decoder.read(page, n, &mut out).inspect_err(judge).ok()?;
        assert!(read == n && out.len() == n, "{read} read of {n}, {} appended", out.len());
        return Some(out);
    }
    for Piece { skip, n } in pieces {
        let n = usize::from(n % 1024);
        if *skip {
            decoder.skip(page, n).inspect_err(judge).ok()?;
        } else {
            decoder.read(page, n, &mut out).inspect_err(judge).ok()?;
        }
    }
    Some(out)
}

/// As many values of a shape as the bytes make.
fn values(shape: Shape, bytes: &[u8]) -> Values {
    if shape.physical_type == PhysicalType::ByteArray {
        // A byte says how long the next value is.
        let mut arrays = ByteArrays::new();
        let mut rest = bytes;
        while let Some((length, tail)) = rest.split_first() {
            let (value, tail) = tail.split_at(usize::from(length % 32).min(tail.len()));
            arrays.push(value).expect("room for a short value");
            rest = tail;
        }
        return Values::Bytes(arrays);
    }
    let n = match shape.fixed_width() {
        Some(0) => 3,
        Some(width) => bytes.len() / width,
        None => bytes.len() * 8,
    };
    let mut out = Values::new(shape.physical_type, shape.width);
    let mut decoder = decoder(Encoding::Plain, shape, bytes, None).expect("the plain encoding");
    decoder.read(bytes, n, &mut out).expect("as many values as there are");
    out
}
