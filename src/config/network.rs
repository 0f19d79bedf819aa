//! Networks in the settings: single addresses, or networks such as `10.0.0.0/8`.

use std::net::IpAddr;

use ipnet::IpNet;

/// Reads a network such as `10.0.0.0/8`, or an address such as `::1`; `None` if it is neither.
pub(super) fn parse(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_what_begins_like_it() {
        for (network, within, without) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("192.168.4.0/22", "192.168.7.255", "192.168.8.0"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::1", "::1", "::2"),
        ] {
            let own = parse(network).unwrap();
            assert!(own.contains(&within.parse::<IpAddr>().unwrap()), "{network}");
            assert!(!own.contains(&without.parse::<IpAddr>().unwrap()), "{network}");
        }
        assert!(parse("0.0.0.0/0").unwrap().contains(&"9.9.9.9".parse::<IpAddr>().unwrap()));
        assert!(!parse("0.0.0.0/0").unwrap().contains(&"::1".parse::<IpAddr>().unwrap()));
        assert!(parse("::/0").unwrap().contains(&"::1".parse::<IpAddr>().unwrap()));
        for wrong in ["", "10", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "10.0.0.0/", "proxy.example"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
