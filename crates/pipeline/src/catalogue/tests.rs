//! Every ready-made segment makes sense, and errors show their place.

use std::collections::BTreeMap;

use regulars_core::Currency;

use super::*;

fn config() -> Config {
    Config::new("shop", Currency::new("EUR").unwrap(), "UTC")
}

fn catalogue() -> Catalogue {
    Catalogue::load(&config(), None).unwrap()
}

#[test]
fn every_ready_made_segment_is_complete() {
    let catalogue = catalogue();
    assert!(catalogue.segments().len() >= 30);
    for segment in catalogue.segments() {
        assert!(!segment.meaning.is_empty(), "{}", segment.name);
        assert!(
            !segment.meaning.contains('{'),
            "{}: {}",
            segment.name,
            segment.meaning
        );
        assert!(!segment.play.is_empty(), "{}", segment.name);
        let text = segment.rule_text();
        let again = catalogue.rule(&text).unwrap();
        assert_eq!(again.rule(), segment.rule.rule(), "{text}");
    }
    catalogue
        .compile(&Symbols::default(), Keep::Needed)
        .unwrap();
    for stage in LIFECYCLE {
        assert!(catalogue.find(stage).is_some(), "{stage}");
    }
}

/// What is measured of orders is asked of each order, and remembered; no ready-made segment needs it, so
/// that nobody pays for it who wrote no such rule.
#[test]
fn no_ready_made_segment_has_conditions_remember_orders() {
    let program = catalogue().compile(&Symbols::default(), Keep::Needed);
    assert_eq!(program.unwrap().measure_count(), 0);
}

#[test]
fn thresholds_of_the_settings_are_in_the_rules() {
    let mut settings = config().settings();
    settings.lifecycle.dormant_days = 75;
    let catalogue = Catalogue::load(&config().with_settings(settings), None).unwrap();
    let dormant = catalogue.get("dormant").unwrap();
    assert!(
        dormant.rule_text().contains("75"),
        "{}",
        dormant.rule_text()
    );
    assert!(dormant.meaning.contains("75"), "{}", dormant.meaning);
}

#[test]
fn the_workspace_adds_and_replaces() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write(
        "own.toml",
        "[[segment]]\nname = 'big'\nrule = 'revenue > 1000'\n[[segment]]\nname = 'loyal'\nrule = 'orders >= 9'\n",
    );
    let catalogue = Catalogue::load(&config(), Some(directory.path())).unwrap();
    assert_eq!(catalogue.get("big").unwrap().origin, Origin::Workspace);
    assert_eq!(catalogue.get("loyal").unwrap().rule_text(), "orders >= 9");
    write(
        "twice.toml",
        "[[segment]]\nname = 'big'\nrule = 'orders > 1'\n",
    );
    let error = Catalogue::load(&config(), Some(directory.path()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("`big`"), "{error}");
}

#[test]
fn errors_show_the_place_and_the_nearest_name() {
    let error = catalogue().rule("ordres >= 3").unwrap_err().to_string();
    assert!(
        error.contains("^^^^^^") && error.contains("orders"),
        "{error}"
    );
    let error = catalogue().get("loyall").unwrap_err().to_string();
    assert!(error.contains("did you mean `loyal`"), "{error}");
}

#[test]
fn channels_and_cells_become_segments() {
    let channels = BTreeMap::from([("Paid Search", 5), ("e-mail", 1), ("!", 1)]);
    let catalogue = catalogue()
        .with_channels(&channels)
        .unwrap()
        .with_cell("rfm_543")
        .unwrap();
    for name in [
        "channel_paid_search",
        "channel_e_mail",
        "channel_unnamed",
        "rfm_543",
    ] {
        assert!(catalogue.find(name).is_some(), "{name}");
    }
    assert_eq!(catalogue.channels_left_out(), 0);
    assert!(
        catalogue
            .with_cell("rfm_999")
            .unwrap()
            .find("rfm_999")
            .is_none()
    );
}

#[test]
fn the_channels_with_the_most_customers_become_segments() {
    let texts: Vec<String> = (0..30).map(|n| format!("c{n:02}")).collect();
    let channels = texts.iter().zip(0_u64..).map(|(c, n)| (c.as_str(), n / 2));
    let catalogue = catalogue().with_channels(&channels.collect()).unwrap();
    let names: Vec<&str> = catalogue
        .segments()
        .iter()
        .filter(|segment| segment.family == "channel")
        .map(|segment| segment.name.as_str())
        .collect();
    assert_eq!(names.len(), MAX_CHANNELS);
    assert_eq!((names[0], names[19]), ("channel_c10", "channel_c29"));
    assert_eq!(catalogue.channels_left_out(), 10);
}

#[test]
fn a_directory_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    let directory = tempfile::tempdir().unwrap();
    assert!(Catalogue::load(&config(), Some(&directory.path().join("none"))).is_ok());
    let file = directory.path().join("segments");
    std::fs::write(&file, "").unwrap();
    let error = Catalogue::load(&config(), Some(&file)).unwrap_err();
    assert!(error.to_string().contains("segments"), "{error}");
}
