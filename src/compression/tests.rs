//! All codecs together: what comes back, what is refused, what it may cost.

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;

/// Every codec of this build, at its cheapest, default and dearest affordable level.
fn compressions() -> Vec<Compression> {
    ["uncompressed", "snappy", "gzip:0", "gzip:1", "gzip", "gzip:9", "brotli:0", "brotli:1", "brotli", "brotli:9"]
        .into_iter()
        .chain(["zstd:-7", "zstd:1", "zstd:3", "zstd:12", "lz4_raw", "lz4_hadoop"])
        .map(|text| text.parse::<Compression>().unwrap())
        .filter(|compression| supported(compression.codec()).is_ok())
        .collect()
}

/// One compression for each codec.
fn codecs() -> Vec<Compression> {
    let mut all = compressions();
    all.dedup_by_key(|compression| compression.codec());
    all
}

fn compressed(compression: Compression, page: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Compressor::new(compression).unwrap().compress(page, &mut out).unwrap();
    out
}

/// Bytes that look like columns: `kind` picks random, all equal, repeating, or text with repeats at a distance.
fn page(kind: u8, len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    match kind % 4 {
        0 => (0..len).map(|_| random() as u8).collect(),
        1 => vec![seed as u8; len],
        2 => (0..len).map(|index| (index / 8 % 251 * (seed as usize % 5 + 1)) as u8).collect(),
        _ => {
            let words = ["herring", "bone", "column", "page", "snow ", "0.125", "\0\0\0\0"];
            let mut bytes = Vec::with_capacity(len + 8);
            while bytes.len() < len {
                bytes.extend_from_slice(words[random() as usize % words.len()].as_bytes());
            }
            bytes.truncate(len);
            bytes
        }
    }
}

fn lengths() -> impl Iterator<Item = usize> {
    let around = (1..=17).flat_map(|bits| [(1 << bits) - 1, 1 << bits, (1 << bits) + 1]);
    [0, 1, 2, 3, 4].into_iter().chain(around).chain([261_099, 261_100, 261_101, 300_000])
}

#[test]
fn pages_of_all_lengths_come_back() {
    for compression in compressions() {
        let mut compressor = Compressor::new(compression).unwrap();
        let mut decompressor = Decompressor::new();
        let (mut packed, mut out) = (Vec::new(), Vec::new());
        for (index, len) in lengths().enumerate() {
            let page = page(index as u8, len, index as u64);
            packed.clear();
            compressor.compress(&page, &mut packed).unwrap();
            assert!(len as u64 <= max_uncompressed(compression.codec(), packed.len()), "{compression} {len} {}", packed.len());
            decompressor.decompress(compression.codec(), &packed, len, &mut out).unwrap();
            assert!(out == page, "{compression} {len}");
        }
    }
}

#[test]
fn a_megabyte_comes_back() {
    for compression in codecs() {
        for kind in 0..4 {
            let page = page(kind, 1 << 20, 77);
            let mut out = Vec::new();
            Decompressor::new().decompress(compression.codec(), &compressed(compression, &page), page.len(), &mut out).unwrap();
            assert!(out == page, "{compression} {kind}");
        }
    }
}

#[test]
fn compressing_appends() {
    for compression in compressions() {
        let mut compressor = Compressor::new(compression).unwrap();
        let mut out = b"levels".to_vec();
        compressor.compress(b"first page first page", &mut out).unwrap();
        let middle = out.len();
        compressor.compress(b"second page second page", &mut out).unwrap();
        assert_eq!(&out[..6], b"levels");
        assert_eq!(out[6..middle], compressed(compression, b"first page first page"), "{compression}");
        assert_eq!(out[middle..], compressed(compression, b"second page second page"), "{compression}");
    }
}

#[test]
fn a_wrong_length_is_malformed_both_ways() {
    for compression in codecs() {
        let (codec, page) = (compression.codec(), page(3, 5000, 5));
        let packed = compressed(compression, &page);
        for claim in [0, 1, 2500, 4999, 5001, 5100, 10_000, 100_000, 1 << 20, usize::MAX] {
            for capacity in [0, 4999, 5000, 200_000] {
                let mut out = vec![7; capacity];
                let error = Decompressor::new().decompress(codec, &packed, claim, &mut out).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Malformed, "{codec} {claim}");
                assert!(out.is_empty());
                assert!(error.message().contains(&codec.to_string()[..3]), "{error}");
            }
        }
    }
}

