//! The files of `testdata/` and work spread over them.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_select::concat::concat_batches;

/// A Parquet file and what reading it gives.
pub struct TestFile {
    /// Its name without the ending, such as `ints.plain-v1`.
    pub name: String,
    pub path: PathBuf,
    golden: PathBuf,
}

impl TestFile {
    /// The golden answer as one batch.
    pub fn golden(&self) -> RecordBatch {
        let file = fs::File::open(&self.golden).unwrap_or_else(|e| panic!("{}: {e}", self.golden.display()));
        let reader = FileReader::try_new(file, None).expect("an Arrow IPC file");
        let schema = reader.schema();
        let batches: Vec<RecordBatch> = reader.map(|batch| batch.expect("a readable batch")).collect();
        match <[RecordBatch; 1]>::try_from(batches) {
            Ok([batch]) => batch,
            Err(batches) => concat_batches(&schema, &batches).expect("batches of one schema"),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).expect("a readable file")
    }
}

/// Every file that can be read as a whole, by name.
pub fn all() -> Vec<TestFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).expect("the folder testdata") {
        let path = entry.expect("a readable entry").path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".parquet")) else { continue };
        let name = name.to_string();
        let own = folder.join(format!("{name}.arrow"));
        let table = folder.join(format!("{}.arrow", name.split('.').next().unwrap_or(&name)));
        files.push(TestFile { golden: if own.exists() { own } else { table }, name, path });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(files.len() > 200, "testdata has only {} files", files.len());
    files
}

/// Checks each item, on all cores; fails with every item's complaint, a panic counting as one.
pub fn for_each<T: Sync>(items: &[T], name: impl Fn(&T) -> String + Sync, check: impl Fn(&T) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    let work = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = catch_unwind(AssertUnwindSafe(|| check(item))).unwrap_or_else(|panic| Err(panic_message(&*panic)));
            if let Err(fault) = outcome {
                faults.lock().expect("no panic above").push(format!("{}: {fault}", name(item)));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut faults = faults.into_inner().expect("no panic above");
    faults.sort();
    assert!(faults.is_empty(), "{} of {} fail:\n{}", faults.len(), items.len(), faults.join("\n"));
}

/// What a panic said.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("PANIC: {}", said.unwrap_or("without a message"))
}
