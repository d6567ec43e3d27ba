//! Text that people and writers wrote: schemas, versions of writers, constants of filters, names of codecs.

use std::hint::black_box;

use herringbone::compression::Compression;
use herringbone::metadata::WriterVersion;
use herringbone::predicate::Literal;
use herringbone::schema::Schema;

use super::judge;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match text.parse::<Schema>() {
        Ok(schema) => {
            let printed = schema.to_string();
            let again = printed.parse::<Schema>();
            assert_eq!(again.as_ref().ok(), Some(&schema), "printed as {printed}, which is parsed as {again:?}");
        }
        Err(error) => judge(&error),
    }
    if let Some(writer) = WriterVersion::parse(text) {
        black_box((writer.application(), writer.version(), writer.numbers(), writer.suffix(), writer.build()));
        black_box(writer.is_before("parquet-mr", [1, 8, 0]));
    }
    let literals = [Literal::decimal(text), Literal::date(text), Literal::time(text), Literal::timestamp(text)];
    for literal in literals {
        match literal {
            Ok(literal) => drop(black_box(literal)),
            Err(error) => judge(&error),
        }
    }
    match text.parse::<Compression>() {
        Ok(compression) => assert_eq!(compression.to_string().parse::<Compression>().ok(), Some(compression)),
        Err(error) => judge(&error),
    }
}
