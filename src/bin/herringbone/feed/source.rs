//! Bytes of files and of standard input, and what format they have.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::format::Format;
use crate::remote::is_address;

/// A file, or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input(PathBuf);

/// What is read of an input.
pub enum Bytes {
    /// A regular file, which can be read from any place.
    File(File),
    /// Bytes that come once.
    Stream(Box<dyn Read>),
}

impl Input {
    /// The file at a path, or standard input for `-`.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// What it is called in messages.
    pub fn name(&self) -> String {
        self.path().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
    }

    /// The path of a file.
    pub fn path(&self) -> Option<&Path> {
        (self.0 != Path::new("-")).then_some(&self.0)
    }

    /// Whether it has the same bytes when it is opened again.
    pub fn opens_again(&self) -> bool {
        self.path().is_some_and(|path| is_address(path) || fs::metadata(path).is_ok_and(|found| found.is_file()))
    }

    /// Opens it, and finds out its format: the one given, the one that its name says, or the one that it begins like.
    pub fn open(&self, from: Option<Format>) -> Result<(Format, Bytes)> {
        let said = from.or_else(|| self.path().and_then(Format::of_ending));
        if self.path().is_some_and(is_address) {
            return match said {
                // It is opened by those who read Parquet.
                None | Some(Format::Parquet) => Ok((Format::Parquet, Bytes::Stream(Box::new(io::empty())))),
                Some(_) => Err(self.failure(io::Error::other("of files with an address only Parquet files are read"))),
            };
        }
        let mut bytes = self.bytes(said)?;
        if let Some(format) = said {
            return Ok((format, bytes));
        }
        let mut head = Vec::new();
        let read = match &mut bytes {
            Bytes::File(file) => (&mut *file).take(64).read_to_end(&mut head).and_then(|_| io::Seek::rewind(file)),
            Bytes::Stream(stream) => stream.take(64).read_to_end(&mut head).map(drop),
        };
        read.map_err(|error| self.failure(error))?;
        let bytes = match bytes {
            Bytes::Stream(stream) => Bytes::Stream(Box::new(Cursor::new(head.clone()).chain(stream))),
            file => file,
        };
        match (Format::of_bytes(&head), self.path()) {
            (Some(format), _) => Ok((format, bytes)),
            // What is wrong with it, the reader of Parquet files says best.
            (None, Some(_)) => Ok((Format::Parquet, bytes)),
            (None, None) => Err(Failure::Usage("standard input may be anything: say what it is with --from".to_owned())),
        }
    }

    fn bytes(&self, said: Option<Format>) -> Result<Bytes> {
        let Some(path) = self.path() else { return Ok(Bytes::Stream(Box::new(io::stdin()))) };
        // The reader of Parquet files opens them itself, and says what is wrong with a path.
        if said.is_none_or(|format| format == Format::Parquet) && !path.exists() {
            return Ok(Bytes::Stream(Box::new(io::empty())));
        }
        let file = File::open(path).map_err(|error| self.failure(error))?;
        match file.metadata() {
            Ok(found) if found.is_file() => Ok(Bytes::File(file)),
            Ok(found) if found.is_dir() => Err(self.failure("it is a folder")),
            _ => Ok(Bytes::Stream(Box::new(file))),
        }
    }

    /// An error of this input.
    pub fn failure(&self, error: impl std::fmt::Display) -> Failure {
        Failure::File(format!("cannot read {}: {error}", self.name()))
    }
}

/// A reader that keeps what it read, so that it can be read once more.
pub struct Recorder {
    stream: Box<dyn Read>,
    seen: Vec<u8>,
}

/// How many bytes are kept to find out types from.
const MOST_SEEN: usize = 64 << 20;

impl Recorder {
    /// Keeps what is read of a stream from now on.
    pub fn new(stream: Box<dyn Read>) -> Self {
        Self { stream, seen: Vec::new() }
    }

    /// All of the stream, from the start.
    pub fn replayed(self) -> Box<dyn Read> {
        Box::new(Cursor::new(self.seen).chain(self.stream))
    }
}

impl Read for Recorder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.seen.len() >= MOST_SEEN {
            let what = "the rows to find out types from take more than 64 MiB: give fewer with --infer-rows, or the types with --schema";
            return Err(io::Error::other(what));
        }
        let n = self.stream.read(buffer)?;
        self.seen.extend_from_slice(buffer.get(..n).unwrap_or_default());
        Ok(n)
    }
}