#[test]
fn nothing_decompresses_to_nothing() {
    for compression in codecs() {
        let codec = compression.codec();
        let mut out = vec![1, 2, 3];
        Decompressor::new().decompress(codec, &[], 0, &mut out).unwrap();
        assert!(out.is_empty());
        out.push(1);
        Decompressor::new().decompress(codec, &compressed(compression, &[]), 0, &mut out).unwrap();
        assert!(out.is_empty());
        assert_eq!(Decompressor::new().decompress(codec, &[], 1, &mut out).unwrap_err().kind(), ErrorKind::Malformed);
    }
}

#[test]
fn what_cannot_be_read_is_unsupported_by_name() {
    for (codec, says) in [(Codec::Lzo, "LZO (id 3)"), (Codec::Unknown(99), "UNKNOWN(99)")] {
        let error = Decompressor::new().decompress(codec, b"abc", 3, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains(says), "{error}");
    }
    let features = [
        (Codec::Snappy, "snappy", cfg!(feature = "snappy")),
        (Codec::Gzip, "gzip", cfg!(feature = "gzip")),
        (Codec::Brotli, "brotli", cfg!(feature = "brotli")),
        (Codec::Zstd, "zstd", cfg!(feature = "zstd")),
        (Codec::Lz4Raw, "lz4", cfg!(feature = "lz4")),
        (Codec::Lz4, "lz4", cfg!(feature = "lz4")),
    ];
    for (codec, feature, enabled) in features {
        assert_eq!(supported(codec).is_ok(), enabled);
        if !enabled {
            let reading = Decompressor::new().decompress(codec, b"abc", 3, &mut Vec::new()).unwrap_err();
            let writing = Compressor::new(Compression::new(codec, None).unwrap()).err().unwrap();
            for error in [reading, writing] {
                assert_eq!(error.kind(), ErrorKind::Unsupported);
                assert!(error.message().contains(&format!("`{feature}`")), "{error}");
            }
        }
    }
}

#[test]
fn truncated_and_flipped_pages_are_survived() {
    for compression in compressions() {
        for kind in 0..4 {
            let page = page(kind, 300, 9);
            let packed = compressed(compression, &page);
            let mut decompressor = Decompressor::new();
            let mut out = Vec::new();
            for end in 0..packed.len() {
                let result = decompressor.decompress(compression.codec(), &packed[..end], page.len(), &mut out);
                assert!(result.is_err() || out == page, "{compression} cut at {end}");
                assert_eq!(result.is_err(), out.is_empty());
            }
            for bit in 0..packed.len() * 8 {
                let mut flipped = packed.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let result = decompressor.decompress(compression.codec(), &flipped, page.len(), &mut out);
                assert_eq!(out.len(), if result.is_ok() { page.len() } else { 0 }, "{compression} bit {bit}");
                assert!(out.capacity() <= page.len() + room_behind(compression.codec(), page.len()));
                // A failure must not spoil the context for the next page.
                decompressor.decompress(compression.codec(), &packed, page.len(), &mut out).unwrap();
                assert!(out == page, "{compression} after bit {bit}");
            }
        }
    }
}

/// How many bytes more than a page has its buffer may have.
fn room_behind(codec: Codec, size: usize) -> usize {
    if codec == Codec::Snappy && size <= 4096 { 96 } else { 0 }
}

