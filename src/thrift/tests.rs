//! The compact protocol held against the `thrift` crate's, and against bytes that nobody should write.

use proptest::prelude::*;
use thrift::protocol::{
    TCompactInputProtocol, TCompactOutputProtocol, TFieldIdentifier, TInputProtocol, TListIdentifier, TMapIdentifier, TOutputProtocol,
    TSetIdentifier, TStructIdentifier, TType,
};

use super::{Alike, Decode, Reader, Wire, encode_to_vec};
use crate::ErrorKind;
use crate::format::{DataPageHeader, Encoding, FieldRepetitionType, PageHeader, PageType, SchemaElement, Statistics};

/// Any Thrift value.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    Double(f64),
    Bytes(Vec<u8>),
    List(TType, Vec<Tree>),
    Set(TType, Vec<Tree>),
    Map(TType, TType, Vec<(Tree, Tree)>),
    Struct(Vec<(i16, Tree)>),
}

const TYPES: [TType; 11] = [
    TType::Bool,
    TType::I08,
    TType::I16,
    TType::I32,
    TType::I64,
    TType::Double,
    TType::String,
    TType::List,
    TType::Set,
    TType::Map,
    TType::Struct,
];

/// A stream of numbers to choose by.
struct Choices(u64);

impl Choices {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// A number of any number of bits, so that every length of varint occurs.
    fn number(&mut self) -> i64 {
        let bits = self.below(64);
        self.next().cast_signed() >> bits
    }

    fn any_type(&mut self, depth: usize) -> TType {
        TYPES[self.below(if depth == 0 { 7 } else { 11 })]
    }

    fn tree(&mut self, of: TType, depth: usize) -> Tree {
        let inner = depth.saturating_sub(1);
        match of {
            TType::Bool => Tree::Bool(self.below(2) == 0),
            TType::I08 => Tree::I8(self.number() as i8),
            TType::I16 => Tree::I16(self.number() as i16),
            TType::I32 => Tree::I32(self.number() as i32),
            TType::I64 => Tree::I64(self.number()),
            TType::Double => Tree::Double(self.number() as f64),
            TType::String => {
                let length = [0, 1, 2, 15, 127, 128, 300][self.below(7)];
                Tree::Bytes((0..length).map(|_| self.next() as u8).collect())
            }
            TType::List | TType::Set => {
                let element = self.any_type(inner);
                let length = [0, 1, 2, 14, 15, 20][self.below(if inner == 0 { 6 } else { 4 })];
                let elements = (0..length).map(|_| self.tree(element, inner)).collect();
                if of == TType::List { Tree::List(element, elements) } else { Tree::Set(element, elements) }
            }
            TType::Map => {
                let (key, value) = (self.any_type(inner), self.any_type(inner));
                let length = self.below(4);
                Tree::Map(key, value, (0..length).map(|_| (self.tree(key, inner), self.tree(value, inner))).collect())
            }
            TType::Struct => self.fields(inner),
            other => panic!("{other} is not a value"),
        }
    }

    fn fields(&mut self, depth: usize) -> Tree {
        let mut id = 0_i16;
        let count = self.below(8);
        Tree::Struct(
            (0..count)
                .map(|_| {
                    id += [1, 1, 1, 2, 14, 15, 16, 200][self.below(8)];
                    let of = self.any_type(depth);
                    (id, self.tree(of, depth))
                })
                .collect(),
        )
    }
}

impl Tree {
    fn of(&self) -> TType {
        match self {
            Tree::Bool(_) => TType::Bool,
            Tree::I8(_) => TType::I08,
            Tree::I16(_) => TType::I16,
            Tree::I32(_) => TType::I32,
            Tree::I64(_) => TType::I64,
            Tree::Double(_) => TType::Double,
            Tree::Bytes(_) => TType::String,
            Tree::List(..) => TType::List,
            Tree::Set(..) => TType::Set,
            Tree::Map(..) => TType::Map,
            Tree::Struct(_) => TType::Struct,
        }
    }

