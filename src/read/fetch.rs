//! Which ranges of bytes are worth one request.

use std::ops::Range;

use crate::read::spans::Spans;

/// What a source's requests cost, and so how the bytes that a plan needs are put together to requests.
///
/// A request costs its latency, and bytes that nobody wants cost their share of the bandwidth. Two ranges become one request
/// where the gap between them takes less time than a second request would: about latency × bandwidth bytes.
///
/// ```
/// use herringbone::read::FetchOptions;
///
/// let costs = FetchOptions { gap: 100, request_bytes: 1_000, ..FetchOptions::remote() };
/// assert_eq!(costs.requests(vec![500..600, 0..200, 250..300]), [0..300, 500..600]);
/// // Large ranges are split, so that their parts can come beside each other.
/// assert_eq!(costs.requests(vec![0..2_500]), [0..834, 834..1_668, 1_668..2_500]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchOptions {
    /// Gaps of up to so many bytes between two ranges are fetched along with them. 16 KiB locally, 4 MiB remotely, which is
    /// 40 milliseconds at 100 MB/s.
    pub gap: u64,
    /// The bytes of a request from which on it is split, and up to which the bytes of several row groups are put together.
    /// 8 MiB locally, 16 MiB remotely.
    pub request_bytes: u64,
    /// How much of a file's end is fetched first, in the hope that the footer is in it. 64 KiB locally, 512 KiB remotely.
    pub footer_bytes: u64,
    /// How many bytes may be on their way, or here and not decoded yet, before nothing more is fetched ahead. What the next
    /// batch needs is always fetched. 64 MiB locally, 128 MiB remotely.
    pub in_flight_bytes: u64,
    /// How many requests may be on their way at once. 4 locally, 16 remotely.
    pub in_flight_requests: usize,
}

/// About the most parts that ranges are split into.
const MOST_REQUESTS: u64 = 1 << 20;

impl FetchOptions {
    /// For local disks.
    pub fn local() -> Self {
        Self { gap: 16 << 10, request_bytes: 8 << 20, footer_bytes: 64 << 10, in_flight_bytes: 64 << 20, in_flight_requests: 4 }
    }

    /// For object stores and other machines.
    pub fn remote() -> Self {
        Self { gap: 4 << 20, request_bytes: 16 << 20, footer_bytes: 512 << 10, in_flight_bytes: 128 << 20, in_flight_requests: 16 }
    }

    /// The requests that fetch these ranges, in any order: ascending, not overlapping, neighbours together and large ones
    /// split into equal parts, which are larger than asked for where there would be more than a million.
    pub fn requests(&self, ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
        let mut requests = Vec::new();
        let runs = self.coalesced(ranges);
        // A source may say that it has any size.
        let all = runs.iter().map(|run| run.end.saturating_sub(run.start)).fold(0, u64::saturating_add);
        let most = self.request_bytes.max(all / MOST_REQUESTS).max(1);
        for run in runs {
            let length = run.end.saturating_sub(run.start);
            let parts = length.div_ceil(most).max(1);
            let part = length.div_ceil(parts).max(1);
            let mut start = run.start;
            while start < run.end {
                let end = start.saturating_add(part).min(run.end);
                requests.push(start..end);
                start = end;
            }
        }
        requests
    }

    /// The ranges in order, with the gaps that are worth it.
    fn coalesced(&self, mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
        ranges.retain(|range| range.start < range.end);
        ranges.sort_unstable_by_key(|range| range.start);
        let mut runs: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match runs.last_mut() {
                Some(run) if range.start <= run.end || self.is_worth_it(run, &range) => run.end = run.end.max(range.end),
                _ => runs.push(range),
            }
        }
        runs
    }

    /// Whether the gap before a range is fetched along. A request that is split anyhow gains nothing by it.
    fn is_worth_it(&self, run: &Range<u64>, next: &Range<u64>) -> bool {
        next.start.saturating_sub(run.end) <= self.gap && next.end.saturating_sub(run.start) <= self.request_bytes
    }
}

/// The parts of `ranges` that none of `present` covers: ascending, without overlaps.
#[cfg_attr(not(feature = "async"), allow(dead_code))]
pub(crate) fn without(ranges: Vec<Range<u64>>, present: impl IntoIterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    Spans::of(present).missing(ranges)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(ranges: &[Range<u64>]) -> std::collections::BTreeSet<u64> {
        ranges.iter().cloned().flatten().collect()
    }

    proptest! {
        #[test]
        fn requests_cover_what_is_wanted_and_no_large_gaps(
            wanted in prop::collection::vec((0..2_000_u64, 0..120_u64), 0..20),
            gap in 0..100_u64,
            request_bytes in 1..500_u64,
        ) {
            let ranges: Vec<_> = wanted.into_iter().map(|(start, length)| start..start + length).collect();
            let options = FetchOptions { gap, request_bytes, ..FetchOptions::local() };
            let requests = options.requests(ranges.clone());
            prop_assert!(bytes(&ranges).is_subset(&bytes(&requests)));
            for pair in requests.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start);
            }
            for request in &requests {
                prop_assert!(request.start < request.end && request.end - request.start <= request_bytes);
                let unwanted: Vec<u64> = bytes(std::slice::from_ref(request)).difference(&bytes(&ranges)).copied().collect();
                let longest = unwanted.chunk_by(|a, b| a + 1 == *b).map(<[u64]>::len).max().unwrap_or(0);
                prop_assert!(longest as u64 <= gap);
            }
        }

        #[test]
        fn what_is_missing_is_what_is_not_present(
            wanted in prop::collection::vec((0..200_u64, 0..50_u64), 0..5),
            present in prop::collection::vec((0..200_u64, 0..50_u64), 0..5),
        ) {
            let range = |(start, length): (u64, u64)| start..start + length;
            let wanted: Vec<_> = wanted.into_iter().map(range).collect();
            let present: Vec<_> = present.into_iter().map(range).collect();
            let missing = without(wanted.clone(), present.clone());
            let expected: std::collections::BTreeSet<u64> = bytes(&wanted).difference(&bytes(&present)).copied().collect();
            prop_assert_eq!(bytes(&missing), expected);
            prop_assert!(missing.iter().all(|range| range.start < range.end));
        }
    }

    #[test]
    fn a_source_of_any_size_is_asked_for_about_a_million_parts_at_the_most() {
        let options = FetchOptions { request_bytes: 1, ..FetchOptions::local() };
        for ranges in [std::iter::once(0..1 << 62).collect(), vec![0..1 << 40, 1 << 50..1 << 60]] {
            let requests = options.requests(ranges.clone());
            assert!(requests.len() <= MOST_REQUESTS as usize + ranges.len() + 1, "{} requests", requests.len());
            assert_eq!(without(ranges, requests), Vec::new());
        }
    }
}
