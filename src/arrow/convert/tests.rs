//! Conversions against naive twins.

use super::*;
use crate::encoding::Dictionary;
use crate::values::{ByteArrays, FixedBytes};
use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, RunArray};
use arrow_buffer::{IntervalDayTime, IntervalMonthDayNano, i256};
use arrow_schema::{Field, IntervalUnit, TimeUnit};
use proptest::prelude::*;

fn nulls(bits: &[bool]) -> Option<NullBuffer> {
    Some(NullBuffer::from(bits.to_vec())).filter(|nulls| nulls.null_count() > 0)
}

fn one_array(part: Part, validity: Option<NullBuffer>, conversion: Conversion, data_type: &DataType) -> Result<ArrayRef> {
    let mut arrays = arrays(part, validity, conversion, data_type, usize::MAX)?;
    assert_eq!(arrays.len(), 1);
    let array = arrays.remove(0);
    assert_eq!(array.data_type(), data_type);
    array.to_data().validate_full().unwrap();
    Ok(array)
}

fn bytes_of(values: &[Vec<u8>]) -> Values {
    Values::Bytes(values.iter().map(Vec::as_slice).collect())
}

fn fixed_of(width: usize, values: &[Vec<u8>]) -> Values {
    let mut fixed = FixedBytes::new(width);
    match width {
        0 => fixed.extend_zeros(values.len()),
        _ => values.iter().for_each(|value| fixed.extend_from_bytes(value)),
    }
    Values::Fixed(fixed)
}

/// A big-endian number by the book: digit by digit, then the sign taken off.
fn naive_number(bytes: &[u8]) -> Option<i256> {
    let mut number = i256::ZERO;
    for (position, byte) in bytes.iter().enumerate() {
        let digit = if position == 0 { i128::from(*byte as i8) } else { i128::from(*byte) };
        number = number.checked_mul(i256::from_i128(256))?.checked_add(i256::from_i128(digit))?;
    }
    Some(number)
}

fn decimal_values(array: &ArrayRef) -> Vec<i256> {
    match array.data_type() {
        DataType::Decimal32(..) => {
            array.as_primitive::<Decimal32Type>().values().iter().map(|value| i256::from_i128(i128::from(*value))).collect()
        }
        DataType::Decimal64(..) => {
            array.as_primitive::<Decimal64Type>().values().iter().map(|value| i256::from_i128(i128::from(*value))).collect()
        }
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().values().iter().map(|value| i256::from_i128(*value)).collect(),
        _ => array.as_primitive::<Decimal256Type>().values().to_vec(),
    }
}

const DECIMALS: [(DataType, u32); 4] = [
    (DataType::Decimal32(9, 2), 32),
    (DataType::Decimal64(18, 2), 64),
    (DataType::Decimal128(38, 2), 128),
    (DataType::Decimal256(76, 2), 256),
];

fn fits(number: Option<i256>, bits: u32) -> bool {
    let Some(number) = number else { return false };
    let magnitude = if number.is_negative() { i256::from_i128(-1).checked_sub(number).unwrap() } else { number };
    256 - magnitude.leading_zeros() < bits
}

/// Bytes whose leading ones often are mere repetitions of the sign.
fn number_bytes(width: usize) -> impl Strategy<Value = Vec<u8>> {
    (prop::collection::vec(any::<u8>(), width), 0..=width, prop_oneof![Just(None), Just(Some(0)), Just(Some(0xFF))]).prop_map(
        |(mut bytes, prefix, sign)| {
            if let Some(sign) = sign {
                bytes[..prefix].fill(sign);
            }
            bytes
        },
    )
}

