//! The published fits of the CDNOW sample, through the command line.
//!
//! Sources: Fader, Hardie and Lee (2005), Batislam, Denizel and Filiztekin (2007), Schmittlein,
//! Morrison and Colombo (1987) as fitted by Fader and Hardie, Fader and Hardie (2013).

use serde_json::Value;

use crate::shop::Shop;

/// Model, its parameters under their papers' names with a tolerance, log-likelihood.
type Published = (&'static str, &'static [(&'static str, f64, f64)], f64);

const PUBLISHED: [Published; 4] = [
    (
        "bg_nbd",
        &[
            ("r", 0.2426, 0.0002),
            ("alpha", 4.4136, 0.002),
            ("a", 0.7929, 0.001),
            ("b", 2.4259, 0.004),
        ],
        -9582.43,
    ),
    (
        "mbg_nbd",
        &[
            ("r", 0.5248, 0.001),
            ("alpha", 6.183, 0.005),
            ("a", 0.8914, 0.001),
            ("b", 1.614, 0.002),
        ],
        -9582.13,
    ),
    (
        "pareto_nbd",
        &[
            ("r", 0.5533, 0.001),
            ("alpha", 10.578, 0.005),
            ("s", 0.6062, 0.001),
            ("beta", 11.67, 0.02),
        ],
        -9594.97,
    ),
    (
        "gamma_gamma",
        &[
            ("p", 6.25, 0.01),
            ("q", 3.744, 0.005),
            ("gamma", 15.443, 0.02),
        ],
        -4055.92,
    ),
];

#[test]
fn the_published_parameters_of_cdnow() {
    let document = Shop::cdnow().json(&["models"]);
    for (name, parameters, log_likelihood) in PUBLISHED {
        let models = document["models"].as_array().unwrap();
        let model = models.iter().find(|model| model["model"] == name).unwrap();
        let found = model["parameters"].as_object().unwrap();
        let names: Vec<&String> = found.keys().collect();
        let expected: Vec<&str> = parameters.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, expected, "{name}");
        for (parameter, published, tolerance) in parameters {
            near(&found[*parameter], *published, *tolerance, parameter);
            assert!(model["standard_errors"][parameter].is_number(), "{model}");
        }
        near(&model["log_likelihood"], log_likelihood, 0.011, name);
        let customers = if name == "gamma_gamma" { 946 } else { 2357 };
        assert_eq!(model["customers"], customers);
    }
}

/// The same orders as a CSV file with a header and without options give the same fit.
#[test]
fn a_csv_with_a_header_gives_the_same_fit() {
    let text = std::fs::read_to_string(crate::shop::testdata().join("cdnow_sample.txt")).unwrap();
    let mut csv = "customer_id,date,quantity,total\n".to_owned();
    for line in text.lines() {
        let cells: Vec<&str> = line.split_whitespace().collect();
        csv.push_str(&cells[1..].join(","));
        csv.push('\n');
    }
    let shop = Shop::empty("USD");
    shop.file("orders.csv", &csv);
    shop.good(&["import", "orders.csv"]);
    let week = ["--unit", "week", "--grain", "day"];
    shop.good(&[&["score", "--as-of", "1997-09-30"], &week[..]].concat());
    let models = ["models", "--format", "json"];
    assert_eq!(shop.good(&models), Shop::cdnow().good(&models));
}

fn near(value: &Value, published: f64, tolerance: f64, what: &str) {
    let value = value.as_f64().unwrap();
    let distance = (value - published).abs();
    assert!(distance <= tolerance, "{what}: {value}, not {published}");
}
