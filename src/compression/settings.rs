//! Which codec to write with, and how hard it shall try.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::format::Codec;

/// A codec and, where the codec has levels, a level that is known to be valid.
///
/// The default is Zstandard at level 1; in builds without the cargo feature `zstd`, no compression.
///
/// As text, it is the codec's name, with the level after a colon:
///
/// ```
/// use herringbone::compression::Compression;
/// # fn main() -> herringbone::Result<()> {
/// assert_eq!("zstd:3".parse::<Compression>()?, Compression::zstd(3)?);
/// assert_eq!("GZIP".parse::<Compression>()?, Compression::gzip(6)?);
/// assert_eq!("lz4".parse::<Compression>()?, Compression::LZ4_RAW);
/// assert_eq!(Compression::brotli(11)?.to_string(), "brotli:11");
/// assert!("snappy:1".parse::<Compression>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Compression {
    codec: Codec,
    // 0 for codecs without levels.
    level: i32,
}

/// What can be written.
struct Choice {
    name: &'static str,
    codec: Codec,
    levels: Option<Levels>,
}

struct Levels {
    valid: RangeInclusive<i32>,
    default: i32,
}

const fn choice(name: &'static str, codec: Codec) -> Choice {
    Choice { name, codec, levels: None }
}

const fn with_levels(name: &'static str, codec: Codec, valid: RangeInclusive<i32>, default: i32) -> Choice {
    Choice { name, codec, levels: Some(Levels { valid, default }) }
}

static CHOICES: [Choice; 7] = [
    choice("uncompressed", Codec::Uncompressed),
    choice("snappy", Codec::Snappy),
    with_levels("gzip", Codec::Gzip, 0..=9, 6),
    with_levels("brotli", Codec::Brotli, 0..=11, 4),
    with_levels("zstd", Codec::Zstd, -131_072..=22, 1),
    choice("lz4_raw", Codec::Lz4Raw),
    choice("lz4_hadoop", Codec::Lz4),
];

/// Other names that tools use; `lz4` means the LZ4 that is not deprecated.
static ALIASES: [(&str, &str); 3] = [("none", "uncompressed"), ("lz4", "lz4_raw"), ("zstandard", "zstd")];

impl Compression {
    /// No compression.
    pub const UNCOMPRESSED: Self = Self { codec: Codec::Uncompressed, level: 0 };
    /// Snappy: fast, in every reader.
    pub const SNAPPY: Self = Self { codec: Codec::Snappy, level: 0 };
    /// LZ4 blocks: the fastest to read.
    pub const LZ4_RAW: Self = Self { codec: Codec::Lz4Raw, level: 0 };
    /// LZ4 in Hadoop's framing: deprecated by the format, for readers that know nothing newer.
    pub const LZ4_HADOOP: Self = Self { codec: Codec::Lz4, level: 0 };

    /// A codec at a level, or at its default level: 6 for GZIP, 4 for Brotli, 1 for Zstandard.
    ///
    /// # Errors
    ///
    /// [`Usage`](crate::ErrorKind::Usage) if the codec cannot be written or does not have the level.
    pub fn new(codec: Codec, level: Option<i32>) -> Result<Self> {
        let Some(Choice { name, levels, .. }) = CHOICES.iter().find(|choice| choice.codec == codec) else {
            return Err(Error::usage(format!("the codec {codec} (id {}) cannot be written", codec.code())));
        };
        let level = match (level, levels) {
            (None, levels) => levels.as_ref().map_or(0, |levels| levels.default),
            (Some(level), Some(levels)) if levels.valid.contains(&level) => level,
            (Some(level), Some(Levels { valid, .. })) => {
                let (least, most) = (valid.start(), valid.end());
                return Err(Error::usage(format!("{name} has no level {level}: give one from {least} to {most}")));
            }
            (Some(level), None) => return Err(Error::usage(format!("{name} has no levels: leave out the {level}"))),
        };
        Ok(Self { codec, level })
    }