/// Pages that are large enough for each codec's fast loops, with bytes changed here and there.
#[test]
fn mutated_larger_pages_are_survived() {
    for compression in compressions() {
        let mut decompressor = Decompressor::new();
        let mut out = Vec::new();
        for kind in 0..4 {
            let page = page(kind, 20_000, 13);
            let packed = compressed(compression, &page);
            for seed in 1..100 {
                let mut mutated = packed.clone();
                for change in self::page(0, 3 * (1 + seed % 3), seed as u64).chunks(3) {
                    let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % mutated.len();
                    mutated[at] = change[2];
                }
                let result = decompressor.decompress(compression.codec(), &mutated, page.len(), &mut out);
                assert_eq!(out.len(), if result.is_ok() { page.len() } else { 0 }, "{compression} {kind} {seed}");
                assert!(out.capacity() <= page.len());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), size in 0_usize..5000) {
        let mut decompressor = Decompressor::new();
        for compression in codecs() {
            let mut out = Vec::new();
            let result = decompressor.decompress(compression.codec(), &bytes, size, &mut out);
            prop_assert_eq!(out.len(), if result.is_ok() { size } else { 0 });
            prop_assert!(out.capacity() <= size.max(8) + room_behind(compression.codec(), size), "{} {} {}", compression, size, out.capacity());
        }
    }

    #[test]
    fn any_page_comes_back(kind in 0_u8..4, len in 0_usize..70_000, seed: u64, stale in 0_usize..80_000) {
        for compression in codecs() {
            let page = page(kind, len, seed);
            let mut out = vec![0xee; stale];
            Decompressor::new().decompress(compression.codec(), &compressed(compression, &page), len, &mut out).unwrap();
            prop_assert!(out == page);
        }
    }
}

#[test]
fn both_are_send() {
    fn send<T: Send>() {}
    send::<Decompressor>();
    send::<Compressor>();
}

#[test]
fn memory_is_bounded_by_the_ratio() {
    let empty = |codec| max_uncompressed(codec, 0);
    for codec in [Codec::Uncompressed, Codec::Snappy, Codec::Gzip, Codec::Brotli, Codec::Zstd, Codec::Lz4Raw, Codec::Lz4, Codec::Lzo] {
        assert_eq!(empty(codec), 0, "{codec}");
    }
    assert_eq!(max_uncompressed(Codec::Snappy, 3), 64);
    for compression in codecs() {
        let page = vec![b'x'; 24 << 20];
        let packed = compressed(compression, &page);
        let bound = max_uncompressed(compression.codec(), packed.len());
        assert!(bound >= page.len() as u64, "{compression}: {} bytes, bound {bound}", packed.len());
    }
}

#[cfg(feature = "gzip")]
mod gzip {
    use super::*;

    fn read(packed: &[u8], size: usize) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        Decompressor::new().decompress(Codec::Gzip, packed, size, &mut out).map(|()| out)
    }

    fn members(pages: &[&[u8]]) -> Vec<u8> {
        let mut compressor = Compressor::new(Compression::gzip(6).unwrap()).unwrap();
        let mut packed = Vec::new();
        for page in pages {
            compressor.compress(page, &mut packed).unwrap();
        }
        packed
    }

    #[test]
    fn several_members_are_one_page() {
        let packed = members(&[b"one ", b"", b"two two two two ", b"three", b""]);
        assert_eq!(read(&packed, 25).unwrap(), b"one two two two two three");
        assert!(read(&packed, 24).is_err() && read(&packed, 26).is_err() && read(&packed, 4).is_err());
    }

    #[test]
    fn padding_is_ignored_but_no_member_is() {
        let mut packed = members(&[b"page"]);
        packed.extend([0; 9]);
        assert_eq!(read(&packed, 4).unwrap(), b"page");
        assert!(read(&packed, 5).is_err());
        assert!(read(&members(&[b"page", b"more"]), 4).is_err());
    }

    #[test]
    fn zlib_streams_are_read() {
        let page = page(3, 5000, 1);
        let mut packed = Vec::with_capacity(10_000);
        let mut zlib = flate2::Compress::new(flate2::Compression::new(6), true);
        zlib.compress_vec(&page, &mut packed, flate2::FlushCompress::Finish).unwrap();
        assert_eq!(read(&packed, page.len()).unwrap(), page);
        // One context serves both, in turn.
        let mut decompressor = Decompressor::new();
        let mut out = Vec::new();
        for _ in 0..2 {
            decompressor.decompress(Codec::Gzip, &packed, page.len(), &mut out).unwrap();
            decompressor.decompress(Codec::Gzip, &members(&[b"page"]), 4, &mut out).unwrap();
        }
        let last = packed.len() - 1;
        packed[last] ^= 1;
        assert!(read(&packed, page.len()).is_err());
    }

    #[test]
    fn checksum_and_length_are_checked() {
        let packed = members(&[b"page page page"]);
        for byte in packed.len() - 8..packed.len() {
            let mut wrong = packed.clone();
            wrong[byte] ^= 0x40;
            assert_eq!(read(&wrong, 14).unwrap_err().kind(), ErrorKind::Malformed);
        }
    }
}

#[cfg(feature = "zstd")]
#[test]
fn several_zstd_frames_are_one_page() {
    let mut packed = compressed(Compression::zstd(1).unwrap(), b"one ");
    packed.extend([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9]);
    packed.extend(compressed(Compression::zstd(1).unwrap(), b"two"));
    let mut out = Vec::new();
    Decompressor::new().decompress(Codec::Zstd, &packed, 7, &mut out).unwrap();
    assert_eq!(out, b"one two");
    assert!(Decompressor::new().decompress(Codec::Zstd, &packed, 4, &mut out).is_err());
}

#[cfg(feature = "brotli")]
#[test]
fn a_brotli_bomb_costs_what_it_yields() {
    let packed = compressed(Compression::brotli(9).unwrap(), &vec![0; 4 << 20]);
    assert!(packed.len() < 100);
    let mut out = Vec::new();
    let claim = usize::try_from(max_uncompressed(Codec::Brotli, packed.len())).unwrap();
    assert!(Decompressor::new().decompress(Codec::Brotli, &packed, claim, &mut out).is_err());
    assert!(out.capacity() <= 8 << 20, "{}", out.capacity());

    let size = 3 << 20;
    let packed = compressed(Compression::brotli(9).unwrap(), &vec![0; size]);
    let mut out = Vec::new();
    Decompressor::new().decompress(Codec::Brotli, &packed, size, &mut out).unwrap();
    assert_eq!((out.len(), out.capacity()), (size, size));
}

