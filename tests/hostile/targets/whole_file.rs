//! Any bytes as a file, read into record batches.

use bytes::Bytes;

use super::decode::read_all;
use super::judge;

pub fn run(data: &[u8]) {
    let batch_rows = 1 + data.len() % 1500;
    if let Err(error) = read_all(Bytes::copy_from_slice(data), batch_rows) {
        judge(&error);
    }
}
