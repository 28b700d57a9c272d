//! Where an event came from, in standard names: device, system, browser, app, place, campaign.
//!
//! Worked out of the context once, when the event arrives, and kept with its properties under
//! [`MEMBER`]: a fold reads no context and no user agent.

use std::borrow::Cow;

use regulars_core::{DEVICES, EventKind};

use super::agent::{agent, browser_name, system_name};
use super::json::{Raw, quoted};

/// Member of the properties under which it stands.
const MEMBER: &str = "context";
const QUOTED_MEMBER: &str = "\"context\"";
/// Bytes of a value; longer ones are no names.
const LONGEST: usize = 256;

/// What the context says in standard names, as a JSON object; empty when it says nothing. Of
/// pages the properties say which it is, where the context does not.
pub(super) fn surroundings(kind: EventKind, context: &str, properties: &str) -> String {
    let is_of_visits = matches!(kind, EventKind::Track | EventKind::Page | EventKind::Screen);
    if !is_of_visits {
        return String::new();
    }
    let mut out = Object::default();
    let mut parts = Parts::default();
    for (key, value) in Raw(context).members() {
        let part = match &*key {
            "userAgent" => &mut parts.agent,
            "userAgentData" => &mut parts.hints,
            "device" => &mut parts.device,
            "os" => &mut parts.os,
            "app" => &mut parts.app,
            "campaign" => &mut parts.campaign,
            "page" => &mut parts.page,
            "referrer" => &mut parts.referrer,
            "location" => &mut parts.location,
            "locale" => &mut parts.locale,
            "timezone" => &mut parts.timezone,
            _ => continue,
        };
        *part = Some(value);
    }
    technology(&parts, &mut out);
    out.put("app", text_at(parts.app, "name"));
    out.put("app_version", text_at(parts.app, "version"));
    let locale = text(parts.locale).map(|locale| Cow::Owned(locale.replace('_', "-")));
    out.put("locale", locale);
    out.put("timezone", text(parts.timezone));
    out.put("country", text_at(parts.location, "country").map(country));
    out.put("source", text_at(parts.campaign, "source"));
    out.put("medium", text_at(parts.campaign, "medium"));
    out.put("campaign", text_at(parts.campaign, "name"));
    let of_page = Some(Raw(properties)).filter(|_| kind == EventKind::Page);
    let page = |key: &str| text_at(parts.page, key).or_else(|| text_at(of_page, key));
    let here = page("url").and_then(|url| host(&url));
    let from = page("referrer").or_else(|| text_at(parts.referrer, "url"));
    let from = from
        .and_then(|url| host(&url))
        .filter(|from| Some(from) != here.as_ref());
    out.put("referrer", from.map(Cow::Owned));
    out.put("page", page("path"));
    out.0
}

/// The properties with what is known of where the event came from; what they have themselves under
/// `context` comes before it.
pub fn with_surroundings(properties: &str, surroundings: &str) -> Box<str> {
    let rest = properties.trim_start().strip_prefix('{');
    // What somebody else put first is not taken for it.
    let is_taken = || {
        Raw(properties)
            .members()
            .next()
            .is_some_and(|(key, _)| key == MEMBER)
    };
    let surroundings = match surroundings {
        "" if is_taken() => "{}",
        surroundings => surroundings,
    };
    let Some(rest) = rest.filter(|_| !surroundings.is_empty()) else {
        return properties.into();
    };
    let comma = if rest.trim_start().starts_with('}') {
        ""
    } else {
        ","
    };
    format!("{{\"{MEMBER}\":{surroundings}{comma}{rest}").into()
}

/// What is known of where an event came from, in standard names: what its own properties say under
/// `context`, as conditions see it, before what [`with_surroundings`] put with them.
pub fn surroundings_of(properties: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    // It is the first member: the others need not be looked through, unless they name it too.
    let first = Raw(properties).members().next();
    let known = first
        .filter(|(key, _)| key == MEMBER)
        .map(|(_, value)| value);
    let rest = known.and_then(|known| properties.split_once(known.0));
    let rest = rest.map_or(properties, |(_, rest)| rest);
    let may_be_own = rest.contains(QUOTED_MEMBER).then_some(Raw(properties));
    let others = may_be_own.into_iter().flat_map(Raw::members);
    let own = others.skip(usize::from(known.is_some()));
    let own = own.filter(|(key, _)| key == MEMBER);
    let own: Vec<(Cow<'_, str>, Raw<'_>)> = own.flat_map(|(_, value)| value.members()).collect();
    let is_own = |name: &str| own.iter().any(|(own, _)| own == name);
    let known = known.into_iter().flat_map(Raw::members);
    let known: Vec<_> = known.filter(|(name, _)| !is_own(name)).collect();
    let said = known.into_iter().chain(own);
    let said = said.filter_map(|(name, value)| Some((name, value.text()?)));
    said.filter(|(_, text)| text.len() <= LONGEST)
}

