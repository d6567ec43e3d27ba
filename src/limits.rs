//! What a file may cost the caller.

/// Bounds on what reading one file may take.
///
/// Every length that a file claims is held against the bytes that are really there and against these limits *before*
/// memory is reserved for it; crossing one is an error of kind [`Limit`](crate::ErrorKind::Limit).
///
/// ```
/// use herringbone::Limits;
/// let limits = Limits { page_bytes: 16 << 20, ..Limits::default() };
/// # assert!(limits.page_bytes < Limits::default().page_bytes);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The footer's size in bytes. Default 256 MiB.
    pub footer_bytes: usize,
    /// A page's uncompressed size in bytes. Default 256 MiB.
    pub page_bytes: usize,
    /// How deep the schema may nest. Default 100; never more than 250, whatever is set here.
    pub schema_depth: usize,
    /// The size of one record batch in bytes; a batch ends before it would grow larger than this, so rows of
    /// a batch can be fewer than asked for. Default 1 GiB; never more than `i32` offsets can address.
    pub batch_bytes: usize,
    /// Memory in bytes that parsed metadata may take, and the list of a scan's batches, which may have 1 MiB whatever is set here.
    /// Default 1 GiB.
    pub metadata_bytes: usize,
    /// Memory in bytes that a scan may hold at once: pages in flight and batches not handed out yet. Default 2 GiB. Where the pages and
    /// dictionaries that columns are in the midst of take more, they are dropped after each batch and read again for the next.
    /// The rows of one batch, with the text that a dictionary's entries become in them, may take as much once more, or `batch_bytes` where
    /// that is more; then there is an error. Each thread that decodes has a batch of its own at work.
    pub memory_bytes: usize,
}

impl Limits {
    /// How many bytes the rows of one batch may take, and the entries of one dictionary.
    pub(crate) fn room(&self) -> usize {
        self.memory_bytes.max(self.batch_bytes)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            footer_bytes: 256 << 20,
            page_bytes: 256 << 20,
            schema_depth: 100,
            batch_bytes: 1 << 30,
            metadata_bytes: 1 << 30,
            memory_bytes: 2 << 30,
        }
    }
}
