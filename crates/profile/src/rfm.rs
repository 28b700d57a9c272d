//! Named RFM groups: which of the eleven names a cell of scores has.
//!
//! The recency score (rows) and the rounded mean of frequency and monetary scores (columns,
//! halves up) name the group; 5 is best everywhere:
//!
//! | R \ FM | 1 | 2 | 3 | 4 | 5 |
//! |---|---|---|---|---|---|
//! | 5 | new customers | potential loyalists | potential loyalists | champions | champions |
//! | 4 | promising | potential loyalists | potential loyalists | loyal customers | champions |
//! | 3 | about to sleep | about to sleep | need attention | loyal customers | loyal customers |
//! | 2 | hibernating | hibernating | at risk | at risk | at risk |
//! | 1 | lost | lost | at risk | cannot lose them | cannot lose them |

/// The three scores of a customer, each 1 to 5, 5 is best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RfmScores {
    /// How recently they ordered.
    pub recency: u8,
    /// How often they ordered.
    pub frequency: u8,
    /// How much they spent.
    pub monetary: u8,
}

const CELLS: [&str; 125] = cells();

/// The texts "111" to "555", so that a cell is a text without an allocation.
const fn cells() -> [&'static str; 125] {
    let mut names = [""; 125];
    let mut index = 0;
    while index < 125 {
        names[index] = CELL_TEXT.split_at(3 * index).1.split_at(3).0;
        index += 1;
    }
    names
}

const CELL_TEXT: &str = "111112113114115121122123124125131132133134135141142143144145151152153154155\
211212213214215221222223224225231232233234235241242243244245251252253254255\
311312313314315321322323324325331332333334335341342343344345351352353354355\
411412413414415421422423424425431432433434435441442443444445451452453454455\
511512513514515521522523524525531532533534535541542543544545551552553554555";

impl RfmScores {
    /// The cell: the three scores in a row, such as `543`.
    pub fn cell(self) -> &'static str {
        let step = |score: u8| usize::from(score.clamp(1, 5)) - 1;
        CELLS[step(self.recency) * 25 + step(self.frequency) * 5 + step(self.monetary)]
    }

    /// The name of the group, by the table of this module.
    pub fn group(self) -> &'static str {
        let frequency_monetary = (self.frequency + self.monetary).div_ceil(2);
        match (self.recency, frequency_monetary) {
            (5, 4..) | (4, 5..) => "champions",
            (4, 4) | (3, 4..) => "loyal_customers",
            (4.., 2 | 3) => "potential_loyalists",
            (5.., _) => "new_customers",
            (4, _) => "promising",
            (3, 3) => "need_attention",
            (3, _) => "about_to_sleep",
            (2, 3..) | (..=1, 3) => "at_risk_customers",
            (..=1, 4..) => "cannot_lose_them",
            (2, _) => "hibernating",
            (..=1, _) => "lost",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_named_by_its_scores() {
        for (r, f, m) in
            (1..=5).flat_map(|r| (1..=5).flat_map(move |f| (1..=5).map(move |m| (r, f, m))))
        {
            let scores = RfmScores {
                recency: r,
                frequency: f,
                monetary: m,
            };
            assert_eq!(scores.cell(), format!("{r}{f}{m}"));
        }
    }

    #[test]
    fn the_groups_follow_the_table() {
        let table = [
            (
                5,
                [
                    "new_customers",
                    "potential_loyalists",
                    "potential_loyalists",
                    "champions",
                    "champions",
                ],
            ),
            (
                4,
                [
                    "promising",
                    "potential_loyalists",
                    "potential_loyalists",
                    "loyal_customers",
                    "champions",
                ],
            ),
            (
                3,
                [
                    "about_to_sleep",
                    "about_to_sleep",
                    "need_attention",
                    "loyal_customers",
                    "loyal_customers",
                ],
            ),
            (
                2,
                [
                    "hibernating",
                    "hibernating",
                    "at_risk_customers",
                    "at_risk_customers",
                    "at_risk_customers",
                ],
            ),
            (
                1,
                [
                    "lost",
                    "lost",
                    "at_risk_customers",
                    "cannot_lose_them",
                    "cannot_lose_them",
                ],
            ),
        ];
        for (recency, names) in table {
            for (column, name) in names.into_iter().enumerate() {
                let score = column as u8 + 1;
                let scores = RfmScores {
                    recency,
                    frequency: score,
                    monetary: score,
                };
                assert_eq!(scores.group(), name, "{}", scores.cell());
            }
        }
    }
}