/// Members of a context that say where an event came from.
#[derive(Debug, Default)]
struct Parts<'t> {
    agent: Option<Raw<'t>>,
    hints: Option<Raw<'t>>,
    device: Option<Raw<'t>>,
    os: Option<Raw<'t>>,
    app: Option<Raw<'t>>,
    campaign: Option<Raw<'t>>,
    page: Option<Raw<'t>>,
    referrer: Option<Raw<'t>>,
    location: Option<Raw<'t>>,
    locale: Option<Raw<'t>>,
    timezone: Option<Raw<'t>>,
}

/// Device, system and browser: what an app says of its own comes before client hints, and those
/// before the user agent.
fn technology<'t>(parts: &Parts<'t>, out: &mut Object) {
    let agent = text(parts.agent).map(|text| agent(&text));
    let agent = agent.as_deref();
    let os = text_at(parts.os, "name")
        .or_else(|| text_at(parts.hints, "platform"))
        .map(|name| system_name(&name).to_owned());
    let os = os.or_else(|| agent.and_then(|agent| agent.os.clone()));
    let device = device(parts, os.as_deref()).or_else(|| agent.and_then(|agent| agent.device));
    let hinted = parts.hints.and_then(brand);
    let browser = hinted.or_else(|| agent.and_then(|agent| agent.browser.clone()));
    out.put("device", device.map(Cow::Borrowed));
    out.put("os", os.map(Cow::Owned));
    out.put("os_version", text_at(parts.os, "version"));
    out.put("browser", browser.map(Cow::Owned));
}

/// The kind of device, as far as it is said without a user agent.
fn device(parts: &Parts<'_>, os: Option<&str>) -> Option<&'static str> {
    let said = text_at(parts.device, "type");
    if let Some(said) = said.as_deref() {
        let said = match said.to_ascii_lowercase().as_str() {
            "phone" | "smartphone" | "handset" => Some("mobile"),
            "pc" | "computer" | "laptop" => Some("desktop"),
            said => DEVICES.iter().copied().find(|known| *known == said),
        };
        if said.is_some() {
            return said;
        }
    }
    // An app tells the system, its version and the model of the device.
    if parts.device.is_some() && matches!(os, Some("iOS" | "Android")) {
        let model = text_at(parts.device, "model").map(|model| model.to_ascii_lowercase());
        let words = ["ipad", "tablet", "sm-x", "sm-t"];
        let is_tablet = model.is_some_and(|model| words.iter().any(|word| model.contains(word)));
        return Some(if is_tablet { "tablet" } else { "mobile" });
    }
    // Of desktops and tablets hints say the same: that they are not mobile.
    let is_mobile = parts.hints.and_then(|hints| hints.get("mobile"));
    is_mobile
        .filter(|value| value.0 == "true")
        .map(|_| "mobile")
}

/// The browser among the brands of client hints: neither the engine nor the made-up one.
fn brand(hints: Raw<'_>) -> Option<String> {
    let brands = hints
        .get("brands")
        .or_else(|| hints.get("uaList"))?
        .elements();
    let names = brands.filter_map(|brand| brand.get("brand")?.text());
    let names: Vec<_> = names
        .filter(|name| !name.is_empty() && name.len() <= LONGEST)
        .collect();
    // `Not.A/Brand`, `Not(A:Brand`: punctuation moves about in it, so that nobody relies on it.
    let is_made_up = |name: &str| name.contains("Not") && name.contains("Brand");
    let mut own = names.iter().filter(|name| !is_made_up(name));
    let named = own.clone().find(|name| **name != "Chromium");
    named.or_else(|| own.next()).map(|name| browser_name(name))
}

/// The host of an address, without `www.`.
fn host(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (!host.is_empty()).then(|| host.to_owned())
}

/// Codes of two letters are in capitals.
fn country(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() == 2 && text.is_ascii() {
        return Cow::Owned(text.to_ascii_uppercase());
    }
    text
}

fn text(value: Option<Raw<'_>>) -> Option<Cow<'_, str>> {
    value?.text()
}

fn text_at<'t>(object: Option<Raw<'t>>, key: &str) -> Option<Cow<'t, str>> {
    object?.get(key)?.text_or_number()
}

/// A JSON object that is being written.
#[derive(Debug, Default)]
struct Object(String);

