//! Scans and writers on several threads: the rows, and the bytes, are those of one thread.

use std::sync::{Arc, OnceLock};

use arrow_select::concat::concat_batches;
use herringbone::arrow::{ArrowWriter, ParquetFile};

use super::round_trip::{batches, choices};
use super::scan::some_scan;
use super::test_file;
use crate::arrow_write::arrays::Random;
use crate::arrow_write::options;

/// Threads for all inputs.
pub fn pool() -> Arc<rayon::ThreadPool> {
    static POOL: OnceLock<Arc<rayon::ThreadPool>> = OnceLock::new();
    Arc::clone(POOL.get_or_init(|| Arc::new(rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("three threads"))))
}

pub fn run(data: &[u8]) {
    let (mut random, mut values) = choices(data);
    if random.one_in(4) { written(&mut random, &mut values) } else { read(&mut random) }
}

fn read(random: &mut Random) {
    let (name, bytes) = test_file(random);
    let Ok(file) = ParquetFile::from_bytes(bytes.clone()) else { return };
    let Some(of) = some_scan(random, &file) else { return };
    let alone = of(file.scan()).build().and_then(|scan| scan.read_all());
    let scan = of(file.scan()).pool(pool()).build();
    if random.one_in(8) {
        // Dropped half way.
        return drop(scan.map(|scan| scan.take(random.below(3)).count()));
    }
    let together = scan.and_then(|scan| match random.one_in(2) {
        true => scan.read_all(),
        false => scan.collect(),
    });
    match (alone, together) {
        (Ok(alone), Ok(together)) => {
            let rows = |batches: &[_]| batches.first().map(|first: &arrow_array::RecordBatch| concat_batches(&first.schema(), batches));
            let [alone, together] = [alone, together].map(|batches| rows(&batches).map(|rows| rows.expect("batches of one schema")));
            assert!(alone == together, "{name}: other rows on several threads");
        }
        (Err(one), Err(other)) => assert_eq!(one.kind(), other.kind(), "{name}: {one}; on several threads {other}"),
        (one, other) => panic!("{name}: {:?} alone, {:?} on several threads", one.map(drop), other.map(drop)),
    }
}

fn written(random: &mut Random, values: &mut Random) {
    let (schema, batches) = batches(random, values);
    let options = options::any(random, &schema);
    let write = |threads| {
        let options = options.clone().threads(threads).build().expect("options that go together");
        let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), options).expect("a schema that can be written");
        if threads != Some(1) {
            writer = writer.in_pool(pool());
        }
        batches.iter().for_each(|batch| writer.write(batch).expect("a batch of the schema"));
        writer.close_into().expect("memory takes all that is written to it").1
    };
    assert!(write(Some(1)) == write(None), "another file on several threads");
}
