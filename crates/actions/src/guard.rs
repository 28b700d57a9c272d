//! Which addresses may be called: public ones over TLS, and what the settings allow beyond.
//!
//! The check that counts is made on the address that a connection is opened to, after its name was
//! resolved; what is written in a destination is checked as well, to say so early.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Target;
use crate::outcome::Barrier;

/// What may be called, as settings. By default public addresses over TLS, at any port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guard {
    /// Whether `http://` may be called.
    pub allow_http: bool,
    /// Ranges that may be called although they are not public: `["10.1.0.0/16", "::1/128"]`.
    pub allow_private_targets: Vec<Cidr>,
    /// The ports that may be called: `"any"` or a list.
    pub ports: Ports,
}

/// The ports that may be called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "PortsForm", into = "PortsForm")]
pub enum Ports {
    /// `"any"`.
    #[default]
    Any,
    /// `[443, 8443]`.
    Only(Vec<u16>),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "`ports` is \"any\" or a list of ports")]
enum PortsForm {
    Word(AnyWord),
    List(Vec<u16>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnyWord {
    Any,
}

impl From<PortsForm> for Ports {
    fn from(form: PortsForm) -> Self {
        match form {
            PortsForm::Word(AnyWord::Any) => Self::Any,
            PortsForm::List(ports) => Self::Only(ports),
        }
    }
}

impl From<Ports> for PortsForm {
    fn from(ports: Ports) -> Self {
        match ports {
            Ports::Any => Self::Word(AnyWord::Any),
            Ports::Only(ports) => Self::List(ports),
        }
    }
}

impl Guard {
    /// Checks what can be seen without resolving the host.
    ///
    /// # Errors
    /// What stands against calling `target`.
    pub fn check_target(&self, target: &Target) -> Result<(), Barrier> {
        if !target.is_https() && !self.allow_http {
            return Err(Barrier::NotHttps);
        }
        if matches!(&self.ports, Ports::Only(ports) if !ports.contains(&target.port())) {
            return Err(Barrier::Port);
        }
        match target.literal_address() {
            Some(address) => self.check_address(address),
            None => Ok(()),
        }
    }

    /// Checks an address that a connection would be opened to.
    ///
    /// # Errors
    /// When it is neither public nor allowed.
    pub fn check_address(&self, address: IpAddr) -> Result<(), Barrier> {
        let allowed = || {
            let mut ranges = self.allow_private_targets.iter();
            ranges.any(|range| range.contains(address))
        };
        if is_public(address) || allowed() {
            Ok(())
        } else {
            Err(Barrier::PrivateAddress)
        }
    }
}

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    first: IpAddr,
    prefix_bits: u8,
}

/// Not a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no range of addresses: write one like `10.0.0.0/8` or `fd00::/8`")]
pub struct CidrError(String);

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (address, bits) = text.split_once('/')?;
            let first: IpAddr = address.parse().ok()?;
            let prefix_bits: u8 = bits.parse().ok()?;
            let most = if first.is_ipv4() { 32 } else { 128 };
            (prefix_bits <= most).then_some(Self { first, prefix_bits })
        };
        parse().ok_or_else(|| CidrError(text.to_owned()))
    }
}

impl TryFrom<String> for Cidr {
    type Error = CidrError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(range: Cidr) -> Self {
        range.to_string()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.first, self.prefix_bits)
    }
}

impl Cidr {
    /// True when `address` lies in the range. An IPv4 address lies in no range of IPv6.
    pub fn contains(self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => v4_within(address, first, self.prefix_bits),
            (IpAddr::V6(first), IpAddr::V6(address)) => v6_within(address, first, self.prefix_bits),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

fn v4_within(address: Ipv4Addr, first: Ipv4Addr, bits: u8) -> bool {
    let differing = address.to_bits() ^ first.to_bits();
    differing.checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
}

fn v6_within(address: Ipv6Addr, first: Ipv6Addr, bits: u8) -> bool {
    let differing = address.to_bits() ^ first.to_bits();
    differing.checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
}

/// IANA IPv4 Special-Purpose Address Registry: all that is not globally reachable, and multicast.
const NOT_PUBLIC_V4: [([u8; 4], u8); 16] = [
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // shared by carriers
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local, metadata of clouds
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 31, 196, 0], 24), // AS112
    ([192, 52, 193, 0], 24), // AMT
    ([192, 88, 99, 0], 24),  // 6to4 relays
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 3),     // multicast, reserved, broadcast
];

