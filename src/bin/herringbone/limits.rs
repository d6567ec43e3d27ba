//! What reading may take: the limits of the library, and what the command line sets of them.

use std::str::FromStr;
use std::sync::OnceLock;

use herringbone::Limits;

use crate::writer_args::Size;

/// One limit that the command line sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(Name, usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Footer,
    Page,
    Batch,
    Metadata,
    Memory,
    Depth,
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "write NAME=SIZE, of footer, page, batch, metadata and memory, or depth=N".to_owned();
        let (name, value) = text.split_once('=').ok_or_else(wanted)?;
        let name = match name.trim() {
            "footer" => Name::Footer,
            "page" => Name::Page,
            "batch" => Name::Batch,
            "metadata" => Name::Metadata,
            "memory" => Name::Memory,
            "depth" => return value.trim().parse().map(|depth| Self(Name::Depth, depth)).map_err(|_| wanted()),
            _ => return Err(wanted()),
        };
        Ok(Self(name, value.parse::<Size>()?.in_memory()))
    }
}

static GIVEN: OnceLock<Vec<Limit>> = OnceLock::new();

/// Keeps what the command line says, once.
pub fn give(given: Vec<Limit>) {
    GIVEN.get_or_init(|| given);
}

/// The limits under which files are read.
pub fn limits() -> Limits {
    over(Limits::default())
}

/// The limits under which batches are handed on one after another: memory follows these figures and not the file. A batch can be as large as the
/// largest value that a page holds by default.
pub fn streaming_limits() -> Limits {
    over(Limits { batch_bytes: 256 << 20, memory_bytes: 512 << 20, ..Limits::default() })
}

fn over(limits: Limits) -> Limits {
    GIVEN.get().into_iter().flatten().fold(limits, |mut limits, Limit(name, value)| {
        let limit = match name {
            Name::Footer => &mut limits.footer_bytes,
            Name::Page => &mut limits.page_bytes,
            Name::Batch => &mut limits.batch_bytes,
            Name::Metadata => &mut limits.metadata_bytes,
            Name::Memory => &mut limits.memory_bytes,
            Name::Depth => &mut limits.schema_depth,
        };
        *limit = *value;
        limits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_names_and_sizes() {
        assert_eq!("page=1GiB".parse(), Ok(Limit(Name::Page, 1 << 30)));
        assert_eq!("depth=7".parse(), Ok(Limit(Name::Depth, 7)));
        for text in ["page", "page=", "page=much", "pages=1", "depth=1MiB", "=1"] {
            assert!(text.parse::<Limit>().is_err(), "{text}");
        }
    }
}
