//! Small dense symmetric matrices.

/// A `D` × `D` matrix, rows first.
pub type Matrix<const D: usize> = [[f64; D]; D];

/// Eigenvalues and eigenvectors (`vectors[k]` belongs to `values[k]`) of a symmetric matrix by
/// cyclic Jacobi rotations.
pub fn symmetric_eigen<const D: usize>(matrix: &Matrix<D>) -> ([f64; D], Matrix<D>) {
    let mut a = *matrix;
    let mut v = [[0.0; D]; D];
    for (i, row) in v.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    for _ in 0..60 {
        let mut off = 0.0;
        let mut size = 0.0;
        for i in 0..D {
            for j in 0..D {
                size += a[i][j] * a[i][j];
                if i != j {
                    off += a[i][j] * a[i][j];
                }
            }
        }
        if off <= 1e-34 * size {
            break;
        }
        for p in 0..D {
            for q in p + 1..D {
                rotate(&mut a, &mut v, p, q);
            }
        }
    }
    let mut values = [0.0; D];
    for (i, value) in values.iter_mut().enumerate() {
        *value = a[i][i];
    }
    (values, v)
}

fn rotate<const D: usize>(a: &mut Matrix<D>, v: &mut Matrix<D>, p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for row in a.iter_mut() {
        let (x, y) = (row[p], row[q]);
        row[p] = c * x - s * y;
        row[q] = s * x + c * y;
    }
    for k in 0..D {
        let (x, y) = (a[p][k], a[q][k]);
        a[p][k] = c * x - s * y;
        a[q][k] = s * x + c * y;
    }
    for k in 0..D {
        let (x, y) = (v[p][k], v[q][k]);
        v[p][k] = c * x - s * y;
        v[q][k] = s * x + c * y;
    }
}

/// The inverse of a symmetric positive definite matrix; `None` when it is not (or nearly not).
pub fn invert_positive_definite<const D: usize>(matrix: &Matrix<D>) -> Option<Matrix<D>> {
    let (values, vectors) = symmetric_eigen(matrix);
    let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    if !largest.is_finite() || values.iter().any(|&v| v.is_nan() || v <= largest * 1e-14) {
        return None;
    }
    let mut inverse = [[0.0; D]; D];
    for (value, vector) in values.iter().zip(&vectors) {
        for i in 0..D {
            for j in 0..D {
                inverse[i][j] += vector[i] * vector[j] / value;
            }
        }
    }
    Some(inverse)
}