    fn write(&self, output: &mut TCompactOutputProtocol<&mut Vec<u8>>) -> thrift::Result<()> {
        match self {
            Tree::Bool(value) => output.write_bool(*value),
            Tree::I8(value) => output.write_i8(*value),
            Tree::I16(value) => output.write_i16(*value),
            Tree::I32(value) => output.write_i32(*value),
            Tree::I64(value) => output.write_i64(*value),
            Tree::Double(value) => output.write_double(*value),
            Tree::Bytes(value) => output.write_bytes(value),
            Tree::List(of, values) => {
                output.write_list_begin(&TListIdentifier::new(*of, values.len() as i32))?;
                values.iter().try_for_each(|value| value.write(output))
            }
            Tree::Set(of, values) => {
                output.write_set_begin(&TSetIdentifier::new(*of, values.len() as i32))?;
                values.iter().try_for_each(|value| value.write(output))
            }
            Tree::Map(key, value, entries) => {
                output.write_map_begin(&TMapIdentifier::new(*key, *value, entries.len() as i32))?;
                entries.iter().try_for_each(|(key, value)| key.write(output).and_then(|()| value.write(output)))
            }
            Tree::Struct(fields) => {
                output.write_struct_begin(&TStructIdentifier::new(""))?;
                for (id, value) in fields {
                    output.write_field_begin(&TFieldIdentifier::new("", value.of(), *id))?;
                    value.write(output)?;
                    output.write_field_end()?;
                }
                output.write_field_stop()?;
                output.write_struct_end()
            }
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut TCompactOutputProtocol::new(&mut bytes)).unwrap();
        bytes
    }

    fn read(of: TType, input: &mut TCompactInputProtocol<&[u8]>) -> thrift::Result<Tree> {
        Ok(match of {
            TType::Bool => Tree::Bool(input.read_bool()?),
            TType::I08 => Tree::I8(input.read_i8()?),
            TType::I16 => Tree::I16(input.read_i16()?),
            TType::I32 => Tree::I32(input.read_i32()?),
            TType::I64 => Tree::I64(input.read_i64()?),
            TType::Double => Tree::Double(input.read_double()?),
            TType::String => Tree::Bytes(input.read_bytes()?),
            TType::List => {
                let list = input.read_list_begin()?;
                let elements: thrift::Result<_> = (0..list.size).map(|_| Tree::read(list.element_type, input)).collect();
                Tree::List(list.element_type, elements?)
            }
            TType::Struct => {
                input.read_struct_begin()?;
                let mut fields = Vec::new();
                loop {
                    let field = input.read_field_begin()?;
                    if field.field_type == TType::Stop {
                        break;
                    }
                    fields.push((field.id.unwrap(), Tree::read(field.field_type, input)?));
                    input.read_field_end()?;
                }
                input.read_struct_end()?;
                Tree::Struct(fields)
            }
            other => panic!("the format has no {other}"),
        })
    }
}

