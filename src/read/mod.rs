//! Reading: sources, metadata, pages, leaf columns.
//!
//! This level has no opinion about memory formats and threads. [`metadata()`] reads a file's footer from any [`Source`];
//! [`pages()`] streams the [`CompressedPage`](crate::page::CompressedPage)s of a column chunk, which callers decompress
//! and decode wherever they like; `pages_async` (feature `async`) streams them from an asynchronous source. Record batches are made a
//! level above, in `herringbone::arrow`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use herringbone::compression::Decompressor;
//! use herringbone::read::{self, FileSource, PageOptions};
//! use herringbone::{Limits, Result};
//!
//! # fn main() -> Result<()> {
//! let (limits, source) = (Limits::default(), Arc::new(FileSource::open("testdata/codecs.none-v1.parquet")?));
//! let metadata = read::metadata(&source, &limits)?;
//! let price = metadata.schema().leaf("price").expect("the file has prices").index;
//!
//! let (mut decompressor, mut dictionary, mut prices) = (Decompressor::new(), None, Vec::new());
//! for page in read::pages(source, &metadata, 0, price, &PageOptions::default())? {
//!     let page = page?;
//!     let decompressed = page.decompress(&mut decompressor, Vec::new())?;
//!     if page.is_dictionary() {
//!         dictionary = Some(Arc::new(decompressed.decode_dictionary()?));
//!     } else {
//!         let decoded = decompressed.decode(dictionary.as_ref(), &limits)?;
//!         prices.extend_from_slice(decoded.values.as_f64().expect("prices are DOUBLE"));
//!     }
//! }
//! assert_eq!(prices.len(), 106);
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "async")]
mod blocking;
mod column;
#[cfg_attr(not(feature = "arrow"), allow(dead_code))]
mod counters;
mod fetch;
#[cfg(feature = "async")]
#[cfg_attr(not(feature = "arrow"), allow(dead_code))]
mod fetches;
mod footer;
mod leaf;
#[cfg(feature = "object_store_base")]
mod object;
#[cfg(feature = "async")]
mod page_stream;
mod pages;
mod push;
#[cfg(feature = "async")]
mod remote;
mod room;
mod source;
mod spans;

#[cfg(feature = "async")]
pub use blocking::BlockingSource;
pub use fetch::FetchOptions;
pub use footer::metadata;
#[cfg(feature = "object_store_base")]
pub use object::ObjectSource;
#[cfg(feature = "async")]
pub use page_stream::{PageStream, pages_async};
pub use pages::{PageOptions, PageReader, pages};
pub use push::{FooterStep, PushFooter};
#[cfg(feature = "async")]
pub use remote::{AsyncSource, metadata_async, read_ranges};
#[cfg(feature = "arrow")]
pub(crate) use room::Room;
#[cfg(feature = "arrow")]
pub(crate) use source::LOCAL_WINDOW;
pub use source::{FileSource, SeekSource, Source};

pub use column::ColumnReader;
#[cfg(feature = "arrow")]
pub(crate) use counters::{Counted, Counters};
#[cfg(all(feature = "arrow", feature = "async"))]
pub(crate) use fetches::Fetches;
pub use leaf::LeafData;
#[cfg(all(feature = "arrow", feature = "rayon"))]
pub(crate) use leaf::Spawn;
#[cfg(feature = "arrow")]
pub(crate) use leaf::{LeafReader, Scratch, part_size};
#[cfg(feature = "arrow")]
pub(crate) use push::Missing;
#[cfg(any(feature = "arrow", feature = "async"))]
pub(crate) use push::Pushed;
#[cfg(all(feature = "arrow", feature = "async"))]
pub(crate) use remote::footer;
#[cfg(feature = "arrow")]
pub(crate) use spans::Spans;