proptest! {
    #[test]
    fn decimals_of_one_width(values in (0..40usize).prop_flat_map(|width| (Just(width), prop::collection::vec(number_bytes(width), 1..20)))) {
        let (width, values) = values;
        for (data_type, bits) in &DECIMALS {
            let expected: Vec<_> = values.iter().map(|bytes| naive_number(bytes)).collect();
            for part in [fixed_of(width, &values), bytes_of(&values)] {
                let array = one_array(Part::Values(part), None, Conversion::Decimal, data_type);
                match array {
                    Ok(array) => prop_assert_eq!(decimal_values(&array).into_iter().map(Some).collect::<Vec<_>>(), expected.clone()),
                    Err(error) => {
                        prop_assert_eq!(error.kind(), crate::ErrorKind::Malformed);
                        prop_assert!(!expected.iter().all(|number| fits(*number, *bits)), "{} {:?}", data_type, values);
                    }
                }
            }
        }
    }

    #[test]
    fn decimals_of_any_width(values in prop::collection::vec((0..36usize).prop_flat_map(number_bytes), 1..20)) {
        for (data_type, bits) in &DECIMALS {
            let expected: Vec<_> = values.iter().map(|bytes| naive_number(bytes)).collect();
            match one_array(Part::Values(bytes_of(&values)), None, Conversion::Decimal, data_type) {
                Ok(array) => prop_assert_eq!(decimal_values(&array).into_iter().map(Some).collect::<Vec<_>>(), expected),
                Err(_) => prop_assert!(!expected.iter().all(|number| fits(*number, *bits))),
            }
        }
    }

    #[test]
    fn decimals_of_words(words in prop::collection::vec(prop_oneof![any::<u64>(), any::<i32>().prop_map(|word| i64::from(word) as u64)], 1..20)) {
        let narrow: Vec<u32> = words.iter().map(|word| *word as u32).collect();
        for (data_type, bits) in &DECIMALS {
            let wide: Vec<_> = words.iter().map(|word| i256::from_i128(i128::from(*word as i64))).collect();
            let as_indices = Part::Indices {
                indices: (0..words.len() as u32).collect(),
                dictionary: Arc::new(Dictionary::new(Values::Words64(words.clone()))),
            };
            for part in [Part::Values(Values::Words64(words.clone())), as_indices] {
                match one_array(part, None, Conversion::Decimal, data_type) {
                    Ok(array) => prop_assert_eq!(decimal_values(&array), wide.clone()),
                    Err(_) => prop_assert!(!wide.iter().all(|number| fits(Some(*number), *bits))),
                }
            }
            let array = one_array(Part::Values(Values::Words32(narrow.clone())), None, Conversion::Decimal, data_type).unwrap();
            let expected: Vec<_> = narrow.iter().map(|word| i256::from_i128(i128::from(*word as i32))).collect();
            prop_assert_eq!(decimal_values(&array), expected);
        }
    }

    #[test]
    fn words_of_each_width(words in prop::collection::vec(any::<u32>(), 0..70), bits in prop::collection::vec(any::<bool>(), 70)) {
        let validity = nulls(&bits[..words.len()]);
        let make = |conversion, data_type: DataType| one_array(Part::Values(Values::Words32(words.clone())), validity.clone(), conversion, &data_type).unwrap();
        let array = make(Conversion::Truncate, DataType::Int8);
        prop_assert_eq!(array.as_primitive::<Int8Type>().values().to_vec(), words.iter().map(|word| *word as i8).collect::<Vec<_>>());
        let array = make(Conversion::Truncate, DataType::UInt16);
        prop_assert_eq!(array.as_primitive::<UInt16Type>().values().to_vec(), words.iter().map(|word| *word as u16).collect::<Vec<_>>());
        let array = make(Conversion::Same, DataType::UInt32);
        prop_assert_eq!(array.as_primitive::<UInt32Type>().values().to_vec(), words.clone());
        let array = make(Conversion::Same, DataType::Float32);
        prop_assert_eq!(array.as_primitive::<Float32Type>().values().iter().map(|value| value.to_bits()).collect::<Vec<_>>(), words.clone());
        let array = make(Conversion::Scale(86_400_000), DataType::Date64);
        prop_assert_eq!(array.as_primitive::<Date64Type>().values().to_vec(), words.iter().map(|word| i64::from(*word as i32) * 86_400_000).collect::<Vec<_>>());
        if !words.is_empty() {
            prop_assert_eq!(array.nulls().cloned(), validity);
        }
    }

    #[test]
    fn int96_like_the_naive_twin(
        parts in prop::collection::vec((prop_oneof![any::<i64>(), 0..86_400_000_000_000i64], prop_oneof![any::<u32>(), 2_300_000..2_600_000u32, Just(0)], any::<bool>()), 1..30),
    ) {
        let values: Vec<Vec<u8>> = parts.iter().map(|(nanos, day, _)| [&nanos.to_le_bytes()[..], &day.to_le_bytes()].concat()).collect();
        let bits: Vec<bool> = parts.iter().map(|(.., valid)| *valid).collect();
        for (unit, each) in [(TimeUnit::Nanosecond, 1i128), (TimeUnit::Microsecond, 1000), (TimeUnit::Millisecond, 1_000_000)] {
            let exact: Vec<i128> = parts.iter().map(|(nanos, day, _)| (i128::from(*day) - 2_440_588) * (86_400_000_000_000 / each) + i128::from(*nanos).div_euclid(each)).collect();
            let data_type = DataType::Timestamp(unit, None);
            let fit: Vec<bool> = exact.iter().zip(&bits).map(|(exact, valid)| *valid && i64::try_from(*exact).is_ok()).collect();
            let dictionary = Arc::new(Dictionary::new(fixed_of(12, &values)));
            let indices = || (0..values.len() as u32).collect::<Vec<_>>();
            for overflow in [Overflow::Error, Overflow::Null, Overflow::Wrap] {
                let as_indices = Part::Indices { indices: indices(), dictionary: Arc::new(Dictionary::new(dictionary.values().clone())) };
                for part in [Part::Values(fixed_of(12, &values)), as_indices] {
                    let array = one_array(part, nulls(&bits), Conversion::Int96(overflow), &data_type);
                    let expected: Vec<Option<i64>> = exact.iter().enumerate().map(|(slot, exact)| match overflow {
                        Overflow::Wrap => bits[slot].then_some(*exact as i64),
                        _ => fit[slot].then_some(*exact as i64),
                    }).collect();
                    if overflow == Overflow::Error && fit != bits {
                        prop_assert_eq!(array.unwrap_err().kind(), crate::ErrorKind::Usage);
                        continue;
                    }
                    let array = array.unwrap();
                    let read: Vec<Option<i64>> = match unit {
                        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().iter().collect(),
                        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().iter().collect(),
                        _ => array.as_primitive::<TimestampMillisecondType>().iter().collect(),
                    };
                    prop_assert_eq!(read, expected);
                }
            }
        }
    }
}

