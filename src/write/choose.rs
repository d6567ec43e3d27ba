//! Whether a dictionary pays, told from a sample of the first values of a column chunk.
//!
//! How many different values the whole chunk has is estimated from how many the sample has: as if values were drawn at
//! random from so many, unless the second half of the sample brings more new ones than that could. Then the data is sorted
//! or clustered and new values keep coming at the rate of the sample.

/// What is known of the first values of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// How many values there are.
    pub(crate) values: usize,
    /// How many of them are different.
    pub(crate) distinct: usize,
    /// How many of those came in the first half.
    pub(crate) distinct_in_half: usize,
    /// The bytes of the different ones in a dictionary page.
    pub(crate) dictionary_bytes: usize,
    /// The bytes of all without a dictionary.
    pub(crate) direct_bytes: usize,
}

/// What a dictionary page costs beside its entries: a header and its share of the metadata.
const PAGE_COST: f64 = 40.0;

/// Whether the dictionary is the smaller way to write `total` values, given that it may take `limit` bytes.
pub(crate) fn dictionary_pays(sample: &Sample, total: u64, limit: usize) -> bool {
    if sample.values == 0 || sample.distinct == 0 {
        return false;
    }
    let total = (total as f64).max(sample.values as f64);
    let direct = sample.direct_bytes as f64 / sample.values as f64;
    let entry = sample.dictionary_bytes as f64 / sample.distinct as f64;
    let (distinct, clustered) = estimate(sample, total);
    let room = if entry > 0.0 { limit as f64 / entry } else { f64::INFINITY };
    // How many values are written before the dictionary is full.
    let covered = match (distinct <= room, clustered) {
        (true, _) => total,
        (false, true) => total * room / distinct,
        (false, false) => (-distinct * (1.0 - room / distinct).ln()).min(total),
    };
    let entries = distinct.min(room);
    let index_bits = (entries - 1.0).max(1.0).log2().floor() + 1.0;
    let with = PAGE_COST + entries * entry + covered * index_bits / 8.0 + (total - covered) * direct;
    with < total * direct
}

/// The number of different values among `total`, and whether values are clustered.
fn estimate(sample: &Sample, total: f64) -> (f64, bool) {
    let (values, distinct) = (sample.values as f64, sample.distinct as f64);
    if total <= values {
        return (distinct, false);
    }
    let expected = |population: f64, drawn: f64| population * -(-drawn / population).exp_m1();
    // All different: as many again with every value, as far as the sample knows.
    if distinct >= values {
        return (total, false);
    }
    // The expected number grows with the population.
    let (mut low, mut high) = (distinct, values * values);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if expected(middle, values) < distinct { low = middle } else { high = middle }
    }
    let clustered = (sample.distinct_in_half as f64) < 0.8 * expected(high, values / 2.0);
    match clustered {
        true => (distinct * total / values, true),
        false => (expected(high, total).max(distinct), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: impl Iterator<Item = u64>, n: usize, width: usize) -> Sample {
        let values: Vec<u64> = values.take(n).collect();
        let distinct = |values: &[u64]| values.iter().collect::<std::collections::HashSet<_>>().len();
        let all = distinct(&values);
        Sample {
            values: n,
            distinct: all,
            distinct_in_half: distinct(&values[..n / 2]),
            dictionary_bytes: all * width,
            direct_bytes: n * width,
        }
    }

    fn random(population: u64) -> impl Iterator<Item = u64> {
        let mut state = 7_u64;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % population
        })
    }

    #[test]
    fn populations_are_estimated() {
        for population in [1, 10, 1000, 10_000, 100_000] {
            let (distinct, clustered) = estimate(&sample(random(population), 8192, 8), 1e7);
            let population = population as f64;
            assert!(!clustered && distinct > population * 0.7 && distinct < population * 1.4, "{distinct} of {population}");
        }
        let (distinct, clustered) = estimate(&sample((0..).map(|i| i / 4), 8192, 8), 1e6);
        assert!(clustered && (distinct - 250_000.0).abs() < 1.0);
    }

    #[test]
    fn dictionaries_pay_when_values_repeat() {
        let pays = |sample: &Sample, total| dictionary_pays(sample, total, 1 << 20);
        assert!(pays(&sample(random(1000), 8192, 8), 1 << 20));
        assert!(pays(&sample(random(100_000), 8192, 8), 1 << 20));
        assert!(!pays(&sample(random(10_000_000), 8192, 8), 1 << 20));
        assert!(!pays(&sample(0.., 8192, 8), 1 << 20));
        // A few values of a small chunk, exactly.
        assert!(pays(&sample(random(10), 1000, 8), 1000));
        assert!(!pays(&sample(0.., 1000, 8), 1000));
        assert!(!pays(&sample(random(2), 3, 8), 3));
        // What fits a byte is not worth two.
        assert!(!pays(&sample(random(40_000), 8192, 1), 1 << 20));
    }
}
