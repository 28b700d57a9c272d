use super::*;

#[test]
fn correctness_integral_mpmath() {
    let table = include_str!("../../../tests/data/special.csv");
    let mut worst = 0.0;
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
        worst = f64::max(worst, error);
        rows += 1;
        if error > 2e-12 {
            println!("{line}: {found:e}, off by {error:e}");
        }
    }
    println!("{rows} rows, worst {worst:e}");
    assert!(worst < 2e-12);
}
