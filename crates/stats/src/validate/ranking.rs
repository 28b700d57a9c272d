//! Figures that depend on the order of the predictions only (and Pearson's).

/// What happened, with what every candidate's figures need of it.
#[derive(Debug, Clone)]
pub(super) struct Actuals<'a> {
    /// One entry for each customer.
    pub(super) values: &'a [f64],
    ranks: Vec<f64>,
    /// Area of the ranking by the actuals themselves.
    perfect: Option<f64>,
}

impl<'a> Actuals<'a> {
    pub(super) fn new(values: &'a [f64]) -> Self {
        Self {
            values,
            ranks: mid_ranks(values),
            perfect: area(&sorted_pairs(values, values)),
        }
    }
}

/// Predictions beside actuals, in order of (prediction, actual).
pub(super) struct Ranked {
    /// Prediction and actual.
    pub(super) pairs: Vec<(f64, f64)>,
    /// Rank of the actual among the actuals.
    actual_ranks: Vec<f64>,
    perfect: Option<f64>,
}

impl Ranked {
    /// The slices must be of the same length.
    pub(super) fn new(predicted: &[f64], actuals: &Actuals<'_>) -> Self {
        let mut triples: Vec<(f64, f64, f64)> = predicted
            .iter()
            .zip(actuals.values)
            .zip(&actuals.ranks)
            .map(|((p, a), rank)| (p + 0.0, a + 0.0, *rank))
            .collect();
        triples.sort_unstable_by(|p, q| p.0.total_cmp(&q.0).then(p.1.total_cmp(&q.1)));
        let (pairs, actual_ranks) = triples.into_iter().map(|(p, a, r)| ((p, a), r)).unzip();
        Self {
            pairs,
            actual_ranks,
            perfect: actuals.perfect,
        }
    }

    pub(super) fn spearman(&self) -> Option<f64> {
        let mut before = 0;
        let mut ranks = Vec::with_capacity(self.pairs.len());
        for tie in ties(&self.pairs) {
            let rank = before as f64 + 0.5 * (tie.len() as f64 + 1.0);
            let own = &self.actual_ranks[before..before + tie.len()];
            ranks.extend(own.iter().map(|&actual| (rank, actual)));
            before += tie.len();
        }
        pearson_of(&ranks)
    }

    pub(super) fn gini(&self) -> Option<f64> {
        let (perfect, reached) = (self.perfect?, area(&self.pairs)?);
        (perfect > 0.0).then(|| reached / perfect)
    }
}

/// Pearson's correlation; `None` when either side does not vary or the slices differ in length.
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    (a.len() == b.len())
        .then(|| pearson_of(&sorted_pairs(a, b)))
        .flatten()
}

/// Pearson's correlation of sorted pairs.
pub(super) fn pearson_of(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.is_empty() {
        return None;
    }
    let n = pairs.len() as f64;
    let mean_a = pairs.iter().map(|p| p.0).sum::<f64>() / n;
    let mean_b = pairs.iter().map(|p| p.1).sum::<f64>() / n;
    let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        aa += (x - mean_a) * (x - mean_a);
        ab += (x - mean_a) * (y - mean_b);
        bb += (y - mean_b) * (y - mean_b);
    }
    (aa > 0.0 && bb > 0.0).then(|| (ab / (aa.sqrt() * bb.sqrt())).clamp(-1.0, 1.0))
}

/// Spearman's rank correlation, equal values with their mean rank; `None` as for [`pearson`].
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    pearson(&mid_ranks(a), &mid_ranks(b))
}

/// Area under the ROC curve: the probability that a customer with `actual` > 0 has a larger
/// prediction than one without, equal predictions counting half; `None` unless both kinds occur.
pub fn auc(predicted: &[f64], actual: &[f64]) -> Option<f64> {
    (predicted.len() == actual.len())
        .then(|| auc_of(&sorted_pairs(predicted, actual)))
        .flatten()
}

/// Area under the ROC curve of sorted pairs.
pub(super) fn auc_of(pairs: &[(f64, f64)]) -> Option<f64> {
    let (mut below, mut wins, mut positives) = (0.0, 0.0, 0.0);
    for tie in ties(pairs) {
        let positive = tie.iter().filter(|pair| pair.1 > 0.0).count() as f64;
        let negative = tie.len() as f64 - positive;
        wins += positive * (below + 0.5 * negative);
        below += negative;
        positives += positive;
    }
    (positives > 0.0 && below > 0.0).then(|| wins / (positives * below))
}

/// Gini of the actuals in the order of the predictions over their Gini in their own order: 1 for a
/// perfect ranking, 0 for a random one; `None` when the actuals do not vary or do not sum above 0.
pub fn normalised_gini(predicted: &[f64], actual: &[f64]) -> Option<f64> {
    (predicted.len() == actual.len())
        .then(|| Ranked::new(predicted, &Actuals::new(actual)).gini())
        .flatten()
}

/// Area between the curve of cumulated actuals (least prediction first) and the diagonal; a tie is a
/// straight line.
fn area(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let total: f64 = pairs.iter().map(|pair| pair.1).sum();
    if total.is_nan() || total <= 0.0 {
        return None;
    }
    let (mut reached, mut area) = (0.0, 0.0);
    for tie in ties(pairs) {
        let sum: f64 = tie.iter().map(|pair| pair.1).sum();
        area += tie.len() as f64 / n * (reached + 0.5 * sum) / total;
        reached += sum;
    }
    Some(0.5 - area)
}

