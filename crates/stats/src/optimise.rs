//! Maximisation of a smooth function of a few unbounded variables (log-parameters).
//!
//! Newton steps with analytic gradient and Hessian inside a trust region; where those stall, a
//! Nelder–Mead simplex moves on and Newton finishes. The variables are kept in a box; a search that
//! ends at its side, or where the function is flat, says so: no failure is hidden.

mod linear;
mod newton;
mod simplex;

use serde::{Deserialize, Serialize};

pub use linear::{Matrix, invert_positive_definite, symmetric_eigen};
pub use newton::maximise;

/// How a search ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Convergence {
    /// At an interior maximum.
    Converged,
    /// The likelihood keeps rising, or stays flat, as this parameter goes to zero or infinity: the
    /// data do not identify it. Predictions are usable, the parameter itself is not.
    Boundary {
        /// The paper's name of the parameter.
        parameter: String,
    },
    /// The search stopped before it reached a maximum: do not use the parameters.
    NotConverged,
}

/// Value, gradient and Hessian at a point; `D` variables.
#[derive(Debug, Clone, Copy)]
pub struct Evaluation<const D: usize> {
    /// The function's value; not finite where it cannot be computed.
    pub value: f64,
    /// First derivatives.
    pub gradient: [f64; D],
    /// Second derivatives, symmetric.
    pub hessian: Matrix<D>,
}

impl<const D: usize> Evaluation<D> {
    /// Zero everywhere: the start of a sum.
    pub const ZERO: Self = Self {
        value: 0.0,
        gradient: [0.0; D],
        hessian: [[0.0; D]; D],
    };

    /// Adds the other's value and derivatives.
    pub fn add(&mut self, other: &Self) {
        self.value += other.value;
        for i in 0..D {
            self.gradient[i] += other.gradient[i];
            for j in 0..D {
                self.hessian[i][j] += other.hessian[i][j];
            }
        }
    }

    /// The same function seen in the logarithms of its variables, which stand at `point`.
    pub fn in_logs(mut self, point: &[f64; D]) -> Self {
        for i in 0..D {
            for j in 0..D {
                self.hessian[i][j] *= point[i] * point[j];
            }
            self.gradient[i] *= point[i];
            self.hessian[i][i] += self.gradient[i];
        }
        self
    }
}

/// The box and the effort of a search.
#[derive(Debug, Clone, Copy)]
pub struct Limits<const D: usize> {
    /// Least value of each variable.
    pub low: [f64; D],
    /// Greatest value of each variable.
    pub high: [f64; D],
    /// Newton steps allowed.
    pub max_iterations: u32,
}

/// Where a search ended.
#[derive(Debug, Clone)]
pub struct Optimum<const D: usize> {
    /// The variables there.
    pub point: [f64; D],
    /// Value and derivatives there.
    pub at: Evaluation<D>,
    /// Newton steps made.
    pub iterations: u32,
    /// Whether the gradient vanishes (for variables inside the box).
    pub state: State<D>,
}

/// How a search in a box ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State<const D: usize> {
    /// The gradient vanishes inside the box.
    Interior,
    /// The gradient vanishes in the free variables; those marked are held by the box.
    OnBox([bool; D]),
    /// Neither.
    Stopped,
}

#[cfg(test)]
pub(crate) mod tests;
