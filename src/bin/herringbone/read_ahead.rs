//! A remote file of which it is known what will be read: requests for that go on, several at once, while what came before is looked at.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use herringbone::read::{AsyncSource, FetchOptions, Source};
use herringbone::{Error, Result};
use tokio::runtime::Runtime;

/// A blocking source over an asynchronous one. What is expected is requested in the order of the file, and what is read before its turn has come, at
/// once; what nobody expected is requested when it is read.
pub struct ReadAhead {
    shared: Arc<Shared>,
}

struct Shared {
    source: Arc<dyn AsyncSource>,
    size: u64,
    /// From where on bytes are there without a request.
    here: u64,
    costs: FetchOptions,
    runtime: &'static Runtime,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What will be read and was not requested yet, ascending: requests, and what of their bytes is wanted.
    plan: VecDeque<Block>,
    /// What was requested and is not all read; then what was all read, the last at the end.
    unread: Vec<Arc<Block>>,
    read: VecDeque<Arc<Block>>,
    /// Of these, what waits for its turn, and how many requests are under way.
    waiting: VecDeque<Arc<Block>>,
    running: usize,
}

/// A request.
struct Block {
    range: Range<u64>,
    /// What of it is wanted and was not read.
    left: Mutex<Vec<Range<u64>>>,
    answer: Mutex<Option<Result<Bytes>>>,
    arrived: Condvar,
}

/// So many requests are kept of which everything was read: a page may begin in one and end in the next.
const KEPT: usize = 4;

impl ReadAhead {
    /// Reads from a source of `size` bytes, which has those from `here` on already, with requests on the threads of `runtime`.
    pub fn new(source: Arc<dyn AsyncSource>, size: u64, here: u64, runtime: &'static Runtime) -> Self {
        let costs = source.costs();
        Self { shared: Arc::new(Shared { source, size, here, costs, runtime, state: Mutex::default() }) }
    }

    /// Says what will be read, in place of what was said before. The first requests are made with the first read.
    pub fn expect(&self, ranges: impl IntoIterator<Item = Range<u64>>) {
        let mut ranges: Vec<Range<u64>> = ranges.into_iter().collect();
        ranges.iter_mut().for_each(|range| range.end = range.end.min(self.shared.here));
        ranges.retain(|range| range.start < range.end);
        ranges.sort_unstable_by_key(|range| range.start);
        let requests = self.shared.costs.requests(ranges.clone());
        let mut inside = vec![Vec::new(); requests.len()];
        for range in &ranges {
            let first = requests.partition_point(|request| request.end <= range.start);
            let touched = requests.iter().zip(&mut inside).skip(first).take_while(|(request, _)| request.start < range.end);
            touched.for_each(|(request, parts)| parts.push(both(range, request)));
        }
        self.shared.lock().plan = requests.into_iter().zip(inside).map(|(request, parts)| Block::new(request, parts)).collect();
    }
}

impl Source for ReadAhead {
    fn size(&self) -> Result<u64> {
        Ok(self.shared.size)
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let blocks = self.shared.request(&range);
        let mut parts = Vec::with_capacity(blocks.len());
        for block in &blocks {
            match block.wait() {
                Ok(bytes) => parts.push((block.range.start, bytes)),
                Err(error) => {
                    self.shared.forget(block);
                    return Err(error);
                }
            }
        }
        let bytes = assemble(&range, &parts)?;
        self.shared.finish(&range, &blocks);
        Ok(bytes)
    }

    fn window(&self) -> u64 {
        self.shared.costs.request_bytes
    }
}

/// Nothing more is requested when nobody reads any more.
impl Drop for ReadAhead {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.plan.clear();
        state.waiting.clear();
    }
}

impl Block {
    fn new(range: Range<u64>, wanted: Vec<Range<u64>>) -> Self {
        Self { range, left: Mutex::new(wanted), answer: Mutex::default(), arrived: Condvar::new() }
    }

    fn wait(&self) -> Result<Bytes> {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answer = self.arrived.wait_while(answer, |answer| answer.is_none()).unwrap_or_else(PoisonError::into_inner);
        match &*answer {
            Some(Ok(bytes)) => Ok(bytes.clone()),
            // The one who waited first says what it was.
            _ => answer.replace(Err(lost())).unwrap_or_else(|| Err(lost())),
        }
    }