/// The naive twin of `skip`: byte by byte.
fn naive_skip(reader: &mut Reader<'_>, wire: Wire, in_list: bool) -> crate::Result<()> {
    match wire {
        Wire::True | Wire::False if !in_list => Ok(()),
        Wire::True | Wire::False | Wire::I8 => reader.take(1).map(drop),
        Wire::I16 | Wire::I32 | Wire::I64 => {
            for _ in 0..10 {
                if reader.take(1)?[0] < 0x80 {
                    return Ok(());
                }
            }
            Err(crate::Error::malformed("too long"))
        }
        Wire::Double => reader.take(8).map(drop),
        Wire::Uuid => reader.take(16).map(drop),
        Wire::Binary => reader.binary().map(drop),
        Wire::List | Wire::Set => {
            reader.enter()?;
            let (wire, length) = reader.list()?;
            for _ in 0..length {
                naive_skip(reader, wire, true)?;
            }
            reader.leave();
            Ok(())
        }
        Wire::Map => {
            reader.enter()?;
            let length = {
                let mut length = 0_u64;
                for i in 0..10 {
                    let byte = reader.take(1)?[0];
                    length |= u64::from(byte & 0x7f).wrapping_shl(7 * i);
                    if byte < 0x80 {
                        break;
                    } else if i == 9 {
                        return Err(crate::Error::malformed("too long"));
                    }
                }
                length
            };
            if length > 0 {
                let types = reader.take(1)?[0];
                let (key, value) = (Wire::from_nibble(types >> 4)?, Wire::from_nibble(types & 0x0f)?);
                for _ in 0..length {
                    naive_skip(reader, key, true)?;
                    naive_skip(reader, value, true)?;
                }
            }
            reader.leave();
            Ok(())
        }
        Wire::Struct => {
            reader.enter()?;
            // An id beyond 16 bits is refused when read, and of no interest when skipped: start over at each field.
            while let Some(field) = reader.field(&mut 0)? {
                naive_skip(reader, field.wire, false)?;
            }
            reader.leave();
            Ok(())
        }
    }
}

impl Tree {
    /// The same with other numbers, of as many bytes, and other texts, of the same length.
    fn with_other_values(&self) -> Tree {
        let all = |values: &[Tree]| values.iter().map(Tree::with_other_values).collect();
        match self {
            // A field's boolean is its type.
            Tree::Bool(value) => Tree::Bool(*value),
            Tree::I8(value) => Tree::I8(value ^ 0x55),
            Tree::I16(value) => Tree::I16(value ^ 1),
            Tree::I32(value) => Tree::I32(value ^ 1),
            Tree::I64(value) => Tree::I64(value ^ 1),
            Tree::Double(value) => Tree::Double(value + 1.5),
            Tree::Bytes(bytes) => Tree::Bytes(bytes.iter().map(|byte| byte ^ 0xaa).collect()),
            Tree::List(of, values) => Tree::List(*of, all(values)),
            Tree::Set(of, values) => Tree::Set(*of, all(values)),
            Tree::Map(key, value, entries) => {
                Tree::Map(*key, *value, entries.iter().map(|(key, value)| (key.with_other_values(), value.with_other_values())).collect())
            }
            Tree::Struct(fields) => Tree::Struct(fields.iter().map(|(id, value)| (*id, value.with_other_values())).collect()),
        }
    }
}

/// Lists of structs one after another, and bytes enough behind them.
fn lists(lists: &[&[Tree]]) -> Vec<u8> {
    let mut bytes: Vec<u8> = lists.concat().iter().flat_map(Tree::to_bytes).collect();
    bytes.resize(bytes.len() + 64, 0);
    bytes
}

/// Learns the first `count` structs and gives where the next ones begin.
fn learnt(bytes: &[u8], count: usize) -> (Alike, usize) {
    let (mut reader, mut alike) = (Reader::new(bytes, 1 << 20), Alike::default());
    reader.begin_alike(&mut alike, count, true);
    (0..count).for_each(|index| reader.skip_alike(&mut alike, index).unwrap());
    reader.begin_alike(&mut alike, count, true);
    (alike, reader.position())
}

/// Structs that a mask is kept of.
fn short_structs(seed: u64) -> Vec<Tree> {
    let mut choices = Choices(seed);
    let mut structs: Vec<Tree> = (0..20).map(|_| choices.fields(2)).filter(|tree| tree.to_bytes().len() < 400).collect();
    structs.truncate(3);
    structs
}

