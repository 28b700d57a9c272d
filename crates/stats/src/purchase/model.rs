//! One face for the fitted models.

use serde::{Deserialize, Serialize};

use super::future::Future;
use super::{BgNbd, MbgNbd, Nbd, ParetoNbd, PurchaseSummary};

/// Which purchase model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseKind {
    /// Beta-geometric/NBD.
    BgNbd,
    /// Modified beta-geometric/NBD.
    MbgNbd,
    /// Pareto/NBD.
    ParetoNbd,
    /// NBD without dropout.
    Nbd,
}

impl PurchaseKind {
    /// The models with dropout, in the order in which they are tried.
    pub const WITH_DROPOUT: [Self; 3] = [Self::BgNbd, Self::MbgNbd, Self::ParetoNbd];

    /// The name in the literature.
    pub fn name(self) -> &'static str {
        match self {
            Self::BgNbd => "BG/NBD",
            Self::MbgNbd => "MBG/NBD",
            Self::ParetoNbd => "Pareto/NBD",
            Self::Nbd => "NBD",
        }
    }
}

/// The parameters of a purchase model: all that scoring a customer needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PurchaseModel {
    /// Beta-geometric/NBD.
    BgNbd(BgNbd),
    /// Modified beta-geometric/NBD.
    MbgNbd(MbgNbd),
    /// Pareto/NBD.
    ParetoNbd(ParetoNbd),
    /// NBD without dropout.
    Nbd(Nbd),
}

impl PurchaseModel {
    /// Which model this is.
    pub fn kind(&self) -> PurchaseKind {
        match self {
            Self::BgNbd(_) => PurchaseKind::BgNbd,
            Self::MbgNbd(_) => PurchaseKind::MbgNbd,
            Self::ParetoNbd(_) => PurchaseKind::ParetoNbd,
            Self::Nbd(_) => PurchaseKind::Nbd,
        }
    }

    /// Parameters with their paper's names, in the order of a fit's covariance.
    pub fn parameters(&self) -> Vec<(&'static str, f64)> {
        match self {
            Self::BgNbd(m) => vec![("r", m.r), ("alpha", m.alpha), ("a", m.a), ("b", m.b)],
            Self::MbgNbd(m) => vec![("r", m.r), ("alpha", m.alpha), ("a", m.a), ("b", m.b)],
            Self::ParetoNbd(m) => {
                vec![("r", m.r), ("alpha", m.alpha), ("s", m.s), ("beta", m.beta)]
            }
            Self::Nbd(m) => vec![("r", m.r), ("alpha", m.alpha)],
        }
    }

    /// The same model with other values of its parameters, in the order of [`Self::parameters`];
    /// `values` must have as many entries.
    pub(super) fn with(&self, values: &[f64]) -> Self {
        match *self {
            Self::BgNbd(_) => Self::BgNbd(BgNbd {
                r: values[0],
                alpha: values[1],
                a: values[2],
                b: values[3],
            }),
            Self::MbgNbd(_) => Self::MbgNbd(MbgNbd {
                r: values[0],
                alpha: values[1],
                a: values[2],
                b: values[3],
            }),
            Self::ParetoNbd(_) => Self::ParetoNbd(ParetoNbd {
                r: values[0],
                alpha: values[1],
                s: values[2],
                beta: values[3],
            }),
            Self::Nbd(_) => Self::Nbd(Nbd {
                r: values[0],
                alpha: values[1],
            }),
        }
    }

    /// Probability that the customer has not left by T.
    pub fn probability_alive(&self, history: PurchaseSummary) -> f64 {
        match self {
            Self::BgNbd(m) => m.probability_alive(history),
            Self::MbgNbd(m) => m.probability_alive(history),
            Self::ParetoNbd(m) => m.probability_alive(history),
            Self::Nbd(_) => 1.0,
        }
    }

    /// The order process after T of a customer with x repeats who is alive at T.
    ///
    /// Depends on (x, T) only; `t_x` enters through [`Self::probability_alive`].
    pub fn future(&self, x: u32, t: f64) -> Future {
        match self {
            Self::BgNbd(m) => m.future(x, t),
            Self::MbgNbd(m) => m.future(x, t),
            Self::ParetoNbd(m) => m.future(x, t),
            Self::Nbd(m) => m.future(x, t),
        }
    }

    /// (r, alpha) of the distribution of rates.
    pub fn rate_parameters(&self) -> (f64, f64) {
        match self {
            Self::BgNbd(m) => (m.r, m.alpha),
            Self::MbgNbd(m) => (m.r, m.alpha),
            Self::ParetoNbd(m) => (m.r, m.alpha),
            Self::Nbd(m) => (m.r, m.alpha),
        }
    }
}

impl From<BgNbd> for PurchaseModel {
    fn from(model: BgNbd) -> Self {
        Self::BgNbd(model)
    }
}

impl From<MbgNbd> for PurchaseModel {
    fn from(model: MbgNbd) -> Self {
        Self::MbgNbd(model)
    }
}

impl From<ParetoNbd> for PurchaseModel {
    fn from(model: ParetoNbd) -> Self {
        Self::ParetoNbd(model)
    }
}

impl From<Nbd> for PurchaseModel {
    fn from(model: Nbd) -> Self {
        Self::Nbd(model)
    }
}
