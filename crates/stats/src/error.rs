//! What can stop a computation here, told by what the caller can do about it.

/// Why a fit or a comparison could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatsError {
    /// Nothing to fit on: wait for more history, or look at the rejected observations.
    #[error(
        "no usable observation: {rejected} rejected, {unobserved} not yet observed for any time"
    )]
    NoObservations {
        /// Observations that contradict themselves.
        rejected: u64,
        /// Observations without any observed time (`T` = 0).
        unobserved: u64,
    },
    /// Nobody came back, so rates cannot be told from zero: wait, or lengthen the calibration.
    #[error("{}, so purchase rates cannot be estimated", nobody_again(*.customers))]
    NoRepeats {
        /// Customers observed for some time.
        customers: u64,
    },
    /// Every start of the optimiser met only values that are not finite: inspect the observations.
    #[error("the likelihood of `{model}` is not finite at any of {starts} starting points")]
    NoFiniteStart {
        /// The model's name.
        model: &'static str,
        /// How many starting points were tried.
        starts: usize,
    },
    /// A parameter outside its domain: correct the caller's settings or the stored model.
    #[error("`{name}` must be {expected}, but is {value}")]
    BadArgument {
        /// The argument's name.
        name: &'static str,
        /// Its domain in words.
        expected: &'static str,
        /// What was given.
        value: f64,
    },
    /// Slices that should describe the same customers differ in length: align them.
    #[error("`{left_name}` has {left} entries, `{right_name}` has {right}")]
    LengthsDiffer {
        /// Name of the first slice.
        left_name: &'static str,
        /// Its length.
        left: usize,
        /// Name of the second slice.
        right_name: &'static str,
        /// Its length.
        right: usize,
    },
}

fn nobody_again(customers: u64) -> String {
    match customers {
        1 => "the only customer did not order again".to_owned(),
        customers => format!("none of {customers} customers ordered again"),
    }
}

/// The value if it is positive and finite.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64, StatsError> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(StatsError::BadArgument {
            name,
            expected: "positive and finite",
            value,
        })
    }
}
