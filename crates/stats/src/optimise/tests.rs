use super::*;

/// Compares gradient and Hessian with central differences of the value and of the gradient.
#[track_caller]
pub(crate) fn check_derivatives<const D: usize>(
    point: [f64; D],
    f: impl Fn(&[f64; D]) -> Evaluation<D>,
) {
    const STEP: f64 = 1e-5;
    let at = f(&point);
    for i in 0..D {
        let moved = |by: f64| {
            let mut moved = point;
            moved[i] += by;
            f(&moved)
        };
        let (up, down) = (moved(STEP), moved(-STEP));
        let near = |found: f64, difference: f64, what: &str| {
            let scale = at.value.abs() * 1e-8 + at.hessian[i][i].abs() * 1e-6;
            assert!(
                (found - difference).abs() < scale,
                "{what}: {found} is not {difference}"
            );
        };
        near(
            at.gradient[i],
            (up.value - down.value) / (2.0 * STEP),
            &format!("gradient {i}"),
        );
        for j in 0..D {
            let difference = (up.gradient[j] - down.gradient[j]) / (2.0 * STEP);
            near(at.hessian[i][j], difference, &format!("hessian {i} {j}"));
            assert_eq!(at.hessian[i][j], at.hessian[j][i]);
        }
    }
}

const WIDE: Limits<2> = Limits {
    low: [-30.0; 2],
    high: [30.0; 2],
    max_iterations: 200,
};

/// Minus Rosenbrock's function.
fn valley(&[x, y]: &[f64; 2]) -> Evaluation<2> {
    let (bend, rest) = (y - x * x, 1.0 - x);
    Evaluation {
        value: -100.0 * bend * bend - rest * rest,
        gradient: [400.0 * x * bend + 2.0 * rest, -200.0 * bend],
        hessian: [
            [400.0 * bend - 800.0 * x * x - 2.0, 400.0 * x],
            [400.0 * x, -200.0],
        ],
    }
}

#[test]
fn correctness_a_bent_valley() {
    check_derivatives([-1.2, 1.0], valley);
    let found = maximise([-1.2, 1.0], &WIDE, valley).unwrap();
    assert_eq!(found.state, State::Interior);
    assert!((found.point[0] - 1.0).abs() < 1e-8 && (found.point[1] - 1.0).abs() < 1e-8);
}

#[test]
fn correctness_the_side_of_the_box_is_reported() {
    let limits = Limits {
        high: [0.5, 30.0],
        ..WIDE
    };
    let found = maximise([-1.2, 1.0], &limits, valley).unwrap();
    assert_eq!(found.state, State::OnBox([true, false]));
    assert_eq!(found.point[0], 0.5);
    assert!((found.point[1] - 0.25).abs() < 1e-8);
}

#[test]
fn correctness_points_without_a_value_are_avoided() {
    // ln(x) + ln(y) − x − y, which is no number left of 0.
    let f = |&[x, y]: &[f64; 2]| Evaluation {
        value: libm::log(x) + libm::log(y) - x - y,
        gradient: [1.0 / x - 1.0, 1.0 / y - 1.0],
        hessian: [[-1.0 / (x * x), 0.0], [0.0, -1.0 / (y * y)]],
    };
    let found = maximise([9.0, 0.01], &WIDE, f).unwrap();
    assert_eq!(found.state, State::Interior);
    assert!(
        found.point.iter().all(|p| (p - 1.0).abs() < 1e-8),
        "{found:?}"
    );
    assert!(maximise([-1.0, 1.0], &WIDE, f).is_none());
}

#[test]
fn correctness_an_unfinished_search_says_so() {
    let limits = Limits {
        max_iterations: 2,
        ..WIDE
    };
    let found = maximise([-1.2, 1.0], &limits, |p| Evaluation {
        // No slope that leads anywhere: value and gradient disagree.
        gradient: [1.0, -1.0],
        ..valley(p)
    });
    assert_eq!(found.unwrap().state, State::Stopped);
}

#[test]
fn correctness_eigenvalues_and_inverse() {
    let matrix = [[4.0, 1.0, -2.0], [1.0, 3.0, 0.5], [-2.0, 0.5, 5.0]];
    let (values, vectors) = symmetric_eigen(&matrix);
    let inverse = invert_positive_definite(&matrix).unwrap();
    for i in 0..3 {
        for j in 0..3 {
            let rebuilt: f64 = (0..3)
                .map(|k| values[k] * vectors[k][i] * vectors[k][j])
                .sum();
            assert!((rebuilt - matrix[i][j]).abs() < 1e-13);
            let unit: f64 = (0..3).map(|k| inverse[i][k] * matrix[k][j]).sum();
            assert!((unit - if i == j { 1.0 } else { 0.0 }).abs() < 1e-13);
        }
    }
    assert!(invert_positive_definite(&[[1.0, 2.0], [2.0, 1.0]]).is_none());
    assert!(invert_positive_definite(&[[1.0, 0.0], [0.0, f64::NAN]]).is_none());
}