impl Object {
    fn put(&mut self, key: &str, value: Option<Cow<'_, str>>) {
        let Some(value) = value else {
            return;
        };
        let value = value.trim();
        if value.is_empty() || value.len() > LONGEST {
            return;
        }
        match self.0.pop() {
            Some(_) => self.0.push(','),
            None => self.0.push('{'),
        }
        self.0.push_str(&format!("\"{key}\":{}}}", quoted(value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(context: &str) -> String {
        surroundings(EventKind::Track, context, "{}")
    }

    #[test]
    fn a_browser_says_device_campaign_and_where_it_came_from() {
        let context = r#"{
            "userAgent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "locale": "de_DE", "timezone": "Europe/Berlin", "location": {"country": "de"},
            "campaign": {"source": "newsletter", "medium": "email", "name": "Autumn \"26\""},
            "page": {"path": "/coats", "referrer": "https://www.Example.com/search?q=a", "url": "https://shop.example.org/coats"},
            "library": {"name": "analytics.js"}}"#;
        assert_eq!(
            of(context),
            r#"{"device":"mobile","os":"iOS","browser":"Safari","locale":"de-DE","timezone":"Europe/Berlin","country":"DE","source":"newsletter","medium":"email","campaign":"Autumn \"26\"","referrer":"example.com","page":"/coats"}"#
        );
    }

    #[test]
    fn an_app_says_its_version_and_hints_come_before_the_user_agent() {
        let app = r#"{"app":{"name":"Shop","version":"3.1.4","build":7},"os":{"name":"iPadOS","version":17.5},
            "device":{"type":"ios","model":"iPad13,1"}}"#;
        assert_eq!(
            of(app),
            r#"{"device":"tablet","os":"iOS","os_version":"17.5","app":"Shop","app_version":"3.1.4"}"#
        );
        let phone = r#"{"os":{"name":"Android"},"device":{"type":"android","model":"Pixel 7"}}"#;
        assert_eq!(of(phone), r#"{"device":"mobile","os":"Android"}"#);
        let hints = r#"{"userAgentData":{"mobile":false,"platform":"macOS","brands":[
            {"brand":"Chromium","version":"126"},{"brand":"Not.A/Brand","version":"8"},
            {"brand":"Google Chrome","version":"126"}]},
            "userAgent":"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"}"#;
        assert_eq!(
            of(hints),
            r#"{"device":"desktop","os":"macOS","browser":"Chrome"}"#
        );
        assert_eq!(
            of(r#"{"device":{"type":"Smartphone"}}"#),
            r#"{"device":"mobile"}"#
        );
    }

    #[test]
    fn what_is_no_name_is_left_out() {
        let long = "x".repeat(300);
        for context in [
            "{}",
            r#"{"os":"iOS","app":[1],"locale":7,"campaign":{"source":" "},"page":{"referrer":"no address"}}"#,
            &format!(r#"{{"app":{{"name":"{long}"}}}}"#),
            r#"{"page":{"url":"https://shop.example/a","referrer":"https://www.shop.example/b"}}"#,
        ] {
            assert_eq!(of(context), "", "{context}");
        }
        let identify = surroundings(EventKind::Identify, r#"{"locale":"de"}"#, "{}");
        assert_eq!(identify, "");
        let page = surroundings(
            EventKind::Page,
            "{}",
            r#"{"path":"/a","url":"https://b.example/a"}"#,
        );
        assert_eq!(page, r#"{"page":"/a"}"#);
    }

    #[test]
    fn it_stands_with_the_properties_and_theirs_come_first() {
        let with = |properties: &str| with_surroundings(properties, r#"{"os":"iOS"}"#);
        assert_eq!(&*with("{}"), r#"{"context":{"os":"iOS"}}"#);
        assert_eq!(&*with(" { \"a\":1}"), r#"{"context":{"os":"iOS"}, "a":1}"#);
        assert_eq!(&*with_surroundings(r#"{"a":1}"#, ""), r#"{"a":1}"#);
        let said = |properties: &str| surroundings_of(properties).count();
        assert_eq!(
            [said(&with("{}")), said("{}"), said(r#"{"a":{"b":1}}"#)],
            [1, 0, 0]
        );
    }

    #[test]
    fn visits_and_conditions_are_told_the_same() {
        let derived = r#"{"os":"iOS","page":"/a"}"#;
        for (properties, os) in [
            ("{}", Some("iOS")),
            (r#"{"context":{"os":"own"}}"#, Some("own")),
            (
                r#"{"a":{"context":{"os":"b"}},"context":{"os":"own","c":1}}"#,
                Some("own"),
            ),
            (r#"{"a":"context","b":2}"#, Some("iOS")),
            // What is no text is none, and what was derived does not stand in for it.
            (r#"{"context":{"os":7}}"#, None),
            (r#"{"context":[1]}"#, Some("iOS")),
            (r#"{"b":2,"context":{"os":"own"}}"#, Some("own")),
        ] {
            let both = with_surroundings(properties, derived);
            let mut said = surroundings_of(&both).filter(|(name, _)| name == "os");
            assert_eq!(
                said.next().map(|(_, text)| text).as_deref(),
                os,
                "{properties}"
            );
            assert!(surroundings_of(&both).any(|(name, _)| name == "page"));
            let alone = with_surroundings(properties, "");
            let own = surroundings_of(&alone).find(|(name, _)| name == "os");
            assert_eq!(own.is_some(), os == Some("own"), "{properties}");
            let flat = super::super::flatten(&both, &super::super::Limits::default());
            let asked = match flat.get("context.os") {
                Some(regulars_core::PropertyValue::Text(text)) => Some(&**text),
                _ => None,
            };
            assert_eq!(asked, os, "{properties}");
        }
    }
}
