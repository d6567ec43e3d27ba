//! The command reads addresses by several requests at once.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use bytes::Bytes;
use herringbone::write::{ColumnOptions, WriterOptions};

/// A server of HTTP that has one file under every path, and takes its time to answer.
struct Server {
    address: String,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    requests: AtomicUsize,
    under_way: AtomicUsize,
    /// The most requests that were under way at once.
    most: AtomicUsize,
}

impl Server {
    fn new(file: Bytes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let log = Arc::new(Log::default());
        let shared = Arc::clone(&log);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (file, log) = (file.clone(), Arc::clone(&shared));
                // A client that is gone needs no answer.
                std::thread::spawn(move || client.and_then(|client| serve(&client, &file, &log)));
            }
        });
        Self { address, log }
    }

    /// What the command prints, how many requests it made, and how many at once.
    fn run(&self, arguments: &[&str]) -> (String, usize, usize) {
        let before = self.log.requests.load(Ordering::SeqCst);
        self.log.most.store(0, Ordering::SeqCst);
        let arguments = arguments.iter().map(|argument| argument.replace("SERVER", &self.address));
        let output = Command::new(env!("CARGO_BIN_EXE_herringbone")).args(arguments).output().expect("the command");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).expect("text");
        (printed, self.log.requests.load(Ordering::SeqCst) - before, self.log.most.load(Ordering::SeqCst))
    }
}

/// Answers the requests of one connection.
fn serve(client: &TcpStream, file: &Bytes, log: &Log) -> std::io::Result<()> {
    let mut lines = BufReader::new(client).lines();
    loop {
        let mut wanted = 0..file.len();
        let mut is_first = true;
        loop {
            let Some(line) = lines.next().transpose()? else { return Ok(()) };
            if line.is_empty() && !is_first {
                break;
            }
            is_first = false;
            if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
                wanted = parse(range, file.len());
            }
        }
        log.requests.fetch_add(1, Ordering::SeqCst);
        let under_way = log.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        log.most.fetch_max(under_way, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(60));
        let (Range { start, end }, size) = (wanted, file.len());
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{}/{size}\r\nContent-Length: {}\r\nETag: \"one\"\r\n\r\n",
            end - 1,
            end - start
        );
        let mut answer = client;
        let sent = answer.write_all(head.as_bytes()).and_then(|()| answer.write_all(&file[start..end]));
        log.under_way.fetch_sub(1, Ordering::SeqCst);
        sent?;
    }
}

/// `first-last` or `-length`.
fn parse(range: &str, size: usize) -> Range<usize> {
    let number = |text: &str| text.trim().parse::<usize>().expect("a number");
    match range.split_once('-').expect("a range") {
        ("", length) => size.saturating_sub(number(length))..size,
        (first, last) => number(first)..(number(last) + 1).min(size),
    }
}

const ROWS: i64 = 1_000_000;

/// Three row groups of two columns, 16 MB that no codec makes smaller.
static FILE: LazyLock<Bytes> = LazyLock::new(|| {
    let column = |salt: i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..ROWS).map(|row| (row ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64))))
    };
    let batch = RecordBatch::try_from_iter([("a", column(0)), ("b", column(0x55))]).expect("a batch");
    let columns = ColumnOptions::new().dictionary(false);
    let options = WriterOptions::builder().columns(columns).row_group_rows(350_000).build().expect("options");
    super::written(&batch, options)
});

#[test]
fn requests_of_scans_overlap() {
    let server = Server::new(FILE.clone());
    let out = tempfile::tempdir().expect("a folder");
    let parquet = out.path().join("out.parquet");
    let parquet = parquet.to_str().expect("a path of text");
    let conversion = ["convert", "SERVER/folder/file.parquet", parquet];
    let condition = ["count", "SERVER/file.parquet", "--where", "a < 0 AND b > 0"];
    for command in [conversion.as_slice(), &condition] {
        let (_, requests, most) = server.run(command);
        assert!((3..=8).contains(&requests), "{requests} requests of {command:?}");
        assert!(most > 1, "{most} at once of {requests} requests of {command:?}");
        let (_, _, most) = server.run(&[command, &["--requests", "1"]].concat());
        assert_eq!(most, 1, "{command:?}");
    }
    let local = out.path().join("local.parquet");
    std::fs::write(&local, &*FILE).expect("a file");
    let (here, requests, _) = server.run(&["count", local.to_str().expect("text"), "--where", "a < 0 AND b > 0"]);
    assert_eq!(requests, 0);
    assert_eq!(server.run(&condition).0, here);
    assert_eq!(server.run(&["count", parquet]).0.trim(), ROWS.to_string());
}

#[test]
fn large_reads_without_a_scan_are_several_requests() {
    let server = Server::new(FILE.clone());
    let out = tempfile::tempdir().expect("a folder");
    let local = out.path().join("local.parquet");
    std::fs::write(&local, &*FILE).expect("a file");
    let local = local.to_str().expect("text");
    let merged = out.path().join("merged.parquet");
    let merged = merged.to_str().expect("text");
    // The file has 16 MB: beside its end, two or three requests of at most 8 MiB, and not one for each chunk and index.
    let verify = ["verify", "--strict", "FILE"];
    let pages = ["pages", "--column", "b", "FILE"];
    let merge = ["merge", merged, "FILE", "FILE"];
    let rewrite = ["rewrite", "FILE", merged, "--columns", "b"];
    let page_index = ["meta", "--json", "--page-index", "FILE"];
    let schema = ["schema", "FILE"];
    for (command, most) in [(&verify[..], 4), (&pages, 4), (&merge, 8), (&rewrite, 5), (&page_index, 1), (&schema, 1)] {
        let of = |file: &str| command.iter().map(|word| word.replace("FILE", file)).collect::<Vec<_>>();
        let run = |words: Vec<String>| server.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let (found, requests, at_once) = run(of("SERVER/file.parquet"));
        assert!((1..=most).contains(&requests), "{requests} requests of {command:?}");
        assert!(at_once > 1 || requests < 3, "{at_once} at once of {requests} requests of {command:?}");
        let written = std::fs::read(merged).ok();
        let (here, none, _) = run(of(local));
        assert_eq!(none, 0, "{command:?}");
        assert_eq!(found.replace(&server.address, "").replace("/file.parquet", ""), here.replace(local, ""), "{command:?}");
        assert!(written == std::fs::read(merged).ok(), "{command:?}");
        let (_, again, at_once) = run([of("SERVER/file.parquet"), vec!["--requests".to_owned(), "1".to_owned()]].concat());
        assert_eq!((again, at_once), (requests, 1), "{command:?}");
    }
}

#[test]
fn several_files_are_opened_at_once() {
    let server = Server::new(FILE.clone());
    let files: Vec<String> = (0..6).map(|file| format!("SERVER/{file}.parquet")).collect();
    let arguments: Vec<&str> = ["count"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let (printed, requests, most) = server.run(&arguments);
    assert!(printed.contains(&(6 * ROWS).to_string()), "{printed}");
    assert_eq!(requests, 6);
    assert!(most > 2, "{most} at once");
    let (again, requests, most) = server.run(&[&arguments[..], &["--requests", "1"]].concat());
    assert_eq!((again, requests, most), (printed, 6, 1));
    let (printed, ..) = server.run(&["cat", "--limit", "3", "--format", "csv", &files[0], &files[1]]);
    assert_eq!(printed.lines().count(), 4);
}
