//! The file that faults are planted in, taken apart and put together.

use std::ops::Range;
use std::sync::Arc;

use herringbone::Limits;
use herringbone::compression::Compression;
use herringbone::format::*;
use herringbone::schema::Schema;
use herringbone::values::{ByteArrays, Values, ValuesSlice};
use herringbone::write::{BloomFilterOptions, ColumnOptions, FileWriter, LevelsSlice, PageVersion, SortBy, StatisticsLevel, WriterOptions};

pub const ID: usize = 0;
pub const WORD: usize = 1;
pub const NOTE: usize = 2;
pub const PRICE: usize = 3;
pub const LIST: usize = 4;
pub const DEEP: usize = 5;
pub const SHAPE: usize = 6;
pub const V2: usize = 7;

pub const COLUMNS: [&str; 8] = ["id", "word", "note", "price", "list.list.element", "deep.b", "shape", "v2"];

pub const SCHEMA: &str = "message planted {
    required int32 id;
    optional binary word (STRING);
    required binary note (STRING);
    required double price;
    optional group list (LIST) { repeated group list { optional int64 element; } }
    optional group deep { optional int32 b; }
    required binary shape (GEOMETRY);
    optional int32 v2;
}";

/// A file taken apart: what lies in front of the indexes, the indexes, and the footer.
pub struct Parts {
    pub data: Vec<u8>,
    pub columns: Vec<Option<ColumnIndex<'static>>>,
    pub offsets: Vec<Option<OffsetIndex>>,
    pub footer: FileMetaData<'static>,
    /// Done to the whole file in the end.
    pub last: fn(&mut Vec<u8>),
}

fn options() -> WriterOptions {
    let column = |options: ColumnOptions| options;
    WriterOptions::builder()
        .compression(Compression::UNCOMPRESSED)
        .columns(ColumnOptions::new().page_rows(40).crc(false).encoding(Encoding::Plain))
        .column("id", column(ColumnOptions::new().crc(true)))
        .column(
            "word",
            ColumnOptions::new().encoding(Encoding::RleDictionary).bloom_filter(BloomFilterOptions::default()).distinct_counts(true),
        )
        .column("price", ColumnOptions::new().compression(Compression::SNAPPY))
        .column(
            "v2",
            ColumnOptions::new()
                .page_version(PageVersion::V2)
                .statistics(StatisticsLevel::Page)
                .encoding(Encoding::DeltaBinaryPacked)
                .bloom_filter(BloomFilterOptions::default()),
        )
        .sorting([SortBy::ascending("id")])
        .build()
        .unwrap()
}

/// Two row groups of 100 rows, three pages a column.
pub fn write() -> Vec<u8> {
    let schema: Arc<Schema> = Arc::new(SCHEMA.parse().unwrap());
    let mut bytes = Vec::new();
    let mut file = FileWriter::new(&mut bytes, schema, options()).unwrap();
    for group in 0..2_u32 {
        let rows = || (0..100_u32).map(|row| group * 100 + row);
        let leaf = |index: usize, values: ValuesSlice<'_>, levels: LevelsSlice<'_>| {
            let mut writer = file.leaf_writer(index).unwrap();
            writer.write(values, levels).unwrap();
            writer.finish().unwrap()
        };
        let texts = |text: fn(u32) -> String, with: fn(&u32) -> bool| {
            let texts: Vec<String> = rows().filter(with).map(text).collect();
            Values::Bytes(texts.iter().map(String::as_bytes).collect::<ByteArrays>())
        };
        let flat = |present: fn(u32) -> u8| rows().map(present).collect::<Vec<u8>>();
        let levels = |definition| LevelsSlice::Levels { repetition: &[], definition };
        let prices: Vec<u64> = rows().map(|row| if row % 9 == 0 { f64::NAN } else { f64::from(row % 7) - 3.0 }.to_bits()).collect();
        let (mut repetition, mut definition, mut elements) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows() {
            let entries: &[(u8, u8)] =
                [&[(0, 0)][..], &[(0, 1)], &[(0, 3), (1, 2)], &[(0, 3), (1, 3), (1, 2)]][(row * row % 7 % 4) as usize];
            repetition.extend(entries.iter().map(|entry| entry.0));
            definition.extend(entries.iter().map(|entry| entry.1));
            elements.extend(entries.iter().filter(|entry| entry.1 == 3).map(|_| u64::from(row)));
        }
        let points: ByteArrays = rows().map(point).collect::<Vec<_>>().iter().map(|point| &point[..]).collect();
        let chunks = [
            leaf(ID, Values::Words32(rows().collect()).as_slice(), LevelsSlice::Present),
            leaf(
                WORD,
                texts(|row| format!("word {}", row * 5 % 11), |row| row % 5 != 0).as_slice(),
                levels(&flat(|row| u8::from(row % 5 != 0))),
            ),
            leaf(NOTE, texts(|row| format!("note {:03}", 500 - row), |_| true).as_slice(), LevelsSlice::Present),
            leaf(PRICE, Values::Words64(prices).as_slice(), LevelsSlice::Present),
            leaf(LIST, Values::Words64(elements).as_slice(), LevelsSlice::Levels { repetition: &repetition, definition: &definition }),
            leaf(DEEP, Values::Words32(rows().filter(|row| row % 3 == 2).collect()).as_slice(), levels(&flat(|row| (row % 3) as u8))),
            leaf(SHAPE, Values::Bytes(points).as_slice(), LevelsSlice::Present),
            leaf(
                V2,
                Values::Words32(rows().filter(|row| row % 4 != 0).map(|row| row * 37 % 101).collect()).as_slice(),
                levels(&flat(|row| u8::from(row % 4 != 0))),
            ),
        ];
        file.append_row_group(chunks).unwrap();
    }
    file.close().unwrap();
    bytes
}

