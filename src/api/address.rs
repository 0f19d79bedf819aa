//! The client address of a request. The service trusts only the forwarding headers of proxies that
//! the operator configured.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use ipnet::IpNet;

/// The caller's address; `None` if it cannot be determined.
pub fn of(request: &HttpRequest, proxies: &[IpNet]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let lines = request.headers().get_all("x-forwarded-for").map(|value| value.to_str().ok());
    told(peer, &lines.collect::<Vec<_>>(), proxies)
}

/// Each proxy appends the address of its caller. Reading from the end, the first address that is
/// not a trusted proxy is the client.
fn told(peer: IpAddr, lines: &[Option<&str>], proxies: &[IpNet]) -> Option<IpAddr> {
    let trusted = |address: IpAddr| proxies.iter().any(|own| own.contains(&address));
    if !trusted(peer) {
        return Some(peer);
    }
    for line in lines.iter().rev() {
        for hop in (*line)?.rsplit(',') {
            let address = hop_address(hop.trim())?.to_canonical();
            if !trusted(address) {
                return Some(address);
            }
        }
    }
    // The caller is a trusted proxy itself, or a proxy that does not name its client.
    None
}

/// Reads an address with or without a port.
fn hop_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|own| own.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_operators_proxies_say_counts() {
        let proxies: Vec<IpNet> =
            ["127.0.0.1/32", "10.0.0.0/8"].iter().map(|text| text.parse().unwrap()).collect();
        for (peer, lines, address) in [
            ("203.0.113.7", vec![], Some("203.0.113.7")),
            ("203.0.113.7", vec!["198.51.100.1"], Some("203.0.113.7")),
            ("127.0.0.1", vec!["198.51.100.1"], Some("198.51.100.1")),
            // A value that the caller sent comes before the values that the proxies append.
            ("127.0.0.1", vec!["192.0.2.9, 198.51.100.1"], Some("198.51.100.1")),
            ("127.0.0.1", vec!["192.0.2.9", "198.51.100.1, 10.1.2.3"], Some("198.51.100.1")),
            ("127.0.0.1", vec!["198.51.100.1:4711"], Some("198.51.100.1")),
            ("127.0.0.1", vec!["[2001:db8::1]:4711"], Some("2001:db8::1")),
            ("127.0.0.1", vec!["[2001:db8::1]"], Some("2001:db8::1")),
            ("::ffff:127.0.0.1", vec!["::ffff:198.51.100.1"], Some("198.51.100.1")),
            ("127.0.0.1", vec![], None),
            ("127.0.0.1", vec!["10.1.2.3"], None),
            ("127.0.0.1", vec!["198.51.100.1, unknown"], None),
        ] {
            let lines: Vec<_> = lines.into_iter().map(Some).collect();
            let peer = peer.parse::<IpAddr>().unwrap().to_canonical();
            assert_eq!(told(peer, &lines, &proxies), address.map(|own| own.parse().unwrap()), "{lines:?}");
        }
    }
}