#[test]
fn a_time_that_is_no_time_of_day_can_bring_a_far_day_back() {
    let value = [&(-1_117_757_563_145_224_193i64).to_le_bytes()[..], &2_547_340u32.to_le_bytes()].concat();
    let data_type = DataType::Timestamp(TimeUnit::Nanosecond, None);
    let array = one_array(Part::Values(fixed_of(12, &[value])), None, Conversion::Int96(Overflow::Error), &data_type).unwrap();
    let exact = i128::from(2_547_340 - 2_440_588) * 86_400_000_000_000 - 1_117_757_563_145_224_193;
    assert_eq!(i128::from(array.as_primitive::<TimestampNanosecondType>().value(0)), exact);
}

#[test]
fn whole_seconds() {
    let zone = DataType::Timestamp(TimeUnit::Second, Some("UTC".into()));
    let words = |words: &[i64]| Part::Values(Values::Words64(words.iter().map(|word| *word as u64).collect()));
    let array = one_array(words(&[-2000, 0, 1_600_000_000_000]), None, Conversion::Whole(1000), &zone).unwrap();
    assert_eq!(array.as_primitive::<TimestampSecondType>().values().to_vec(), [-2, 0, 1_600_000_000]);
    assert_eq!(one_array(words(&[1500]), None, Conversion::Whole(1000), &zone).unwrap_err().kind(), crate::ErrorKind::Malformed);
    let time = DataType::Time32(TimeUnit::Second);
    let array = one_array(Part::Values(Values::Words32(vec![5000, 86_399_000])), None, Conversion::Whole(1000), &time).unwrap();
    assert_eq!(array.as_primitive::<Time32SecondType>().values().to_vec(), [5, 86_399]);
    assert!(one_array(Part::Values(Values::Words32(vec![1])), None, Conversion::Whole(1000), &time).is_err());
}