/// Of IPv6 only `2000::/3` is public, and of that not these (IANA IPv6 Special-Purpose Address
/// Registry). So loopback, mapped IPv4 (`::ffff:0:0/96`), NAT64 (`64:ff9b::/96`), unique local,
/// link-local and multicast addresses are not.
const NOT_PUBLIC_V6: [(Ipv6Addr, u8); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocols, Teredo among them
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: holds any IPv4 address
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4
            .iter()
            .any(|&(first, bits)| v4_within(address, Ipv4Addr::from(first), bits)),
        IpAddr::V6(address) => {
            let unicast = v6_within(address, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
            let special = |&(first, bits)| v6_within(address, first, bits);
            unicast && !NOT_PUBLIC_V6.iter().any(special)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_public_addresses_are_called() {
        let guard = Guard::default();
        let private = "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.9.9.9 \
            169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 \
            198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 \
            255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 64:ff9b::10.0.0.1 \
            64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:10::1 2001:db8::1 2002:7f00:1::1 \
            3fff::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1";
        for text in private.split_whitespace() {
            let found = guard.check_address(address(text));
            assert_eq!(found, Err(Barrier::PrivateAddress), "{text}");
        }
        let public = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.0.0.1 \
            172.15.0.1 172.32.0.1 192.167.1.1 198.17.0.1 198.20.0.1 223.255.255.255 \
            2606:4700::1111 2a00:1450::1 2001:4860:4860::8888 2003::1";
        for text in public.split_whitespace() {
            assert_eq!(guard.check_address(address(text)), Ok(()), "{text}");
        }
    }

    #[test]
    fn settings_allow_ranges_ports_and_http() {
        let text = r#"{ "allow_private_targets": ["10.1.0.0/16", "::1/128", "0.0.0.0/0"] }"#;
        let mut guard: Guard = serde_json::from_str(text).unwrap();
        assert_eq!(guard.check_address(address("192.168.0.1")), Ok(()));
        assert_eq!(
            guard.check_address(address("::ffff:10.1.0.1")),
            Err(Barrier::PrivateAddress)
        );
        guard.allow_private_targets.pop();
        assert_eq!(guard.check_address(address("10.1.2.3")), Ok(()));
        assert_eq!(
            guard.check_address(address("10.2.2.3")),
            Err(Barrier::PrivateAddress)
        );
        assert_eq!(guard.check_address(address("::1")), Ok(()));
        assert_eq!(
            guard.check_address(address("::2")),
            Err(Barrier::PrivateAddress)
        );

        let check = |guard: &Guard, url: &str| guard.check_target(&url.parse().unwrap());
        assert_eq!(check(&guard, "http://example.com"), Err(Barrier::NotHttps));
        assert_eq!(
            check(&guard, "https://192.168.0.1"),
            Err(Barrier::PrivateAddress)
        );
        assert_eq!(
            check(&guard, "https://[::ffff:7f00:1]/"),
            Err(Barrier::PrivateAddress)
        );
        guard.allow_http = true;
        guard.ports = Ports::Only(vec![80, 443]);
        assert_eq!(check(&guard, "http://example.com"), Ok(()));
        assert_eq!(
            check(&guard, "https://example.com:8443"),
            Err(Barrier::Port)
        );
        let written = serde_json::to_string(&guard).unwrap();
        assert_eq!(serde_json::from_str::<Guard>(&written).unwrap(), guard);
    }

    #[test]
    fn a_range_is_an_address_and_a_length() {
        for wrong in [
            "10.0.0.0",
            "10.0.0.0/33",
            "::/129",
            "a/8",
            "10.0.0.0/-1",
            "/8",
            "",
        ] {
            assert_eq!(
                wrong.parse::<Cidr>(),
                Err(CidrError(wrong.to_owned())),
                "{wrong}"
            );
        }
        let everything: Cidr = "::/0".parse().unwrap();
        assert!(everything.contains(address("fe80::1")));
        assert!(!everything.contains(address("10.0.0.1")));
        let typo = serde_json::from_str::<Guard>(r#"{ "ports": "none" }"#).unwrap_err();
        assert!(
            typo.to_string()
                .contains("`ports` is \"any\" or a list of ports")
        );
    }
}
