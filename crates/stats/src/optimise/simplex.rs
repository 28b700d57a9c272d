//! Nelder and Mead's simplex (1965), for where derivatives mislead.

/// A better point than `start`, or `start`; at most 200 · `D` evaluations.
pub(super) fn maximise<const D: usize>(start: &[f64; D], f: impl Fn(&[f64; D]) -> f64) -> [f64; D] {
    let value = |p: &[f64; D]| {
        let v = f(p);
        if v.is_nan() { f64::NEG_INFINITY } else { v }
    };
    let mut corners: Vec<([f64; D], f64)> = vec![(*start, value(start))];
    for i in 0..D {
        let mut corner = *start;
        corner[i] += 0.5;
        corners.push((corner, value(&corner)));
    }
    let mut evaluations = D + 1;
    while evaluations < 200 * D {
        // Best first; the sort is stable, so equal values keep their order.
        corners.sort_by(|a, b| b.1.total_cmp(&a.1));
        if corners[0].1 - corners[D].1 <= 1e-12 * (1.0 + corners[0].1.abs()) {
            break;
        }
        let mut centre = [0.0; D];
        for (corner, _) in &corners[..D] {
            for i in 0..D {
                centre[i] += corner[i] / D as f64;
            }
        }
        let worst = corners[D];
        let towards = |factor: f64| {
            let mut p = centre;
            for i in 0..D {
                p[i] += factor * (worst.0[i] - centre[i]);
            }
            (p, value(&p))
        };
        let reflected = towards(-1.0);
        evaluations += 2;
        let candidate = if reflected.1 > corners[0].1 {
            let expanded = towards(-2.0);
            if expanded.1 > reflected.1 {
                expanded
            } else {
                reflected
            }
        } else if reflected.1 > corners[D - 1].1 {
            reflected
        } else {
            towards(if reflected.1 > worst.1 { -0.5 } else { 0.5 })
        };
        if candidate.1 > worst.1 {
            corners[D] = candidate;
            continue;
        }
        let best = corners[0].0;
        for (corner, at) in &mut corners[1..] {
            for i in 0..D {
                corner[i] = 0.5 * (corner[i] + best[i]);
            }
            *at = value(corner);
        }
        evaluations += D;
    }
    corners.sort_by(|a, b| b.1.total_cmp(&a.1));
    corners[0].0
}