#[test]
fn booleans_halves_and_bytes() {
    let bits = [true, false, true, true];
    let array = one_array(
        Part::Values(Values::Bits(bits.into_iter().collect())),
        nulls(&[true, true, false, true]),
        Conversion::Same,
        &DataType::Boolean,
    )
    .unwrap();
    assert_eq!(array.as_boolean().iter().collect::<Vec<_>>(), [Some(true), Some(false), None, Some(true)]);
    let halves = fixed_of(2, &[vec![0x00, 0x3C], vec![0x00, 0xC0]]);
    let array = one_array(Part::Values(halves), None, Conversion::Float16, &DataType::Float16).unwrap();
    assert_eq!(array.as_primitive::<Float16Type>().values().iter().map(|half| half.to_f32()).collect::<Vec<_>>(), [1.0, -2.0]);
    let array =
        one_array(Part::Values(fixed_of(3, &[b"abc".to_vec(), b"def".to_vec()])), None, Conversion::Bytes, &DataType::FixedSizeBinary(3))
            .unwrap();
    assert_eq!(array.as_fixed_size_binary().iter().collect::<Vec<_>>(), [Some(&b"abc"[..]), Some(b"def")]);
    let array = one_array(Part::Values(fixed_of(0, &[vec![], vec![]])), None, Conversion::Bytes, &DataType::FixedSizeBinary(0)).unwrap();
    assert_eq!(array.len(), 2);
}

#[test]
fn intervals() {
    let value = |months: u32, days: u32, millis: u32| [months.to_le_bytes(), days.to_le_bytes(), millis.to_le_bytes()].concat();
    let make =
        |value: Vec<u8>, unit| one_array(Part::Values(fixed_of(12, &[value])), None, Conversion::Interval, &DataType::Interval(unit));
    let array = make(value(3, 5, 7), IntervalUnit::MonthDayNano).unwrap();
    assert_eq!(array.as_primitive::<IntervalMonthDayNanoType>().value(0), IntervalMonthDayNano::new(3, 5, 7_000_000));
    let array = make(value(0, u32::MAX, 7), IntervalUnit::DayTime).unwrap();
    assert_eq!(array.as_primitive::<IntervalDayTimeType>().value(0), IntervalDayTime::new(-1, 7));
    let array = make(value(14, 0, 0), IntervalUnit::YearMonth).unwrap();
    assert_eq!(array.as_primitive::<IntervalYearMonthType>().value(0), 14);
    let misfits = [
        (value(u32::MAX, 0, 0), IntervalUnit::MonthDayNano),
        (value(0, 1 << 31, 0), IntervalUnit::MonthDayNano),
        (value(1, 0, 0), IntervalUnit::DayTime),
        (value(1, 1, 0), IntervalUnit::YearMonth),
        (value(1, 0, 1), IntervalUnit::YearMonth),
    ];
    for (value, unit) in misfits {
        assert_eq!(make(value, unit).unwrap_err().kind(), crate::ErrorKind::Malformed);
    }
}

const TEXTS: [DataType; 3] = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View];
const BYTES: [DataType; 3] = [DataType::Binary, DataType::LargeBinary, DataType::BinaryView];

/// The values of an array of text or bytes in any form.
fn byte_values(array: &dyn Array) -> Vec<Option<Vec<u8>>> {
    fn owned<'a, T: AsRef<[u8]> + ?Sized + 'a>(values: impl Iterator<Item = Option<&'a T>>) -> Vec<Option<Vec<u8>>> {
        values.map(|value| value.map(|value| value.as_ref().to_vec())).collect()
    }
    match array.data_type() {
        DataType::Utf8 => owned(array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => owned(array.as_string::<i64>().iter()),
        DataType::Utf8View => owned(array.as_string_view().iter()),
        DataType::Binary => owned(array.as_binary::<i32>().iter()),
        DataType::LargeBinary => owned(array.as_binary::<i64>().iter()),
        DataType::BinaryView => owned(array.as_binary_view().iter()),
        DataType::FixedSizeBinary(_) => owned(array.as_fixed_size_binary().iter()),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let values = byte_values(dictionary.values().as_ref());
            let keys = dictionary.normalized_keys_or_empty();
            (0..array.len()).map(|slot| if array.is_valid(slot) { values[keys[slot]].clone() } else { None }).collect()
        }
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int32 => run_values(array.as_any().downcast_ref::<RunArray<Int32Type>>().unwrap()),
            _ => run_values(array.as_any().downcast_ref::<RunArray<Int64Type>>().unwrap()),
        },
        other => panic!("{other}"),
    }
}

