//! Any bytes as a file that is verified, whose pages are decoded one by one, whose indexes are read, and whose row groups are copied to another file.

use bytes::Bytes;
use herringbone::read;
use herringbone::verify::{VerifyOptions, verify};
use herringbone::write::{FileWriter, WriterOptions};

use super::decode::walk_pages;
use super::walk::walk_indexes;
use super::{judge, limits};

pub fn run(data: &[u8]) {
    let file = Bytes::copy_from_slice(data);
    let report = verify(&file, &VerifyOptions { limits: limits(), findings: 100, values: 100_000, ..VerifyOptions::default() });
    report.expect("a report: these bytes can be read");
    match read::metadata(&file, &limits()) {
        Ok(metadata) => {
            walk_pages(&file, &metadata);
            walk_indexes(&file, &metadata);
            if let Err(error) = copy(&file, &metadata) {
                judge(&error);
            }
        }
        Err(error) => judge(&error),
    }
}

/// What could be copied says of itself what it said before.
fn copy(file: &Bytes, metadata: &herringbone::FileMetadata) -> herringbone::Result<()> {
    let mut writer = FileWriter::new(Vec::new(), metadata.schema().clone(), WriterOptions::default())?;
    let mut rows = 0;
    for group in metadata.row_groups().take(8) {
        writer.copy_row_group(file, metadata, group.index())?;
        rows += group.num_rows();
    }
    let (written, bytes) = writer.close_into()?;
    assert_eq!(written.num_rows(), rows);
    let again = read::metadata(&Bytes::from(bytes), &limits())?;
    assert_eq!(again.num_rows(), rows);
    // Logical types that are not known cannot be written.
    let schema = metadata.schema().to_string();
    assert!(schema.contains("UNRECOGNIZED") || again.schema().to_string() == schema, "another schema than {schema}");
    Ok(())
}
