//! What a user agent says of itself: browser, operating system, kind of device.
//!
//! Patterns are those of the uap-core project; which kind of device it is follows from the system
//! and from the words that vendors ask sites to look for.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use foldhash::fast::FixedState;
use serde::Deserialize;
use ua_parser::{os, user_agent};

/// User agents that are remembered: shops see the same few hundred again and again.
const REMEMBERED: usize = 2_048;
/// A longer one is cut: what it says of itself stands at its beginning.
const LONGEST: usize = 512;

/// What a user agent says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Agent {
    pub(super) device: Option<&'static str>,
    pub(super) os: Option<String>,
    pub(super) browser: Option<String>,
}

#[derive(Deserialize)]
struct Patterns<'a> {
    #[serde(borrow)]
    user_agent_parsers: Vec<user_agent::Parser<'a>>,
    #[serde(borrow)]
    os_parsers: Vec<os::Parser<'a>>,
}

struct Extractors {
    browsers: user_agent::Extractor<'static>,
    systems: os::Extractor<'static>,
}

static EXTRACTORS: LazyLock<Extractors> = LazyLock::new(|| {
    let patterns = include_str!("../../data/user-agents/regexes.json");
    let patterns: Patterns<'static> =
        serde_json::from_str(patterns).expect("a test reads the patterns");
    let browsers = user_agent::Builder::new().push_all(patterns.user_agent_parsers);
    let systems = os::Builder::new().push_all(patterns.os_parsers);
    Extractors {
        browsers: browsers
            .and_then(|builder| Ok(builder.build()?))
            .expect("a test compiles the patterns"),
        systems: systems
            .map_err(ua_parser::Error::from)
            .and_then(|builder| Ok(builder.build()?))
            .expect("a test compiles the patterns"),
    }
});

type Memory = HashMap<Box<str>, Arc<Agent>, FixedState>;
static KNOWN: LazyLock<Mutex<Memory>> = LazyLock::new(Mutex::default);

/// What a user agent says; of one that says nothing known, nothing.
pub(super) fn agent(text: &str) -> Arc<Agent> {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    // What is remembered is a function of the text: a panic elsewhere leaves nothing half done.
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(agent) = known().get(text) {
        return Arc::clone(agent);
    }
    let read = Arc::new(read(text));
    let mut known = known();
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(Box::from(text), Arc::clone(&read));
    read
}

fn read(text: &str) -> Agent {
    let Extractors { browsers, systems } = &*EXTRACTORS;
    let family = browsers.extract(text).map(|found| found.family);
    let system = systems.extract(text).map(|found| found.os);
    let os = system.as_deref().map(system_name).map(str::to_owned);
    let device = device(text, family.as_deref(), os.as_deref());
    // Libraries and apps name themselves too, but are no browsers.
    let is_browser = text.starts_with("Mozilla/") || text.starts_with("Opera/");
    let browser = family.filter(|family| is_browser && family != "Android");
    Agent {
        device,
        os,
        browser: browser.map(|family| browser_name(&family)),
    }
}

/// The name under which a system goes, whatever its distribution or the name of its kernel.
pub(super) fn system_name(name: &str) -> &str {
    let name = name.trim();
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "ios" | "ipados" | "iphone os" | "iphone" | "ipad" => "iOS",
        "mac os x" | "macos" | "mac os" | "mac" | "osx" | "os x" | "macintosh" => "macOS",
        "chrome os" | "chromeos" | "chromium os" => "ChromeOS",
        "android" => "Android",
        "linux" | "ubuntu" | "debian" | "fedora" | "red hat" | "centos" | "mint" | "arch linux"
        | "gentoo" | "suse" | "mandriva" | "slackware" => "Linux",
        _ if lower.starts_with("windows phone") => "Windows Phone",
        _ if lower.starts_with("windows") || lower == "win32" => "Windows",
        _ => name,
    }
}

/// The name of a browser, on whatever it runs: `Chrome Mobile iOS` is Chrome.
pub(super) fn browser_name(family: &str) -> String {
    let family = match family {
        "Google Chrome" | "HeadlessChrome" => "Chrome",
        "Microsoft Edge" => "Edge",
        "IE" => "Internet Explorer",
        family => family,
    };
    let words = family.split_whitespace();
    let own: Vec<&str> = words
        .filter(|word| !matches!(*word, "Mobile" | "iOS" | "WebView" | "Desktop"))
        .collect();
    match own.as_slice() {
        [] => family.to_owned(),
        own => own.join(" "),
    }
}