fn run_values<R: RunEndIndexType>(array: &RunArray<R>) -> Vec<Option<Vec<u8>>> {
    let values = byte_values(array.values().as_ref());
    let runs: Vec<_> = (0..array.len()).map(|slot| array.get_physical_index(slot)).collect();
    for (run, pair) in values.windows(2).enumerate() {
        assert_ne!(pair[0], pair[1], "runs {run} and {} could be one", run + 1);
    }
    runs.into_iter().map(|run| values[run].clone()).collect()
}

trait Keys {
    fn normalized_keys_or_empty(&self) -> Vec<usize>;
}

impl Keys for dyn arrow_array::AnyDictionaryArray + '_ {
    fn normalized_keys_or_empty(&self) -> Vec<usize> {
        if self.values().is_empty() { vec![0; self.len()] } else { self.normalized_keys() }
    }
}

/// The types that values of `plain` can come out as: itself, dictionaries with all keys, run-end encoded.
fn forms(plain: &DataType) -> Vec<DataType> {
    let keys = [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
    ];
    let dictionaries = keys.map(|key| DataType::Dictionary(Box::new(key), Box::new(plain.clone())));
    let runs = |ends, values: &DataType| {
        DataType::RunEndEncoded(Arc::new(Field::new("run_ends", ends, false)), Arc::new(Field::new("values", values.clone(), true)))
    };
    let of_dictionary = runs(DataType::Int32, &dictionaries[5]);
    let mut forms = vec![plain.clone(), runs(DataType::Int32, plain), runs(DataType::Int64, plain), of_dictionary];
    forms.extend(dictionaries);
    forms
}