fn point(row: u32) -> Vec<u8> {
    [&[1, 1, 0, 0, 0][..], &f64::from(row).to_le_bytes(), &(-f64::from(row)).to_le_bytes()].concat()
}

impl Parts {
    pub fn new(bytes: &'static [u8]) -> Self {
        let limits = Limits::default();
        let end = bytes.len() - 8;
        let length = u32::from_le_bytes(bytes[end..end + 4].try_into().unwrap()) as usize;
        let (footer, _) = FileMetaData::from_bytes(&bytes[end - length..end], &limits).unwrap();
        let chunks = || footer.row_groups.iter().flat_map(|group| &group.columns);
        let side = |offset: Option<i64>, length: Option<i32>| {
            let start = offset? as usize;
            Some(&bytes[start..start + length.unwrap() as usize])
        };
        let first = chunks().filter_map(|chunk| chunk.column_index_offset.into_iter().chain(chunk.offset_index_offset).min()).min();
        Self {
            data: bytes[..first.unwrap() as usize].to_vec(),
            columns: chunks()
                .map(|chunk| side(chunk.column_index_offset, chunk.column_index_length))
                .map(|index| index.map(|index| ColumnIndex::from_bytes(index, &limits).unwrap().0))
                .collect(),
            offsets: chunks()
                .map(|chunk| side(chunk.offset_index_offset, chunk.offset_index_length))
                .map(|index| index.map(|index| OffsetIndex::from_bytes(index, &limits).unwrap().0))
                .collect(),
            footer,
            last: |_| {},
        }
    }

    /// The file again.
    pub fn assemble(mut self) -> Vec<u8> {
        let mut bytes = self.data;
        let mut chunks: Vec<_> = self.footer.row_groups.iter_mut().flat_map(|group| &mut group.columns).collect();
        for (chunk, index) in chunks.iter_mut().zip(&self.columns) {
            if let Some(index) = index {
                let index = index.to_bytes().unwrap();
                chunk.column_index_offset = Some(bytes.len() as i64);
                chunk.column_index_length = Some(index.len() as i32);
                bytes.extend_from_slice(&index);
            }
        }
        for (chunk, index) in chunks.iter_mut().zip(&self.offsets) {
            if let Some(index) = index {
                let index = index.to_bytes().unwrap();
                chunk.offset_index_offset = Some(bytes.len() as i64);
                chunk.offset_index_length = Some(index.len() as i32);
                bytes.extend_from_slice(&index);
            }
        }
        let footer = self.footer.to_bytes().unwrap();
        bytes.extend_from_slice(&footer);
        bytes.extend_from_slice(&(footer.len() as u32).to_le_bytes());
        bytes.extend_from_slice(b"PAR1");
        (self.last)(&mut bytes);
        bytes
    }

    /// The second row group, in which faults are planted.
    pub fn group(&mut self) -> &mut RowGroup<'static> {
        &mut self.footer.row_groups[1]
    }

    pub fn meta(&mut self, leaf: usize) -> &mut ColumnMetaData<'static> {
        self.group().columns[leaf].meta_data.as_mut().unwrap()
    }

    pub fn statistics(&mut self, leaf: usize) -> &mut Statistics<'static> {
        self.meta(leaf).statistics.as_mut().unwrap()
    }

    pub fn sizes(&mut self, leaf: usize) -> &mut SizeStatistics {
        self.meta(leaf).size_statistics.as_mut().unwrap()
    }

    pub fn column_index(&mut self, leaf: usize) -> &mut ColumnIndex<'static> {
        self.columns[COLUMNS.len() + leaf].as_mut().unwrap()
    }

    pub fn offset_index(&mut self, leaf: usize) -> &mut OffsetIndex {
        self.offsets[COLUMNS.len() + leaf].as_mut().unwrap()
    }

    /// Where the header of a page is, and where its body.
    pub fn page(&mut self, leaf: usize, ordinal: usize) -> (Range<usize>, Range<usize>) {
        let meta = self.meta(leaf);
        let mut at = meta.dictionary_page_offset.unwrap_or(meta.data_page_offset) as usize;
        for page in 0.. {
            let (header, length) = PageHeader::from_bytes(&self.data[at..], &Limits::default()).unwrap();
            let body = at + length..at + length + header.compressed_page_size as usize;
            if page == ordinal {
                return (at..at + length, body);
            }
            at = body.end;
        }
        unreachable!("pages go on")
    }

    /// Changes a page's header, which keeps its length.
    pub fn header(&mut self, leaf: usize, ordinal: usize, edit: impl FnOnce(&mut PageHeader<'_>)) {
        let (place, _) = self.page(leaf, ordinal);
        let bytes = self.data[place.clone()].to_vec();
        let (mut header, _) = PageHeader::from_bytes(&bytes, &Limits::default()).unwrap();
        edit(&mut header);
        let edited = header.to_bytes().unwrap();
        assert_eq!(edited.len(), bytes.len(), "the header keeps its length");
        self.data[place].copy_from_slice(&edited);
    }

    /// The body of a page.
    pub fn body(&mut self, leaf: usize, ordinal: usize) -> &mut [u8] {
        let (_, body) = self.page(leaf, ordinal);
        &mut self.data[body]
    }
}