#[test]
fn structs_are_learnt_up_to_a_length_and_as_long_as_there_is_memory() {
    // The field, one or two bytes of a length, the text, the end.
    let of_length = |length: usize| Tree::Struct(vec![(1, Tree::Bytes(vec![b'x'; length - if length < 131 { 3 } else { 4 }]))]);
    for (length, hits) in [(1023, 1), (1024, 1), (1025, 0)] {
        let bytes = lists(&[&[of_length(length)], &[of_length(length)]]);
        let (mut alike, at) = learnt(&bytes, 1);
        assert_eq!(at, length);
        let mut reader = Reader::new(&bytes, 0);
        reader.take(at).unwrap();
        reader.skip_alike(&mut alike, 0).unwrap();
        assert_eq!((reader.position(), alike.hits()), (2 * length, hits));
    }
    let small = of_length(40);
    let bytes = lists(&[&[small.clone(), small.clone()], &[small.clone(), small]]);
    for (budget, hits) in [(0, 0), (100, 1), (300, 2)] {
        let (mut reader, mut alike) = (Reader::new(&bytes, budget), Alike::default());
        for _ in 0..2 {
            reader.begin_alike(&mut alike, 2, true);
            (0..2).for_each(|index| reader.skip_alike(&mut alike, index).unwrap());
        }
        assert_eq!((reader.position(), alike.hits()), (160, hits), "{budget}");
        reader.forget(&mut alike);
        assert!(reader.charge(budget).is_ok() && reader.charge(1).is_err(), "all of the budget is there again");
    }
}