    /// GZIP at a level from 0 (store only) to 9.
    ///
    /// # Errors
    ///
    /// [`Usage`](crate::ErrorKind::Usage) for other levels.
    pub fn gzip(level: i32) -> Result<Self> {
        Self::new(Codec::Gzip, Some(level))
    }

    /// Brotli at a level (its 'quality') from 0 to 11.
    ///
    /// # Errors
    ///
    /// [`Usage`](crate::ErrorKind::Usage) for other levels.
    pub fn brotli(level: i32) -> Result<Self> {
        Self::new(Codec::Brotli, Some(level))
    }

    /// Zstandard at a level up to 22. Negative ones are faster and compress less, down to −131072; 0 stands for the
    /// library's own default, 3.
    ///
    /// # Errors
    ///
    /// [`Usage`](crate::ErrorKind::Usage) for other levels.
    pub fn zstd(level: i32) -> Result<Self> {
        Self::new(Codec::Zstd, Some(level))
    }

    /// The codec as the file names it.
    pub fn codec(self) -> Codec {
        self.codec
    }

    /// The level, if the codec has levels.
    pub fn level(self) -> Option<i32> {
        matches!(self.codec, Codec::Gzip | Codec::Brotli | Codec::Zstd).then_some(self.level)
    }
}

impl Default for Compression {
    fn default() -> Self {
        if super::zstd::ENABLED { Self { codec: Codec::Zstd, level: 1 } } else { Self::UNCOMPRESSED }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = CHOICES.iter().find(|choice| choice.codec == self.codec).map_or("unknown", |choice| choice.name);
        match self.level() {
            Some(level) => f.pad(&format!("{name}:{level}")),
            None => f.pad(name),
        }
    }
}

impl FromStr for Compression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level)),
            None => (text, None),
        };
        let lower = name.trim().to_ascii_lowercase();
        let lower = ALIASES.iter().find(|alias| alias.0 == lower).map_or(&*lower, |alias| alias.1);
        let Some(Choice { codec, .. }) = CHOICES.iter().find(|choice| choice.name == lower) else {
            let names = CHOICES.each_ref().map(|choice| choice.name).join(", ");
            return Err(Error::usage(format!("`{name}` is no codec that can be written: choose from {names}")));
        };
        let level = level
            .map(|level| level.trim().parse::<i32>())
            .transpose()
            .map_err(|error| Error::usage(format!("the level in `{text}` is not a whole number")).with_source(error))?;
        Self::new(*codec, level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn text_round_trips() {
        for Choice { codec, levels, .. } in &CHOICES {
            let levels = levels
                .as_ref()
                .map_or(vec![None], |levels| vec![None, Some(*levels.valid.start()), Some(*levels.valid.end()), Some(levels.default)]);
            for level in levels {
                let compression = Compression::new(*codec, level).unwrap();
                assert_eq!(compression.to_string().parse::<Compression>().unwrap(), compression);
                assert_eq!(compression.to_string().to_uppercase().parse::<Compression>().unwrap(), compression);
                assert_eq!(compression.level().is_some(), compression.to_string().contains(':'));
            }
        }
        assert_eq!("none".parse::<Compression>().unwrap(), Compression::UNCOMPRESSED);
        assert_eq!("lz4_hadoop".parse::<Compression>().unwrap().codec(), Codec::Lz4);
    }

    #[test]
    fn wrong_choices_are_refused_with_the_right_ones() {
        for (text, says) in [
            ("zstd:23", "from -131072 to 22"),
            ("gzip:-1", "from 0 to 9"),
            ("brotli:12", "from 0 to 11"),
            ("lz4_raw:1", "no levels"),
            ("lzo", "choose from uncompressed, snappy"),
            ("", "choose from"),
            ("zstd:", "whole number"),
            ("zstd:fast", "whole number"),
        ] {
            let error = text.parse::<Compression>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
            assert!(error.message().contains(says), "{text}: {error}");
        }
        assert_eq!(Compression::new(Codec::Lzo, None).unwrap_err().kind(), ErrorKind::Usage);
    }

    #[test]
    fn the_default_can_be_written() {
        assert!(super::super::Compressor::new(Compression::default()).is_ok());
    }
}
