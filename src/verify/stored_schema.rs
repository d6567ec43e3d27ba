//! The Arrow schema that some writers store beside the Parquet schema, under the key `ARROW:schema`: an Arrow IPC message in
//! base64. Looked at here without Arrow: whether it is a schema, and whether its fields are those of the file.

use crate::format::FileMetaData;
use crate::schema::Schema;
use crate::verify::report::{Code, Recorder};
use crate::verify::spot::Spot;

const KEY: &str = "ARROW:schema";

/// The member of the union of IPC messages that is a schema.
const SCHEMA: u8 = 1;

/// Checks the stored schema, if there is one.
pub(super) fn check(metadata: &FileMetaData<'_>, schema: &Schema, out: &mut Recorder) {
    let entry = metadata.key_value_metadata.iter().flatten().find(|entry| entry.key == KEY);
    let Some(text) = entry.and_then(|entry| entry.value.as_deref()) else { return };
    let place = Spot::default();
    let Some(bytes) = base64(text.as_bytes()) else {
        out.add(Code::ArrowSchema, place, "base64", format!("{} other characters", text.len()));
        return;
    };
    let fields: Vec<&str> = schema.fields().iter().map(|field| field.name()).collect();
    match compare(&bytes, &fields) {
        None => out.add(Code::ArrowSchema, place, "an Arrow IPC message that is a schema", format_args!("{} other bytes", bytes.len())),
        Some(Compared::Equal) => {}
        Some(Compared::Count(count)) => {
            out.add(Code::ArrowSchema, place, format_args!("{} fields", fields.len()), format_args!("{count} fields"));
        }
        Some(Compared::Name { field, name }) => {
            out.add(Code::ArrowSchema, place, format_args!("a field {field:?}"), format_args!("{:?}", String::from_utf8_lossy(name)));
        }
    }
}

/// The bytes of base64 in the standard alphabet, with or without padding.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let end = text.iter().rposition(|character| *character != b'=').map_or(0, |last| last.saturating_add(1));
    let mut bytes = Vec::with_capacity(text.len());
    for four in text.get(..end)?.chunks(4) {
        let mut word = 0_u32;
        for character in four {
            let digit = match character {
                b'A'..=b'Z' => character.checked_sub(b'A')?,
                b'a'..=b'z' => character.checked_sub(b'a')?.checked_add(26)?,
                b'0'..=b'9' => character.checked_sub(b'0')?.checked_add(52)?,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            word = word << 6 | u32::from(digit);
        }
        let missing = 4_u32.checked_sub(u32::try_from(four.len()).ok()?)?;
        let [_, whole @ ..] = (word << missing.checked_mul(6)?).to_be_bytes();
        // Six bits alone are no byte.
        let length = four.len().checked_sub(1).filter(|length| *length > 0)?;
        bytes.extend_from_slice(whole.get(..length)?);
    }
    Some(bytes)
}

/// How the fields of a stored schema compare to those of the file.
#[derive(Debug, PartialEq, Eq)]
enum Compared<'a> {
    Equal,
    /// There are so many.
    Count(usize),
    /// The first whose name is another one.
    Name {
        field: &'a str,
        name: &'a [u8],
    },
}

/// Compares names in place: all of the stored fields may refer to the same long one. `None` where the message is none, or broken.
fn compare<'a>(message: &'a [u8], fields: &[&'a str]) -> Option<Compared<'a>> {
    // A marker of four bytes that newer writers begin with, then the length of the flatbuffer.
    let message = message.strip_prefix(&[0xff; 4]).unwrap_or(message);
    let buffer = Buffer(message.get(4..)?);
    let root = buffer.follow(0)?;
    let (kind, header) = (buffer.field(root, 1)?, buffer.field(root, 2)?);
    if *buffer.0.get(kind)? != SCHEMA {
        return None;
    }
    let schema = buffer.follow(header)?;
    let (start, count) = buffer.field(schema, 1).map_or(Some((0, 0)), |fields| buffer.vector(fields))?;
    if count != fields.len() {
        return Some(Compared::Count(count));
    }
    for (index, field) in fields.iter().enumerate() {
        let table = buffer.follow(start.checked_add(index.checked_mul(4)?)?)?;
        // A name that is empty may be left out.
        let name = buffer.field(table, 0).map_or(Some(&[][..]), |name| buffer.text(name))?;
        if name != field.as_bytes() {
            return Some(Compared::Name { field, name });
        }
    }
    Some(Compared::Equal)
}

/// A flatbuffer, of which each step checks its own bounds.
struct Buffer<'a>(&'a [u8]);

impl<'a> Buffer<'a> {
    fn word(&self, at: usize) -> Option<usize> {
        Some(u32::from_le_bytes(*self.0.get(at..)?.first_chunk()?) as usize)
    }

    fn half(&self, at: usize) -> Option<usize> {
        Some(usize::from(u16::from_le_bytes(*self.0.get(at..)?.first_chunk()?)))
    }

    /// Where the offset at `at` leads.
    fn follow(&self, at: usize) -> Option<usize> {
        at.checked_add(self.word(at)?)
    }

    /// Where a table keeps the value of a slot; `None` when it has none.
    fn field(&self, table: usize, slot: usize) -> Option<usize> {
        let back = i32::from_le_bytes(*self.0.get(table..)?.first_chunk()?);
        let vtable = usize::try_from(i64::try_from(table).ok()?.checked_sub(i64::from(back))?).ok()?;
        let entry = slot.checked_mul(2)?.checked_add(4)?;
        if entry.checked_add(2)? > self.half(vtable)? {
            return None;
        }
        match self.half(vtable.checked_add(entry)?)? {
            0 => None,
            offset => table.checked_add(offset),
        }
    }

    /// Where the elements of a vector begin and how many there are, at most what the bytes can hold.
    fn vector(&self, at: usize) -> Option<(usize, usize)> {
        let start = self.follow(at)?;
        let count = self.word(start)?;
        (count <= self.0.len()).then_some((start.checked_add(4)?, count))
    }

    fn text(&self, at: usize) -> Option<&'a [u8]> {
        let (start, length) = self.vector(at)?;
        self.0.get(start..start.checked_add(length)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded() {
        for (text, bytes) in [("", &b""[..]), ("Zg==", b"f"), ("Zg", b"f"), ("Zm8=", b"fo"), ("Zm9vYmE+/w", b"fooba>\xff")] {
            assert_eq!(base64(text.as_bytes()).as_deref(), Some(bytes), "{text}");
        }
        assert_eq!(base64(b"Z"), None);
        assert_eq!(base64(b"Zm9*"), None);
    }

    #[test]
    fn any_bytes_end() {
        for byte in [0, 1, 4, 8, 0xff] {
            for length in 0..80 {
                let _ = compare(&vec![byte; length], &[""; 20]);
            }
        }
    }
}
