//! Each codec: any bytes decompressed, and what was compressed decompressed again, whole and with bytes changed.

use arbitrary::Arbitrary;
use herringbone::compression::{Compression, Compressor, Decompressor, max_uncompressed};
use herringbone::format::Codec;

use super::{Change, change, judge, split};

pub const CODECS: [Codec; 8] =
    [Codec::Snappy, Codec::Gzip, Codec::Brotli, Codec::Zstd, Codec::Lz4Raw, Codec::Lz4, Codec::Uncompressed, Codec::Lzo];

/// Pages that are larger than this are refused before a codec is asked.
const LARGEST: u32 = 1 << 20;

#[derive(Arbitrary, Debug)]
struct Control {
    codec: u8,
    size: u32,
    changes: [Change; 2],
}

pub fn run(data: &[u8]) {
    let Some((control, bytes)) = split::<Control>(data) else { return };
    let codec = CODECS[usize::from(control.codec) % CODECS.len()];
    let size = (control.size % LARGEST) as usize;
    let (mut decompressor, mut out) = (Decompressor::new(), Vec::new());
    check(&mut decompressor, codec, bytes, size, &mut out);

    let Ok(compression) = Compression::new(codec, None) else { return };
    let Ok(mut compressor) = Compressor::new(compression) else { return };
    // Small pages and, so that there are matches, long ones.
    let original = bytes.repeat(1 + size % 4);
    let mut compressed = Vec::new();
    compressor.compress(&original, &mut compressed).expect("a page that can be compressed");
    let most = max_uncompressed(codec, compressed.len());
    assert!(most >= original.len() as u64, "{codec} reaches {} bytes, and at most {most} were said", original.len());
    decompressor.decompress(codec, &compressed, original.len(), &mut out).expect("what was compressed");
    assert!(out == original, "{codec} gives back other bytes");

    change(&mut compressed, &control.changes);
    check(&mut decompressor, codec, &compressed, original.len(), &mut out);
    check(&mut decompressor, codec, &compressed, size, &mut out);
}

fn check(decompressor: &mut Decompressor, codec: Codec, bytes: &[u8], size: usize, out: &mut Vec<u8>) {
    match decompressor.decompress(codec, bytes, size, out) {
        Ok(()) => assert_eq!(out.len(), size),
        Err(error) => {
            judge(&error);
            assert!(out.is_empty(), "bytes are left after an error");
        }
    }
}