    /// Notes that a range was read; whether all that is wanted was by now.
    fn note(&self, read: &Range<u64>) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.iter().flat_map(|part| [part.start..part.end.min(read.start), part.start.max(read.end)..part.end]).collect();
        left.retain(|part| part.start < part.end);
        left.is_empty()
    }

    fn length(&self) -> u64 {
        self.range.end - self.range.start
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The requests, in order, whose answers hold a range; those that were not made are now, before all that wait.
    fn request(self: &Arc<Self>, range: &Range<u64>) -> Vec<Arc<Block>> {
        let mut state = self.lock();
        let touches = |block: &Block| !both(&block.range, range).is_empty();
        let mut blocks: Vec<Arc<Block>> = state.unread.iter().chain(&state.read).filter(|block| touches(block)).cloned().collect();
        let (now, later) = std::mem::take(&mut state.plan).into_iter().partition(touches);
        state.plan = later;
        let now: VecDeque<Block> = now;
        let mut new: Vec<Arc<Block>> = now.into_iter().map(Arc::new).collect();
        blocks.extend(new.iter().cloned());
        blocks.sort_by_key(|block| block.range.start);
        let mut at = range.start;
        let mut missing = Vec::new();
        for block in &blocks {
            missing.push(at..block.range.start);
            at = at.max(block.range.end);
        }
        missing.push(at..range.end);
        missing.retain(|range| range.start < range.end);
        let unexpected = missing.into_iter().flat_map(|range| self.costs.requests(vec![range]));
        let unexpected: Vec<Arc<Block>> = unexpected.map(|range| Arc::new(Block::new(range.clone(), vec![range]))).collect();
        new.extend(unexpected.iter().cloned());
        blocks.extend(unexpected);
        blocks.sort_by_key(|block| block.range.start);
        state.unread.extend(new.iter().cloned());
        new.into_iter().rev().for_each(|block| state.waiting.push_front(block));
        self.go_on(&mut state);
        blocks
    }

    /// Notes what was read, and makes further requests in its place.
    fn finish(self: &Arc<Self>, range: &Range<u64>, blocks: &[Arc<Block>]) {
        let mut state = self.lock();
        for block in blocks {
            if block.note(range)
                && let Some(place) = state.unread.iter().position(|unread| Arc::ptr_eq(unread, block))
            {
                let block = state.unread.remove(place);
                state.read.push_back(block);
            }
        }
        let beyond = state.read.len().saturating_sub(KEPT);
        state.read.drain(..beyond);
        self.go_on(&mut state);
    }

    /// A request that failed is made again if its bytes are wanted again.
    fn forget(&self, block: &Arc<Block>) {
        let mut state = self.lock();
        if let Some(place) = state.unread.iter().position(|unread| Arc::ptr_eq(unread, block)) {
            state.unread.remove(place);
            let left = block.left.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let place = state.plan.partition_point(|planned| planned.range.start < block.range.start);
            state.plan.insert(place, Block::new(block.range.clone(), left));
        }
    }

    /// Plans as far ahead as there is room for, and makes as many requests as may be under way.
    fn go_on(self: &Arc<Self>, state: &mut State) {
        let mut held: u64 = state.unread.iter().map(|block| block.length()).sum();
        while state.running + state.waiting.len() < self.costs.in_flight_requests
            && let Some(next) = state.plan.front()
            && held + next.length() <= self.costs.in_flight_bytes
        {
            held += next.length();
            let next = state.plan.pop_front().map(Arc::new);
            state.unread.extend(next.clone());
            state.waiting.extend(next);
        }
        while state.running < self.costs.in_flight_requests.max(1)
            && let Some(block) = state.waiting.pop_front()
        {
            state.running += 1;
            let shared = Arc::clone(self);
            self.runtime.spawn(async move {
                let under_way = UnderWay { shared, block };
                let answer = under_way.shared.source.read(under_way.block.range.clone()).await;
                under_way.put(answer);
            });
        }
    }
}

/// A request whose answer comes, whatever happens to it.
struct UnderWay {
    shared: Arc<Shared>,
    block: Arc<Block>,
}

impl UnderWay {
    fn put(&self, answer: Result<Bytes>) {
        self.block.answer.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(answer);
        self.block.arrived.notify_all();
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.put(Err(lost()));
        let mut state = self.shared.lock();
        state.running -= 1;
        self.shared.go_on(&mut state);
    }
}

fn both(a: &Range<u64>, b: &Range<u64>) -> Range<u64> {
    a.start.max(b.start)..a.end.min(b.end)
}

/// The bytes of a range, of parts in order that touch or overlap.
fn assemble(range: &Range<u64>, parts: &[(u64, Bytes)]) -> Result<Bytes> {
    let mut bytes = BytesMut::new();
    let mut at = range.start;
    for (start, part) in parts {
        let inside = at.max(*start)..range.end.min(start + part.len() as u64);
        if inside.start != at || inside.is_empty() {
            continue;
        }
        let slice = part.slice((inside.start - start) as usize..(inside.end - start) as usize);
        if inside == *range {
            return Ok(slice);
        }
        bytes.extend_from_slice(&slice);
        at = inside.end;
    }
    match at == range.end {
        true => Ok(bytes.freeze()),
        false => Err(std::io::Error::other("the source gave fewer or more bytes than asked for").into()),
    }
}