proptest! {
    #[test]
    fn text_and_bytes_in_every_form(
        entries in prop::collection::btree_set("[a-zäöü€😀]{0,14}", 1..12), picks in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 1..4usize), 1..40),
    ) {
        let entries: Vec<Vec<u8>> = entries.into_iter().map(String::into_bytes).collect();
        let picks: Vec<(usize, bool)> = picks.into_iter().flat_map(|(index, valid, times)| std::iter::repeat_n((index.index(entries.len()), valid), times)).collect();
        let bits: Vec<bool> = picks.iter().map(|(_, valid)| *valid).collect();
        let expected: Vec<Option<Vec<u8>>> = picks.iter().map(|(index, valid)| valid.then(|| entries[*index].clone())).collect();
        let plain: Vec<Vec<u8>> = expected.iter().map(|value| value.clone().unwrap_or_default()).collect();
        let indices: Vec<u32> = picks.iter().map(|(index, valid)| if *valid { *index as u32 } else { 0 }).collect();
        for (conversion, types) in [(Conversion::Text, &TEXTS), (Conversion::Bytes, &BYTES)] {
            for data_type in types.iter().flat_map(forms) {
                let dictionary = Arc::new(Dictionary::new(bytes_of(&entries)));
                let as_indices = || Part::Indices { indices: indices.clone(), dictionary: Arc::clone(&dictionary) };
                for part in [Part::Values(bytes_of(&plain)), as_indices(), as_indices()] {
                    let array = one_array(part, nulls(&bits), conversion, &data_type).unwrap();
                    prop_assert_eq!(byte_values(array.as_ref()), expected.clone(), "{}", &data_type);
                }
            }
        }
    }

    #[test]
    fn fixed_bytes_in_every_form(picks in prop::collection::vec((0..6u8, any::<bool>()), 1..40)) {
        let entries: Vec<Vec<u8>> = (0..6).map(|entry| vec![entry, 1, 2]).collect();
        let bits: Vec<bool> = picks.iter().map(|(_, valid)| *valid).collect();
        let expected: Vec<_> = picks.iter().map(|(index, valid)| valid.then(|| entries[usize::from(*index)].clone())).collect();
        let plain: Vec<_> = expected.iter().map(|value| value.clone().unwrap_or(vec![0; 3])).collect();
        let indices: Vec<u32> = picks.iter().map(|(index, valid)| if *valid { u32::from(*index) } else { 0 }).collect();
        for data_type in forms(&DataType::FixedSizeBinary(3)) {
            let dictionary = Arc::new(Dictionary::new(fixed_of(3, &entries)));
            for part in [Part::Values(fixed_of(3, &plain)), Part::Indices { indices: indices.clone(), dictionary }] {
                let array = one_array(part, nulls(&bits), Conversion::Bytes, &data_type).unwrap();
                prop_assert_eq!(byte_values(array.as_ref()), expected.clone(), "{}", &data_type);
            }
        }
    }

    #[test]
    fn numbers_as_dictionaries_and_runs(words in prop::collection::vec(prop_oneof![0..4u64, any::<u64>()], 1..60), bits in prop::collection::vec(any::<bool>(), 60)) {
        let validity = nulls(&bits[..words.len()]);
        let expected: Vec<Option<i64>> = words.iter().enumerate().map(|(slot, word)| bits[slot].then_some(*word as i64)).collect();
        let dictionary = DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Int64));
        let array = one_array(Part::Values(Values::Words64(words.clone())), validity.clone(), Conversion::Same, &dictionary).unwrap();
        let read: Vec<_> = array.as_dictionary::<Int16Type>().downcast_dict::<arrow_array::Int64Array>().unwrap().into_iter().collect();
        prop_assert_eq!(read, expected.clone());
        let runs = DataType::RunEndEncoded(Field::new("run_ends", DataType::Int32, false).into(), Field::new("values", DataType::Int64, true).into());
        let array = one_array(Part::Values(Values::Words64(words)), validity, Conversion::Same, &runs).unwrap();
        let array = array.as_any().downcast_ref::<RunArray<Int32Type>>().unwrap();
        let values = array.values().as_primitive::<Int64Type>();
        let read: Vec<_> = (0..array.len()).map(|slot| array.get_physical_index(slot)).map(|run| values.is_valid(run).then(|| values.value(run))).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn text_that_is_not_utf8_is_refused(mut text in "[a-zäöü€]{1,30}".prop_map(String::into_bytes), at in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()) {
        let at = at.index(text.len());
        text[at] = 0xFF;
        let entries = vec![b"fine".to_vec(), text.clone()];
        // Two values that are UTF-8 only together are none.
        let (left, right) = "a€".as_bytes().split_at(2 + cut.index(2));
        let torn = vec![left.to_vec(), right.to_vec()];
        for values in [entries, torn] {
            for data_type in &TEXTS {
                let dictionary = Arc::new(Dictionary::new(bytes_of(&values)));
                for part in [Part::Values(bytes_of(&values)), Part::Indices { indices: vec![0, 1], dictionary }] {
                    let error = one_array(part, None, Conversion::Text, data_type).unwrap_err();
                    prop_assert_eq!(error.kind(), crate::ErrorKind::Malformed);
                    prop_assert!(error.message().contains("UTF-8"));
                }
            }
            prop_assert!(one_array(Part::Values(bytes_of(&values)), None, Conversion::Bytes, &DataType::BinaryView).is_ok());
        }
    }
}

#[test]
fn keys_that_are_too_narrow() {
    let entries: Vec<Vec<u8>> = (0..300u32).map(|entry| entry.to_le_bytes().to_vec()).collect();
    let dictionary = Arc::new(Dictionary::new(bytes_of(&entries)));
    for (key, most) in [(DataType::Int8, 128), (DataType::UInt8, 256)] {
        let data_type = DataType::Dictionary(Box::new(key), Box::new(DataType::Binary));
        // Of a large dictionary a batch may use few entries.
        for (first, count, fits) in [(100, most, true), (0, most, true), (0, most + 1, false)] {
            let indices: Vec<u32> = (first..first + count).map(|index| index % 300).rev().collect();
            let expected: Vec<_> = indices.iter().map(|index| Some(entries[*index as usize].clone())).collect();
            let array = one_array(Part::Indices { indices, dictionary: Arc::clone(&dictionary) }, None, Conversion::Bytes, &data_type);
            match fits {
                true => assert_eq!(byte_values(array.unwrap().as_ref()), expected),
                false => assert_eq!(array.unwrap_err().kind(), crate::ErrorKind::Unsupported),
            }
        }
        let part = Part::Indices { indices: vec![0; 3], dictionary: Arc::clone(&dictionary) };
        let array = one_array(part, nulls(&[false; 3]), Conversion::Bytes, &data_type).unwrap();
        assert_eq!(byte_values(array.as_ref()), [None, None, None]);
    }
}