fn device(text: &str, family: Option<&str>, os: Option<&str>) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let family = family.unwrap_or_default().to_ascii_lowercase();
    let is_bot = ["bot", "spider", "crawler"].map(|word| family.contains(word));
    if is_bot.contains(&true) || has(&["+http", "headlesschrome"]) {
        return Some("bot");
    }
    if has(&[
        "smart-tv",
        "smarttv",
        "hbbtv",
        "googletv",
        "android tv",
        "appletv",
        "apple tv",
        "bravia",
        "roku/",
        " crkey/",
        "; aft",
        "tv safari",
        "web0s",
        "tvos",
    ]) {
        return Some("tv");
    }
    if has(&["playstation", "xbox", "nintendo"]) {
        return Some("console");
    }
    match os {
        Some("iOS") if has(&["ipad"]) => Some("tablet"),
        Some("iOS") => Some("mobile"),
        // Android asks browsers to say `Mobile` on phones only.
        Some("Android")
            if has(&["tablet"]) || !(has(&["mobile"]) || lower.starts_with("dalvik")) =>
        {
            Some("tablet")
        }
        Some("Android" | "Windows Phone" | "KaiOS" | "BlackBerry OS") => Some("mobile"),
        _ if has(&["tablet", "kindle", "silk/"]) => Some("tablet"),
        _ if has(&["mobile"]) => Some("mobile"),
        Some("Windows" | "macOS" | "Linux" | "ChromeOS") => Some("desktop"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Devices by what their vendors publish as their user agents.
    #[test]
    fn agents_say_device_system_and_browser() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        let apple = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
        let windows = format!(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/126.0.0.0 Safari/537.36"
        );
        let cases = [
            (format!("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) {apple} Version/17.5 Mobile/15E148 Safari/604.1"), "mobile", "iOS", "Safari"),
            (windows.clone(), "desktop", "Windows", "Chrome"),
            (format!("{windows} Edg/126.0.0.0"), "desktop", "Windows", "Edge"),
            (format!("{windows} OPR/111.0.0.0"), "desktop", "Windows", "Opera"),
            (format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {apple} Version/17.5 Safari/605.1.15"), "desktop", "macOS", "Safari"),
            (format!("Mozilla/5.0 (Linux; Android 10; K) {webkit} Chrome/126.0.0.0 Mobile Safari/537.36"), "mobile", "Android", "Chrome"),
            (format!("Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-X200) {webkit} SamsungBrowser/25.0 Chrome/121.0.0.0 Safari/537.36"), "tablet", "Android", "Samsung Internet"),
            (format!("Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) {apple} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1"), "tablet", "iOS", "Chrome"),
            ("Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0".to_owned(), "mobile", "Android", "Firefox"),
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0".to_owned(), "desktop", "Linux", "Firefox"),
            (format!("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {webkit} Chrome/126.0.0.0 Safari/537.36"), "desktop", "ChromeOS", "Chrome"),
            (format!("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {apple} Mobile/15E148 Instagram 336.0.8.29.90"), "mobile", "iOS", "Instagram"),
            ("Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36".to_owned(), "tv", "Tizen", "Safari"),
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)".to_owned(), "bot", "", "Googlebot"),
            ("MyShop/3.1 CFNetwork/1490 Darwin/23.2.0".to_owned(), "mobile", "iOS", ""),
            ("Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ2A)".to_owned(), "mobile", "Android", ""),
            ("analytics-node/2.1.0".to_owned(), "", "", ""),
            ("python-requests/2.31".to_owned(), "", "", ""),
            (String::new(), "", "", ""),
            ("é".repeat(10_000), "", "", ""),
        ];
        for (text, device, os, browser) in cases {
            // Once read and once remembered.
            for _ in 0..2 {
                let agent = agent(&text);
                let said = (
                    agent.device.unwrap_or_default(),
                    agent.os.as_deref().unwrap_or_default(),
                    agent.browser.as_deref().unwrap_or_default(),
                );
                assert_eq!(said, (device, os, browser), "{text}");
            }
        }
    }

    #[test]
    fn no_more_agents_are_remembered_than_is_bounded() {
        for number in 0..REMEMBERED + 10 {
            agent(&format!("agent {number}"));
        }
        assert!(KNOWN.lock().unwrap().len() <= REMEMBERED);
    }
}