/// Share of the actual total that the `percent` % of customers with the largest predictions have
/// (their number rounded up; where a tie crosses the edge, its mean for each place inside); `None`
/// unless the total is above 0.
pub fn top_share_capture(predicted: &[f64], actual: &[f64], percent: u8) -> Option<f64> {
    (predicted.len() == actual.len())
        .then(|| capture_of(&sorted_pairs(predicted, actual), percent))
        .flatten()
}

/// The same of sorted pairs.
pub(super) fn capture_of(pairs: &[(f64, f64)], percent: u8) -> Option<f64> {
    let total: f64 = pairs.iter().map(|pair| pair.1).sum();
    if total.is_nan() || total <= 0.0 {
        return None;
    }
    let mut places = (pairs.len() * usize::from(percent.min(100))).div_ceil(100);
    let mut captured = 0.0;
    for tie in ties(pairs).rev() {
        let inside = places.min(tie.len());
        let sum: f64 = tie.iter().map(|pair| pair.1).sum();
        captured += sum * inside as f64 / tie.len() as f64;
        places -= inside;
        if places == 0 {
            break;
        }
    }
    Some(captured / total)
}

/// Pairs in order of (first, second).
pub(super) fn sorted_pairs(a: &[f64], b: &[f64]) -> Vec<(f64, f64)> {
    // Adding zero turns −0 into 0, which would otherwise sort apart.
    let mut pairs: Vec<(f64, f64)> = a.iter().zip(b).map(|(x, y)| (x + 0.0, y + 0.0)).collect();
    pairs.sort_unstable_by(|p, q| p.0.total_cmp(&q.0).then(p.1.total_cmp(&q.1)));
    pairs
}

/// Runs of equal first values, in order.
fn ties(pairs: &[(f64, f64)]) -> impl DoubleEndedIterator<Item = &[(f64, f64)]> {
    pairs.chunk_by(|p, q| p.0 == q.0)
}

/// Ranks from 1, equal values with their mean rank.
fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&i, &j| (values[i] + 0.0).total_cmp(&(values[j] + 0.0)));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tie in order.chunk_by(|&i, &j| values[i] == values[j]) {
        let rank = before as f64 + 0.5 * (tie.len() as f64 + 1.0);
        for &i in tie {
            ranks[i] = rank;
        }
        before += tie.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn correctness_small_rankings() {
        let predicted = [0.1, 0.4, 0.35, 0.8];
        let actual = [0.0, 0.0, 1.0, 1.0];
        assert_eq!(auc(&predicted, &actual), Some(0.75));
        assert_eq!(auc(&[1.0; 4], &actual), Some(0.5));
        assert_eq!(auc(&predicted, &[1.0; 4]), None);
        let gini = |predicted: &[f64]| (normalised_gini(predicted, &actual).unwrap() * 1e9).round();
        assert_eq!([gini(&actual), gini(&[1.0; 4])], [1e9, 0.0]);
        assert_eq!(gini(&[3.0, 4.0, 1.0, 2.0]), -1e9);
        assert_eq!(top_share_capture(&predicted, &actual, 25), Some(0.5));
        assert_eq!(top_share_capture(&[1.0; 4], &actual, 25), Some(0.25));
        let rank = spearman(&[1.0, 2.0, 3.0], &[10.0, 30.0, 20.0]).unwrap();
        assert!((rank - 0.5).abs() < 1e-15);
        let line = pearson(&[1.0, 2.0], &[4.0, 8.0]).unwrap();
        assert!((line - 1.0).abs() < 1e-15);
        assert_eq!(pearson(&[1.0, 1.0], &[4.0, 8.0]), None);
    }

    proptest! {
        #[test]
        fn consistency_order_of_customers_changes_no_bit(
            pairs in prop::collection::vec((0_u8..5, 0_u8..4), 1..40),
            turn in 0_usize..40,
        ) {
            let split = |pairs: &[(u8, u8)]| -> (Vec<f64>, Vec<f64>) {
                pairs.iter().map(|&(p, a)| (f64::from(p) / 7.0, f64::from(a) / 3.0)).unzip()
            };
            let (predicted, actual) = split(&pairs);
            let mut turned = pairs.clone();
            turned.rotate_left(turn % pairs.len());
            turned.reverse();
            let (other, other_actual) = split(&turned);
            let all = |p: &[f64], a: &[f64]| {
                [pearson(p, a), spearman(p, a), auc(p, a), normalised_gini(p, a),
                 top_share_capture(p, a, 10)].map(|v| v.map(f64::to_bits))
            };
            prop_assert_eq!(all(&predicted, &actual), all(&other, &other_actual));
            // Figures that share one sorting are those of each alone.
            let ranked = Ranked::new(&predicted, &Actuals::new(&actual));
            let shared = [pearson_of(&ranked.pairs), ranked.spearman(), auc_of(&ranked.pairs),
                ranked.gini(), capture_of(&ranked.pairs, 10)].map(|v| v.map(f64::to_bits));
            prop_assert_eq!(all(&predicted, &actual), shared);
        }
    }
}
