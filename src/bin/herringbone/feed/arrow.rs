//! Arrow IPC: files and streams.

use std::io::{BufReader, Read};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, SchemaRef};

use super::Feed;
use super::foreign::{batches, guarded};
use super::source::{Bytes, Input};
use crate::failure::Result;

/// How a file begins, before the messages of a stream.
const FILE_HEAD: &[u8; 8] = b"ARROW1\0\0";

/// The batches of a file or a stream.
pub fn feed(input: &Input, bytes: Bytes) -> Result<Feed> {
    let failure = |error: ArrowError| input.failure(error);
    match bytes {
        Bytes::File(mut file) => {
            let mut head = Vec::new();
            let read = (&mut file).take(FILE_HEAD.len() as u64).read_to_end(&mut head).and_then(|_| std::io::Seek::rewind(&mut file));
            read.map_err(|error| input.failure(error))?;
            let file = BufReader::with_capacity(1 << 20, file);
            match head == FILE_HEAD {
                true => {
                    let reader = guarded(input, || FileReader::try_new(file, None))?.map_err(failure)?;
                    Ok(of(input, reader.schema(), reader))
                }
                false => {
                    let reader = guarded(input, || StreamReader::try_new(file, None))?.map_err(failure)?;
                    Ok(of(input, reader.schema(), reader))
                }
            }
        }
        Bytes::Stream(mut stream) => {
            let mut head = [0; 8];
            let mut filled = fill(&mut stream, &mut head).map_err(|error| input.failure(error))?;
            // Without its head, which is filled up with zeros, and its end, a file is a stream.
            if head == *FILE_HEAD {
                head = [0; 8];
                while filled == head.len() && head == [0; 8] {
                    filled = fill(&mut stream, &mut head).map_err(|error| input.failure(error))?;
                }
            }
            let head = std::io::Cursor::new(head).take(filled as u64);
            let stream = BufReader::with_capacity(1 << 20, head.chain(stream));
            let reader = guarded(input, || StreamReader::try_new(stream, None))?.map_err(failure)?;
            Ok(of(input, reader.schema(), reader))
        }
    }
}

/// Fills a buffer as far as the bytes reach, and returns how far.
fn fill(stream: &mut dyn Read, buffer: &mut [u8; 8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest)? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}

fn of(input: &Input, schema: SchemaRef, reader: impl Iterator<Item = Result<RecordBatch, ArrowError>> + 'static) -> Feed {
    Feed { schema, rows: None, batches: batches(input, reader, |input, error| input.failure(error)) }
}
