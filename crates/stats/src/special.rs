//! Special functions and quadrature that the models need and `libm` lacks.
//!
//! All arguments are dimensionless. Checked against mpmath by `tests/data/special.csv`.
//!
//! There is no Gauss hypergeometric function: the models here predict with sums of positive terms
//! (see [`crate::purchase`]), which have no singular parameters.

pub mod gamma;
pub mod incomplete;
pub mod quadrature;
