//! Segments made from the data: one for each first channel, and RFM cells on demand.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use regulars_core::SegmentName;

use super::{Catalogue, Origin, Segment};
use crate::error::PipelineError;

/// The most first channels that have a segment of their own: those with the most customers.
pub const MAX_CHANNELS: usize = 20;

/// The longest name of a channel within the name of its segment; leaves room for a number.
const MAX_SLUG: usize = 48;

impl Catalogue {
    /// Adds a segment for each of the [`MAX_CHANNELS`] first channels with the most customers;
    /// between equals the first by text. A segment of the workspace that has the name stays.
    ///
    /// # Errors
    /// When such a rule does not make sense.
    pub fn with_channels(
        mut self,
        customers_of: &BTreeMap<&str, u64>,
    ) -> Result<Self, PipelineError> {
        let names = channel_names(customers_of.keys().copied());
        let mut channels: Vec<(&str, u64)> =
            customers_of.iter().map(|(&name, &n)| (name, n)).collect();
        channels.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        self.channels_left_out = channels.len().saturating_sub(MAX_CHANNELS);
        channels.truncate(MAX_CHANNELS);
        channels.sort_unstable();
        for (channel, _) in channels {
            let name = &names[channel];
            if self.find(name).is_some() {
                continue;
            }
            let rule = format!("first_channel = '{}'", channel.replace('\'', "''"));
            let rule = self.check(name, &rule)?;
            self.segments.push(Segment {
                title: format!("First channel: {channel}"),
                name: SegmentName::new(name).expect("short, of letters, digits and underscores"),
                family: "channel".to_owned(),
                origin: Origin::Derived,
                meaning: format!("First came by the channel \"{channel}\"."),
                play: vec![
                    "Compare their CLV with what the channel costs you for each new customer.".to_owned(),
                    "A channel with many one-time buyers promises something that the shop does not keep: look at its ads.".to_owned(),
                ],
                rule,
            });
        }
        Ok(self)
    }

    /// How many first channels have no segment of their own, because others have more customers.
    pub fn channels_left_out(&self) -> usize {
        self.channels_left_out
    }

    /// Adds the RFM cell of that name (`rfm_543`), if it is one.
    ///
    /// # Errors
    /// When the rule does not make sense.
    pub fn with_cell(mut self, name: &str) -> Result<Self, PipelineError> {
        let digits = name
            .strip_prefix("rfm_")
            .map(str::as_bytes)
            .unwrap_or_default();
        if digits.len() != 3 || !digits.iter().all(|d| (b'1'..=b'5').contains(d)) {
            return Ok(self);
        }
        let cell = &name[4..];
        let rule = self.check(name, &format!("rfm_cell = '{cell}'"))?;
        let [r, f, m] = [digits[0], digits[1], digits[2]].map(|digit| digit - b'0');
        self.segments.push(Segment {
            name: SegmentName::new(name).expect("letters, digits and an underscore"),
            title: format!("RFM cell {cell}"),
            family: "rfm_cell".to_owned(),
            origin: Origin::Derived,
            meaning: format!("RFM scores: recency {r}, frequency {f}, monetary {m} (5 is best)."),
            play: Vec::new(),
            rule,
        });
        Ok(self)
    }
}

/// The name of each channel's segment. Channels whose names would be the same are numbered by their
/// texts, so that numbers do not move with the customers.
fn channel_names<'c>(channels: impl Iterator<Item = &'c str>) -> BTreeMap<&'c str, String> {
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    let mut names = BTreeMap::new();
    let mut channels: Vec<(String, &str)> = channels.map(|text| (slug(text), text)).collect();
    channels.sort_unstable();
    for (slug, _) in &channels {
        taken.insert(slug.clone(), 0);
    }
    for (slug, channel) in channels {
        let seen = taken.entry(slug.clone()).or_default();
        *seen += 1;
        let mut number = *seen;
        let mut name = slug.clone();
        // A number must not lead to the name of yet another channel.
        while number > 1 {
            name = format!("{slug}_{number}");
            if !taken.contains_key(&name) {
                break;
            }
            number += 1;
        }
        if number > 1 {
            taken.insert(slug, number);
            taken.insert(name.clone(), 1);
        }
        names.insert(channel, format!("channel_{name}"));
    }
    names
}

/// A text as part of a segment's name: in lower case, Latin letters without their marks, letters
/// of other scripts by their code points, `_` for everything else. Never empty.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match latin(c) {
            Some(letters) => slug.push_str(letters),
            None if c.is_ascii_alphanumeric() => slug.push(c),
            None if c.is_alphanumeric() => {
                separate(&mut slug);
                let _ = write!(slug, "u{:x}", u32::from(c));
            }
            None => separate(&mut slug),
        }
    }
    slug.truncate(MAX_SLUG);
    match slug.trim_end_matches('_') {
        "" => "unnamed".to_owned(),
        slug => slug.to_owned(),
    }
}

fn separate(slug: &mut String) {
    if !slug.is_empty() && !slug.ends_with('_') {
        slug.push('_');
    }
}

/// A marked Latin letter in plain ones.
fn latin(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' | 'ģ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => "i",
        'ķ' => "k",
        'ł' | 'ľ' | 'ļ' => "l",
        'ñ' | 'ń' | 'ň' | 'ņ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ō' | 'ő' => "o",
        'ö' | 'ø' | 'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ţ' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ü' => "ue",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'þ' => "th",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_that_look_alike_have_names_of_their_own() {
        let channels = [
            "Paid Search",
            "paid search",
            "paid-search 2",
            "Café",
            "Größe",
            "微信",
            "Почта",
            "!",
            "?",
            &"long ".repeat(40),
        ];
        let names = channel_names(channels.iter().copied());
        let of = |channel: &str| names[channel].as_str();
        assert_eq!(of("Paid Search"), "channel_paid_search");
        assert_eq!(of("paid search"), "channel_paid_search_3");
        assert_eq!(of("paid-search 2"), "channel_paid_search_2");
        assert_eq!(of("Café"), "channel_cafe");
        assert_eq!(of("Größe"), "channel_groesse");
        assert_eq!(of("微信"), "channel_u5fae_u4fe1");
        assert_eq!((of("!"), of("?")), ("channel_unnamed", "channel_unnamed_2"));
        let different: std::collections::BTreeSet<_> = names.values().collect();
        assert_eq!(different.len(), channels.len());
        for name in different {
            assert!(SegmentName::new(name).is_ok(), "{name}");
        }
    }
}