fn lost() -> Error {
    std::io::Error::other("a request for these bytes failed").into()
}

#[cfg(test)]
mod tests {
    use std::iter::once;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures_core::future::BoxFuture;
    use tokio::runtime::Builder;

    use super::*;

    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

    /// Takes its time, and counts.
    #[derive(Default)]
    struct Slow {
        requests: AtomicUsize,
        under_way: AtomicUsize,
        most: AtomicUsize,
        /// The request of this number fails.
        fails: Option<usize>,
    }

    const SIZE: u64 = 10_000;

    fn content(range: Range<u64>) -> Vec<u8> {
        range.map(|at| (at % 251) as u8).collect()
    }

    /// As an implementation of another type, so that the test can look at it.
    struct Shown(Arc<Slow>, usize);

    impl AsyncSource for Shown {
        fn size(&self) -> BoxFuture<'_, Result<u64>> {
            Box::pin(async { Ok(SIZE) })
        }

        fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
            Box::pin(async move {
                let number = self.0.requests.fetch_add(1, Ordering::SeqCst);
                let under_way = self.0.under_way.fetch_add(1, Ordering::SeqCst) + 1;
                self.0.most.fetch_max(under_way, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                self.0.under_way.fetch_sub(1, Ordering::SeqCst);
                match self.0.fails == Some(number) {
                    true => Err(std::io::Error::other("out of order").into()),
                    false => Ok(content(range).into()),
                }
            })
        }

        fn costs(&self) -> FetchOptions {
            FetchOptions { gap: 50, request_bytes: 1_000, in_flight_bytes: 4_000, in_flight_requests: self.1, ..FetchOptions::remote() }
        }
    }

    fn source(fails: Option<usize>, at_once: usize) -> (ReadAhead, Arc<Slow>) {
        let slow = Arc::new(Slow { fails, ..Slow::default() });
        (ReadAhead::new(Arc::new(Shown(Arc::clone(&slow), at_once)), SIZE, SIZE, &RUNTIME), slow)
    }

    #[test]
    fn what_is_expected_is_requested_once_and_ahead() {
        for at_once in [1, 3] {
            let (source, slow) = source(None, at_once);
            source.expect(once(0..SIZE));
            for range in (0..SIZE).step_by(100).map(|start| start..start + 100) {
                assert_eq!(source.read(range.clone()).unwrap(), content(range));
            }
            assert_eq!(slow.requests.load(Ordering::SeqCst), 10);
            assert_eq!(slow.most.load(Ordering::SeqCst), at_once);
        }
    }

    #[test]
    fn ranges_come_in_any_order_and_twice() {
        let (source, slow) = source(None, 3);
        source.expect(vec![0..900, 2_000..2_400, 9_000..9_500]);
        for range in [9_100..9_200, 300..900, 800..2_100, 0..1, 5_000..7_500, 2_050..2_400, 9_000..9_500, 4_000..4_000] {
            assert_eq!(source.read(range.clone()).unwrap(), content(range));
        }
        // Three that were expected; what lies between two of them; three for what is longer than a request.
        assert_eq!(slow.requests.load(Ordering::SeqCst), 3 + 2 + 3);
        assert!(source.read(SIZE - 1..SIZE).is_ok());
    }

    #[test]
    fn a_request_that_failed_is_an_error_and_can_be_made_again() {
        let (source, slow) = source(Some(1), 2);
        source.expect(once(0..3_000));
        assert_eq!(source.read(0..500).unwrap(), content(0..500));
        assert!(source.read(500..1_500).unwrap_err().to_string().contains("out of order"));
        assert_eq!(source.read(500..1_500).unwrap(), content(500..1_500));
        assert_eq!(source.read(1_500..3_000).unwrap(), content(1_500..3_000));
        assert_eq!(slow.requests.load(Ordering::SeqCst), 4);
    }

    #[test]
    fn threads_read_what_others_wait_for() {
        let (source, slow) = source(None, 4);
        source.expect(once(0..SIZE));
        std::thread::scope(|scope| {
            for thread in 0..5 {
                let source = &source;
                scope.spawn(move || {
                    for range in (thread * 2_000..thread * 2_000 + 2_000).step_by(50).map(|start| start..start + 50) {
                        assert_eq!(source.read(range.clone()).unwrap(), content(range));
                    }
                });
            }
        });
        assert_eq!(slow.requests.load(Ordering::SeqCst), 10);
        assert!(slow.most.load(Ordering::SeqCst) > 1);
    }
}