#[test]
fn a_dictionary_without_entries_has_nulls_only() {
    let dictionary = Arc::new(Dictionary::new(Values::Bytes(ByteArrays::new())));
    for data_type in TEXTS.iter().flat_map(forms) {
        let part = || Part::Indices { indices: vec![0; 3], dictionary: Arc::clone(&dictionary) };
        let array = one_array(part(), nulls(&[false; 3]), Conversion::Text, &data_type).unwrap();
        assert_eq!(byte_values(array.as_ref()), [None, None, None], "{data_type}");
        assert!(one_array(part(), None, Conversion::Text, &data_type).is_err());
    }
}

#[test]
fn parts_without_slots_are_empty_arrays() {
    let types = [
        (Conversion::Text, DataType::Utf8View),
        (Conversion::Same, DataType::Int32),
        (Conversion::Decimal, DataType::Decimal256(50, 1)),
        (Conversion::Null, DataType::Null),
    ];
    for (conversion, data_type) in types {
        for data_type in forms(&data_type).into_iter().take(if data_type == DataType::Null { 1 } else { usize::MAX }) {
            let array = one_array(Part::Values(conversion.empty_values()), None, conversion, &data_type).unwrap();
            assert_eq!(array.len(), 0);
        }
    }
}

#[test]
fn broken_parts_are_errors() {
    let dictionary = Arc::new(Dictionary::new(bytes_of(&[b"a".to_vec()])));
    let outside = Part::Indices { indices: vec![0, 1], dictionary };
    assert_eq!(one_array(outside, None, Conversion::Text, &DataType::Utf8).unwrap_err().kind(), crate::ErrorKind::Malformed);
    let values = || Part::Values(Values::Words32(vec![1, 2]));
    assert!(one_array(values(), nulls(&[false]), Conversion::Same, &DataType::Int32).is_err());
    for (conversion, data_type) in [
        (Conversion::Same, DataType::Int64),
        (Conversion::Text, DataType::Utf8),
        (Conversion::Float16, DataType::Float16),
        (Conversion::Decimal, DataType::Int32),
    ] {
        assert!(one_array(values(), None, conversion, &data_type).is_err());
    }
    for width in [0, 1, 11, 13] {
        let fixed = || Part::Values(fixed_of(width, &[vec![0; width]]));
        for (conversion, data_type) in [
            (Conversion::Int96(Overflow::Wrap), DataType::Timestamp(TimeUnit::Nanosecond, None)),
            (Conversion::Interval, DataType::Interval(IntervalUnit::DayTime)),
            (Conversion::Float16, DataType::Float16),
            (Conversion::Bytes, DataType::FixedSizeBinary(5)),
        ] {
            assert!(one_array(fixed(), None, conversion, &data_type).is_err());
        }
    }
}

#[test]
fn buffers_that_are_no_whole_array_are_refused_or_read() {
    let words = Buffer::from_vec(vec![7_u64, 8, 9]);
    let numbers = primitive(&DataType::Int64, 3, words.clone(), nulls(&[true, false, true])).unwrap();
    assert_eq!(numbers.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(7), None, Some(9)]);
    // Too long, too short, and not where numbers may lie.
    assert_eq!(primitive(&DataType::Int64, 2, words.clone(), None).unwrap().len(), 2);
    assert!(primitive(&DataType::Int64, 4, words.clone(), None).is_err());
    assert_eq!(primitive(&DataType::Int64, 2, words.slice(1), None).map_or(2, |array| array.len()), 2);
    assert!(primitive(&DataType::Int64, 3, words, nulls(&[true, false])).is_err());
}
