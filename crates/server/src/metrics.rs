//! Metrics in the text form of Prometheus.

use std::fmt::{Display, Write as _};

use regulars_pipeline::Times;

/// The text, metric by metric.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// A number that only grows, since the start.
    pub(crate) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.head("counter", name, help);
        self.line(name, "", value);
    }

    /// A number as it is now.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head("gauge", name, help);
        self.line(name, "", value);
    }

    /// A number as it is now, for each `label` of some.
    pub(crate) fn gauges<'l, V: Display>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'l str, V)>,
    ) {
        self.head("gauge", name, help);
        for (of, value) in values {
            self.line(name, &format!("{{{label}=\"{}\"}}", escaped(of)), value);
        }
    }

    /// How long something took, in seconds.
    pub(crate) fn histogram(&mut self, name: &str, help: &str, times: &Times) {
        self.head("histogram", name, help);
        let bucket = format!("{name}_bucket");
        let mut count = 0;
        for (bound_ms, within) in times.within_ms() {
            let label = format!("{{le=\"{}\"}}", bound_ms as f64 / 1e3);
            self.line(&bucket, &label, within);
            count = within;
        }
        count += times.longer();
        self.line(&bucket, "{le=\"+Inf\"}", count);
        self.line(&format!("{name}_sum"), "", times.sum_seconds());
        self.line(&format!("{name}_count"), "", count);
    }

    /// The text.
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    fn head(&mut self, kind: &str, name: &str, help: &str) {
        let _ = writeln!(
            self.0,
            "# HELP regulars_{name} {help}\n# TYPE regulars_{name} {kind}"
        );
    }

    fn line(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "regulars_{name}{labels} {value}");
    }
}

/// The value of a label, between its quotes.
fn escaped(value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    value.replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use regulars_pipeline::Times;

    use super::Page;

    #[test]
    fn buckets_hold_what_took_at_most_as_long() {
        let times = Times::default();
        for ms in [1, 2, 5, 6, 20_000] {
            times.add(Duration::from_millis(ms));
        }
        let mut page = Page::default();
        page.histogram("tracking_seconds", "Time.", &times);
        let text = page.into_text();
        for line in [
            "regulars_tracking_seconds_bucket{le=\"0.001\"} 1",
            "regulars_tracking_seconds_bucket{le=\"0.005\"} 3",
            "regulars_tracking_seconds_bucket{le=\"0.01\"} 4",
            "regulars_tracking_seconds_bucket{le=\"10\"} 4",
            "regulars_tracking_seconds_bucket{le=\"+Inf\"} 5",
            "regulars_tracking_seconds_sum 20.014",
            "regulars_tracking_seconds_count 5",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn labels_are_quoted() {
        let mut page = Page::default();
        page.gauges("waiting", "Waits.", "of", [("a\"b\\c", 1)]);
        let text = page.into_text();
        assert!(
            text.ends_with("regulars_waiting{of=\"a\\\"b\\\\c\"} 1\n"),
            "{text}"
        );
    }
}
