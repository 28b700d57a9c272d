use super::*;
use crate::purchase::{GroupedSummaries, PurchaseSummary};

#[test]
fn correctness_integral_mpmath() {
    let table = include_str!("../../../tests/data/special.csv");
    let mut rows = 0;
    for line in table.lines().filter(|line| line.starts_with("kernel,")) {
        let v: Vec<f64> = line
            .split(',')
            .skip(1)
            .map(|f| f.parse().unwrap())
            .collect();
        let kernel = Kernel {
            k: v[0],
            alpha: v[1],
            l: v[2],
            beta: v[3],
        };
        let found = kernel.integral(v[4], v[5]);
        let error = (found / v[6] - 1.0).abs();
        rows += 1;
        assert!(error < 1e-12, "{line}: {found:e}, off by {error:e}");
    }
    assert_eq!(rows, 168);
}

#[test]
fn correctness_derivatives() {
    let histories = [
        (0, 0.0, 30.0),
        (1, 2.0, 30.0),
        (4, 28.0, 31.0),
        (300, 20.0, 38.0),
    ]
    .map(|(x, t_x, t)| PurchaseSummary { x, t_x, t });
    let groups = GroupedSummaries::new(&histories).unwrap();
    let tables = Tables::new(groups.groups());
    for point in [
        [0.55, 0.33, 0.6, 0.36],
        [3.0, 0.02, 1.0, 4.0],
        [0.1, 5.0, 2.0, 0.01],
    ] {
        crate::optimise::tests::check_derivatives(point.map(libm::log), |p| {
            evaluate(&tables, Parallelism::ONE, p)
        });
    }
}