#[cfg(feature = "lz4")]
mod lz4 {
    use std::io::Write;

    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

    use super::*;

    fn read(packed: &[u8], size: usize) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        Decompressor::new().decompress(Codec::Lz4, packed, size, &mut out).map(|()| out)
    }

    fn frame(info: FrameInfo, page: &[u8]) -> Vec<u8> {
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(page).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_bare_block_is_read() {
        let page = page(3, 3000, 3);
        assert_eq!(read(&compressed(Compression::LZ4_RAW, &page), page.len()).unwrap(), page);
    }

    #[test]
    fn frames_of_all_kinds_are_read() {
        for (kind, len) in [(0, 200_000), (1, 300_000), (2, 70_000), (3, 500_000), (3, 0), (3, 1)] {
            let page = page(kind, len, 11);
            for bits in 0..16 {
                let info = FrameInfo::new()
                    .block_size(BlockSize::Max64KB)
                    .block_mode(if bits & 1 == 0 { BlockMode::Independent } else { BlockMode::Linked })
                    .block_checksums(bits & 2 != 0)
                    .content_checksum(bits & 4 != 0)
                    .content_size((bits & 8 != 0).then_some(len as u64));
                let packed = frame(info, &page);
                assert!(read(&packed, len).unwrap() == page, "{kind} {len} {bits}");
                assert!(read(&packed, len + 1).is_err());
                assert!(len == 0 || read(&packed, len - 1).is_err());
                assert!(read(&packed[..packed.len() - 1], len).is_err());
            }
        }
    }

    #[test]
    fn several_frames_and_skippable_ones_are_one_page() {
        let linked = || FrameInfo::new().block_mode(BlockMode::Linked).content_checksum(true);
        let (first, second) = (page(3, 100_000, 1), page(3, 150_000, 2));
        let skipped = [0x5f, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2].to_vec();
        let packed = [skipped.clone(), frame(linked(), &first), skipped, frame(linked(), &second)].concat();
        assert!(read(&packed, 250_000).unwrap() == [first, second].concat());
    }

    #[test]
    fn flipped_frames_are_survived() {
        let page = page(3, 400, 4);
        let packed = frame(FrameInfo::new().block_checksums(true).content_checksum(true), &page);
        for bit in 0..packed.len() * 8 {
            let mut flipped = packed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // The two bits of the block size's reserve are covered by the header's checksum too.
            assert!(read(&flipped, page.len()).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn hadoop_chunks_may_have_several_blocks() {
        let parts: [&[u8]; 3] = [b"one one one one one ", b"two", b" three three three three"];
        let mut packed = Vec::new();
        let mut whole = Vec::new();
        let chunk = |parts: &[&[u8]], packed: &mut Vec<u8>| {
            let len: usize = parts.iter().map(|part| part.len()).sum();
            packed.extend((len as u32).to_be_bytes());
            for part in parts {
                let block = compressed(Compression::LZ4_RAW, part);
                packed.extend((block.len() as u32).to_be_bytes());
                packed.extend(block);
            }
        };
        for parts in [&parts[..], &parts[..1], &parts[1..]] {
            chunk(parts, &mut packed);
            whole.extend(parts.concat());
        }
        assert_eq!(read(&packed, whole.len()).unwrap(), whole);
        assert!(read(&packed, whole.len() - 1).is_err() && read(&packed, whole.len() + 1).is_err());
        // An empty chunk, with an empty block, a block of nothing, or without a block.
        for empty in [&[0; 8][..], &[0, 0, 0, 0, 0, 0, 0, 1, 0], &[0; 4]] {
            assert_eq!(read(empty, 0).unwrap(), b"");
        }
    }

    #[test]
    fn what_is_written_has_chunks_that_hadoop_can_hold() {
        let page = page(3, 600_000, 8);
        let packed = compressed(Compression::LZ4_HADOOP, &page);
        let mut rest = &packed[..];
        let mut chunks = Vec::new();
        while let Some((lengths, blocks)) = rest.split_first_chunk::<8>() {
            let [plain, block] = [0, 4].map(|at| u32::from_be_bytes(lengths[at..at + 4].try_into().unwrap()) as usize);
            chunks.push(plain);
            rest = &blocks[block..];
        }
        assert_eq!(chunks, [261_100, 261_100, 77_800]);
    }
}