#[test]
fn what_never_looks_alike_is_not_compared_for_ever() {
    let (one, other) = (Tree::Struct(vec![(1, Tree::I8(1))]), Tree::Struct(vec![(1, Tree::Bytes(b"text".to_vec()))]));
    let one_after_another: Vec<&[Tree]> = (0..8).map(|list| std::slice::from_ref(if list % 2 == 0 { &one } else { &other })).collect();
    let bytes = lists(&one_after_another);
    let (mut reader, mut alike) = (Reader::new(&bytes, 1 << 20), Alike::default());
    for list in 0..8 {
        reader.begin_alike(&mut alike, 1, true);
        reader.skip_alike(&mut alike, 0).unwrap();
        // Learnt, missed, learnt, missed, and no more.
        assert_eq!(alike.hits(), usize::from(list == 0 || list == 2), "{list}");
    }
    assert!(reader.charge(1 << 20).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn structs_that_differ_in_values_alone_look_alike(seed: u64) {
        let structs = short_structs(seed);
        let others: Vec<Tree> = structs.iter().map(Tree::with_other_values).collect();
        let bytes = lists(&[&structs, &others]);
        let (mut alike, at) = learnt(&bytes, structs.len());
        let mut reader = Reader::new(&bytes, 0);
        reader.take(at).unwrap();
        for (index, tree) in others.iter().enumerate() {
            let start = reader.position();
            reader.skip_alike(&mut alike, index).unwrap();
            prop_assert_eq!(reader.position(), start + tree.to_bytes().len());
        }
        prop_assert_eq!(alike.hits(), structs.len());
    }

    #[test]
    fn no_bit_of_a_struct_that_looks_alike_is_overlooked(seed: u64) {
        let structs = short_structs(seed);
        let mut bytes = lists(&[&structs, &structs]);
        let (mut alike, start) = learnt(&bytes, structs.len());
        let mut end = start;
        for (index, tree) in structs.iter().enumerate() {
            let begin = end;
            end += tree.to_bytes().len();
            for bit in begin * 8..end * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                let mut reader = Reader::new(&bytes, 0);
                reader.take(begin).unwrap();
                let mut plain = reader.clone();
                let (found, wanted) = (reader.skip_alike(&mut alike, index), plain.skip_struct());
                prop_assert_eq!(found.is_ok(), wanted.is_ok(), "bit {} of {:?}", bit, bytes);
                prop_assert!(wanted.is_err() || reader.position() == plain.position(), "bit {} of {:?}", bit, bytes);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
}

fn ends_of_both(bytes: &[u8]) -> (Option<usize>, Option<usize>) {
    let mut fast = Reader::new(bytes, 0);
    let mut naive = fast.clone();
    let fast = fast.skip_struct().ok().map(|()| fast.position());
    let naive = naive_skip(&mut naive, Wire::Struct, false).ok().map(|()| naive.position());
    (fast, naive)
}

proptest! {
    #[test]
    fn skips_whatever_the_thrift_crate_writes(seed: u64) {
        let bytes = Choices(seed).fields(4).to_bytes();
        prop_assert_eq!(ends_of_both(&bytes), (Some(bytes.len()), Some(bytes.len())));
        for length in 0..bytes.len() {
            prop_assert_eq!(ends_of_both(&bytes[..length]), (None, None), "cut to {} of {}", length, bytes.len());
        }
    }

    #[test]
    fn skips_damaged_structs_as_the_naive_twin_does(seed: u64) {
        let mut choices = Choices(seed);
        let mut bytes = choices.fields(3).to_bytes();
        for _ in 0..100 {
            let at = choices.below(bytes.len());
            let bit = choices.below(8);
            bytes[at] ^= 1 << bit;
            let (fast, naive) = ends_of_both(&bytes);
            // The twin looks at field ids, which the fast one steps over.
            prop_assert!(fast == naive || naive.is_none(), "{:?} != {:?} for {:?}", fast, naive, bytes);
        }
    }

    #[test]
    fn skips_lists_of_structs_that_look_alike(seed: u64, shapes in 1..4usize, lists in 1..6usize, damage in 0..3usize) {
        let mut choices = Choices(seed);
        let alike: Vec<Vec<u8>> = (0..shapes).map(|_| choices.fields(3).to_bytes()).collect();
        let mut bytes: Vec<u8> = (0..lists).flat_map(|_| alike.concat()).collect();
        for _ in 0..damage {
            let at = choices.below(bytes.len());
            bytes[at] ^= 1 << choices.below(8);
        }
        let (mut reader, mut seen) = (Reader::new(&bytes, 1 << 20), Alike::default());
        'all: for list in 0..lists {
            reader.begin_alike(&mut seen, shapes, list + 1 < lists);
            for index in 0..shapes {
                let mut plain = reader.clone();
                let (found, wanted) = (reader.skip_alike(&mut seen, index), plain.skip_struct());
                prop_assert_eq!(found.is_ok(), wanted.is_ok());
                if wanted.is_err() {
                    break 'all;
                }
                prop_assert_eq!(reader.position(), plain.position(), "struct {} of list {} of {:?}", index, list, bytes);
            }
        }
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (fast, naive) = ends_of_both(&bytes);
        prop_assert!(fast == naive || naive.is_none());
        let _ = PageHeader::decode(&mut Reader::new(&bytes, 1 << 20));
    }

    #[test]
    fn known_fields_are_found_among_unknown_ones(seed: u64) {
        let Tree::Struct(mut fields) = header_tree() else { unreachable!() };
        let mut choices = Choices(seed);
        for id in [9, 10, 25, 3000, i16::MAX] {
            let of = choices.any_type(3);
            fields.push((id, choices.tree(of, 3)));
        }
        // Known ids of another type are skipped as well.
        fields.push((4, Tree::Bytes(b"no crc".to_vec())));
        let bytes = Tree::Struct(fields).to_bytes();
        let mut reader = Reader::new(&bytes, 0);
        prop_assert_eq!(PageHeader::decode(&mut reader).unwrap(), header());
        prop_assert_eq!(reader.position(), bytes.len());
    }
}

fn header() -> PageHeader<'static> {
    PageHeader {
        page_type: PageType::DataPage,
        uncompressed_page_size: 1_000_000,
        compressed_page_size: 127,
        crc: None,
        data_page_header: Some(DataPageHeader {
            num_values: -1,
            encoding: Encoding::Unknown(1 << 20),
            definition_level_encoding: Encoding::Rle,
            repetition_level_encoding: Encoding::BitPacked,
            statistics: Some(Statistics {
                max: None,
                min: None,
                null_count: Some(i64::MIN),
                distinct_count: Some(i64::MAX),
                max_value: Some(vec![b'z'; 300].into()),
                min_value: Some(b""[..].into()),
                is_max_value_exact: Some(false),
                is_min_value_exact: Some(true),
                nan_count: None,
            }),
        }),
        index_page_header: None,
        dictionary_page_header: None,
        data_page_header_v2: None,
    }
}

fn header_tree() -> Tree {
    let statistics = vec![
        (3, Tree::I64(i64::MIN)),
        (4, Tree::I64(i64::MAX)),
        (5, Tree::Bytes(vec![b'z'; 300])),
        (6, Tree::Bytes(Vec::new())),
        (7, Tree::Bool(false)),
        (8, Tree::Bool(true)),
    ];
    let data_page = vec![(1, Tree::I32(-1)), (2, Tree::I32(1 << 20)), (3, Tree::I32(3)), (4, Tree::I32(4)), (5, Tree::Struct(statistics))];
    Tree::Struct(vec![(1, Tree::I32(0)), (2, Tree::I32(1_000_000)), (3, Tree::I32(127)), (5, Tree::Struct(data_page))])
}

#[test]
fn what_we_encode_the_thrift_crate_reads_and_so_do_we() {
    let bytes = encode_to_vec(&header()).unwrap();
    let mut input = TCompactInputProtocol::new(&bytes[..]);
    assert_eq!(Tree::read(TType::Struct, &mut input).unwrap(), header_tree());
    assert_eq!(header_tree().to_bytes(), bytes);
    let mut reader = Reader::new(&bytes, 0);
    assert_eq!(PageHeader::decode(&mut reader).unwrap(), header());
    assert_eq!(reader.remaining(), 0);
    for length in 0..bytes.len() {
        let error = PageHeader::decode(&mut Reader::new(&bytes[..length], 0)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "cut to {length} bytes");
    }
}

#[test]
fn a_missing_required_field_is_named() {
    let bytes = Tree::Struct(vec![(1, Tree::I32(0)), (2, Tree::I32(9))]).to_bytes();
    let error = PageHeader::decode(&mut Reader::new(&bytes, 0)).unwrap_err();
    assert!(error.message().contains("PageHeader lacks its field compressed_page_size"), "{error}");
}

#[test]
fn a_repetition_may_be_a_boolean() {
    // As fastparquet writes it: OPTIONAL is true.
    for (boolean, expected) in [(true, FieldRepetitionType::Optional), (false, FieldRepetitionType::Required)] {
        let bytes = Tree::Struct(vec![(1, Tree::I32(1)), (3, Tree::Bool(boolean)), (4, Tree::Bytes(b"c".to_vec()))]).to_bytes();
        let mut reader = Reader::new(&bytes, 0);
        let element = SchemaElement::decode(&mut reader).unwrap();
        assert_eq!((element.repetition_type, &*element.name, reader.remaining()), (Some(expected), "c", 0));
    }
    // No other enum may.
    let bytes = Tree::Struct(vec![(1, Tree::Bool(true)), (4, Tree::Bytes(b"c".to_vec()))]).to_bytes();
    assert_eq!(SchemaElement::decode(&mut Reader::new(&bytes, 0)).unwrap().physical_type, None);
}

#[test]
fn uuids_are_skipped() {
    let mut bytes = vec![0x1d];
    bytes.extend([7; 16]);
    // A list of two more.
    bytes.extend([0x19, 0x2d]);
    bytes.extend([8; 32]);
    bytes.push(0);
    assert_eq!(ends_of_both(&bytes), (Some(bytes.len()), Some(bytes.len())));
}

#[test]
fn types_that_do_not_exist_are_refused() {
    for header in [0x1e, 0x1f] {
        assert_eq!(ends_of_both(&[header, 1, 0, 0, 0]), (None, None));
    }
    // An empty list may name any type: some writers give 0.
    assert_eq!(ends_of_both(&[0x19, 0x00, 0]), (Some(3), Some(3)));
    assert_eq!(ends_of_both(&[0x19, 0x10, 0, 0]), (None, None));
}

#[test]
fn a_struct_ends_at_type_0_whatever_stands_beside_it() {
    for end in [0x00, 0x10, 0xf0] {
        assert_eq!(ends_of_both(&[0x15, 2, end, 9]), (Some(3), Some(3)));
    }
}

#[test]
fn claimed_counts_are_held_against_the_bytes_left() {
    // Field 1 is a list or a map of 2^31 - 1 or 2^64 - 1 elements.
    for count in [&[0xff, 0xff, 0xff, 0xff, 0x07][..], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]] {
        for header in [&[0x19, 0xfc][..], &[0x1a, 0xf8], &[0x1b]] {
            let bytes = [header, count, &[0x55, 0, 0, 0]].concat();
            let error = Reader::new(&bytes, usize::MAX).skip_struct().unwrap_err();
            assert!(error.message().contains("elements, but"), "{error}");
        }
        let list = [&[0xfc], count, &[0, 0, 0]].concat();
        let error = Vec::<PageHeader>::decode(&mut Reader::new(&list, usize::MAX)).unwrap_err();
        assert!(error.message().contains("elements, but"), "{error}");
    }
    // Binaries as well.
    let error = Reader::new(&[0x18, 0xff, 0xff, 0xff, 0xff, 0x07, 1, 2, 0], 0).skip_struct().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[test]
fn lists_are_charged_to_the_budget() {
    let list = [&[0xf5, 100][..], &[2; 100]].concat();
    assert_eq!(Vec::<i32>::decode(&mut Reader::new(&list, 400)).unwrap(), [1; 100]);
    let error = Vec::<i32>::decode(&mut Reader::new(&list, 399)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn long_lists_grow_as_elements_arrive() {
    let list: Vec<i64> = (0..10_000).map(|i| i * i * i).collect();
    let bytes = encode_to_vec(&list).unwrap();
    assert_eq!(Vec::<i64>::decode(&mut Reader::new(&bytes, 80_000)).unwrap(), list);
}

#[test]
fn integers_outside_their_type_are_refused() {
    let bytes = encode_to_vec(&(i64::from(i32::MAX) + 1)).unwrap();
    assert!(i32::decode(&mut Reader::new(&bytes, 0)).is_err());
    assert!(i16::decode(&mut Reader::new(&bytes, 0)).is_err());
    assert!(i64::decode(&mut Reader::new(&[0xff; 11], 0)).is_err());
    for value in [0, 1, -1, 63, 64, -64, -65, i64::from(i32::MAX), i64::MAX, i64::MIN] {
        let bytes = encode_to_vec(&value).unwrap();
        assert_eq!(i64::decode(&mut Reader::new(&bytes, 0)).unwrap(), value);
    }
}

#[test]
fn nesting_ends_in_a_limit_and_not_on_the_stack() {
    // Struct in struct; list in list; map in map.
    for (opening, closing) in [(&[0x1c][..], 0), (&[0x19][..], 0), (&[0x1b, 0x01, 0xbb][..], 0)] {
        let bytes = [opening.repeat(100_000), vec![closing; 200_000]].concat();
        let error = Reader::new(&bytes, 0).skip_struct().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit | ErrorKind::Malformed), "{error}");
    }
    let nested = |depth: usize| [vec![0x1c; depth], vec![0; depth + 1]].concat();
    assert!(Reader::new(&nested(63), 0).skip_struct().is_ok());
    assert_eq!(Reader::new(&nested(64), 0).skip_struct().unwrap_err().kind(), ErrorKind::Limit);
    let lists = [&[0x19][..], &[0x19; 1000], &[0x00; 10]].concat();
    assert_eq!(Reader::new(&lists, 0).skip_struct().unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn text_that_is_not_utf8_reads_with_replacements() {
    let bytes = [2, 0xff, b'a'];
    let text = std::borrow::Cow::<str>::decode(&mut Reader::new(&bytes, 0)).unwrap();
    assert_eq!(text, "\u{fffd}a");
}
