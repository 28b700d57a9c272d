//! Exact quantiles of integers.

/// The `numerator`/`denominator` quantile: the smallest value with at least that share of the values
/// at or below it (inverse of the empirical distribution function; Hyndman & Fan's type 1). The
/// least value for a share of 0; `None` for no values, and for a share above 1.
pub fn quantile(values: &[i64], numerator: u64, denominator: u64) -> Option<i64> {
    quantile_of(values.to_vec(), numerator, denominator)
}

/// As [`quantile`], of values that nobody needs any more.
pub fn quantile_of(mut values: Vec<i64>, numerator: u64, denominator: u64) -> Option<i64> {
    let rank = quantile_rank(values.len(), numerator, denominator)?;
    let (_, value, _) = values.select_nth_unstable(rank);
    Some(*value)
}

/// Where a quantile stands among `n` values in ascending order, from 0; see [`quantile`].
pub fn quantile_rank(n: usize, numerator: u64, denominator: u64) -> Option<usize> {
    if n == 0 || numerator > denominator || denominator == 0 {
        return None;
    }
    let rank = (n as u128 * u128::from(numerator)).div_ceil(u128::from(denominator));
    Some((rank.max(1) - 1) as usize)
}

/// The median: the middle value, or half the sum of the two middle values, which may be a half;
/// `None` for no values.
pub fn median(values: &[i64]) -> Option<f64> {
    median_of(values.to_vec())
}

/// As [`median`], of values that nobody needs any more.
pub fn median_of(mut values: Vec<i64>) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    let odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable(middle);
    let upper = *upper;
    if odd {
        return Some(upper as f64);
    }
    let lower = below.iter().copied().max().unwrap_or(upper);
    Some((i128::from(lower) + i128::from(upper)) as f64 / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correctness_quantiles_are_values_of_the_data() {
        let values = [40, 10, 30, 20];
        let found = [(0, 4), (1, 4), (1, 2), (3, 4), (9, 10), (1, 1)]
            .map(|(n, d)| quantile(&values, n, d).unwrap());
        assert_eq!(found, [10, 10, 20, 30, 40, 40]);
    }

    #[test]
    fn correctness_medians() {
        assert_eq!(median(&[3, 1, 2]), Some(2.0));
        assert_eq!(median(&[4, 1, 3, 2]), Some(2.5));
        assert_eq!(median(&[i64::MAX, i64::MAX]), Some(i64::MAX as f64));
    }

    #[test]
    fn inputchecks_nothing_has_no_quantile() {
        assert_eq!(median(&[]), None);
        assert_eq!(quantile(&[], 1, 2), None);
        assert_eq!(quantile(&[1], 3, 2), None);
    }
}
