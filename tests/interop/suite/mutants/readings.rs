//! What each of the two reads of some bytes.

use arrow_array::RecordBatch;
use bytes::Bytes;
use herringbone::arrow::ParquetFile;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::KeyValue;

use crate::mutate::limits;

/// Rows beyond these are not asked for: a file may lawfully claim any number of them.
const ROWS: usize = 5_000;

/// The number of the encoding BIT_PACKED.
pub const BIT_PACKED: i64 = 4;

pub fn ours(bytes: &Bytes) -> Result<Vec<RecordBatch>, String> {
    let file = ParquetFile::from_source_with(bytes.clone(), limits()).map_err(|error| error.to_string())?;
    let scan = file.scan().threads(1).limit(ROWS as u64).batch_rows(1000).build();
    scan.and_then(|scan| scan.read_all()).map_err(|error| error.to_string())
}

/// What the official crate reads.
#[derive(Clone)]
pub struct Theirs {
    pub batches: Vec<RecordBatch>,
    pub claims: Claims,
}

/// What it finds in a footer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    pub rows: i64,
    /// The compressed size of each column chunk.
    pub sizes: Vec<i64>,
    /// Whether a column chunk says that it has levels of this encoding.
    pub bit_packed: bool,
    /// Among them is the stored Arrow schema.
    pub key_values: Option<Vec<KeyValue>>,
}

pub type Builder = ParquetRecordBatchReaderBuilder<Bytes>;

pub fn open(bytes: &Bytes) -> Result<Builder, String> {
    Builder::try_new(bytes.clone()).map_err(|error| error.to_string())
}

impl Claims {
    pub fn of(builder: &Builder) -> Self {
        let file = builder.metadata().file_metadata();
        let chunks = || builder.metadata().row_groups().iter().flat_map(|group| group.columns());
        Self {
            rows: file.num_rows(),
            sizes: chunks().map(|chunk| chunk.compressed_size()).collect(),
            bit_packed: chunks().any(|chunk| chunk.encodings().any(|encoding| encoding as i64 == BIT_PACKED)),
            key_values: file.key_value_metadata().cloned(),
        }
    }
}

pub fn theirs(bytes: &Bytes) -> Result<Theirs, String> {
    let builder = open(bytes)?;
    let claims = Claims::of(&builder);
    let reader = builder.with_batch_size(1000).with_limit(ROWS).build().map_err(|error| error.to_string())?;
    Ok(Theirs { batches: reader.collect::<Result<_, _>>().map_err(|error| error.to_string())?, claims })
}
