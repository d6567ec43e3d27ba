//! Mutants that the official crate reads and we refuse: what we see in the file that it does not look at, or puts up with.

/// Of mutants that are refused with a message that has one of `messages` in it, there are so many at the most: what there were, and where there are
/// many a few more, since each new test file brings forty mutants.
pub struct Refusal {
    messages: &'static [&'static str],
    pub why: &'static str,
    pub most: usize,
}

/// The first that fits counts.
pub const REFUSALS: &[Refusal] = &[
    Refusal {
        messages: &["lacks its", "has no repetition"],
        why: "it does without fields that are required, and takes those of another type for them",
        most: 350,
    },
    Refusal { messages: &["Thrift"], why: "it puts up with broken Thrift in fields that it has no use for", most: 125 },
    Refusal {
        messages: &["values, its row group", "the file claims", "the row group has -", "number of values is -"],
        why: "it does not hold the counts of rows and values against each other",
        most: 125,
    },
    Refusal {
        messages: &["more rows than its row group", "the column chunk ends after"],
        why: "it does not hold the rows of a column's pages against those of the row group",
        most: 27,
    },
    Refusal { messages: &["but the file has"], why: "it does not hold the place of a column chunk against the file's size", most: 40 },
    Refusal {
        messages: &["but the schema says", "columns, but the schema has", "elements of the schema belong to no group"],
        why: "it does not hold schema and column chunks against each other, nor the schema's parts",
        most: 38,
    },
    Refusal { messages: &["no metadata, so its pages cannot be found"], why: "it puts up with column chunks without metadata", most: 2 },
    Refusal {
        messages: &["does not decompress to", "data is broken", "bytes, but its SNAPPY data holds"],
        why: "it puts up with pages that decompress to another size, or by copies from nowhere",
        most: 12,
    },
    Refusal {
        messages: &["where at most", "levels where", "values where", "Found unmasked nulls", "an RLE run repeats"],
        why: "it does not hold levels and indices against what is possible, nor their number against that of the values",
        most: 11,
    },
    Refusal {
        messages: &["a second dictionary page", "a dictionary page encoded as", "without a dictionary page before it"],
        why: "it puts up with dictionary pages too many or too few, and with any encoding of theirs",
        most: 6,
    },
    Refusal { messages: &["a decimal does not fit"], why: "it puts up with decimals of more bytes than their type has", most: 3 },
    Refusal {
        messages: &["where the stored Arrow schema speaks of"],
        why: "it puts up with a stored Arrow schema of a coarser unit",
        most: 1,
    },
    Refusal { messages: &["above Limits::"], why: "it has no limit for the size of pages", most: 1 },
];

/// The reason for a refusal.
pub fn reason(refusal: &str) -> Option<&'static str> {
    let fits = |known: &&Refusal| known.messages.iter().any(|message| refusal.contains(message));
    REFUSALS.iter().find(fits).map(|known| known.why)
}
