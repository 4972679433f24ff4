//! Which addresses may be connected to for a URL that a tenant gave.
//!
//! Sources: the IANA registries of special-purpose addresses (RFC 6890 and its updates), RFC 6052
//! (addresses of IPv4 within IPv6), and the metadata services of the large clouds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anybody's: the Internet.
    Public,
    /// Somebody's own network or machine: only where the operator says so.
    Private,
    /// Never: metadata services, the link, groups, tunnels, what is reserved.
    Forbidden,
}

/// What kind of address this is. INVARIANT: asked of the address that is connected to, not of a
/// name that may stand for another one a moment later.
pub fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(v4) => of_v4(v4),
        IpAddr::V6(v6) => of_v6(v6),
    }
}

#[expect(clippy::match_same_arms, reason = "an arm a reason")]
fn of_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        // Metadata services at addresses that are not link-local: Alibaba's and Azure's.
        [100, 100, 100, 200] | [168, 63, 129, 16] => Reach::Forbidden,
        [10 | 127, ..]
        | [172, 16..=31, ..]
        | [192, 168, ..]
        | [100, 64..=127, ..]
        | [198, 18..=19, ..] => Reach::Private,
        // This network; the link, with most metadata services; protocol assignments; examples;
        // relays; groups and what is reserved.
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Reach::Forbidden,
        _ => Reach::Public,
    }
}

#[expect(clippy::match_same_arms, reason = "an arm a reason; the order matters")]
fn of_v6(address: Ipv6Addr) -> Reach {
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        of_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // Metadata services: Amazon's and Google's.
        [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..] => Reach::Forbidden,
        [0, 0, 0, 0, 0, 0, 0, 1] | [0xfc00..=0xfdff, ..] => Reach::Private,
        // IPv4 in IPv6: mapped, and translated.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        // Teredo, 6to4, examples: they hide or name nothing.
        [0x2001, 0 | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Forbidden,
        [0x2000..=0x3fff, ..] => Reach::Public,
        // The link, groups, and whatever is not given out.
        _ => Reach::Forbidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn museum_m39_addresses_by_what_they_are() {
        for (reach_of, addresses) in [
            (
                Reach::Public,
                "8.8.8.8 1.1.1.1 100.63.0.1 172.32.0.1 192.0.1.1 2600:1f18::1 2a00::1 \
                             ::ffff:8.8.8.8 64:ff9b::808:808",
            ),
            (
                Reach::Private,
                "127.0.0.1 127.1.2.3 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 \
                              100.64.0.1 198.18.0.1 ::1 fc00::1 fd12:3456::1 ::ffff:127.0.0.1 \
                              ::ffff:10.0.0.1 64:ff9b::7f00:1",
            ),
            (
                Reach::Forbidden,
                "0.0.0.0 0.1.2.3 169.254.169.254 169.254.170.2 100.100.100.200 \
                                168.63.129.16 224.0.0.1 255.255.255.255 240.0.0.1 192.0.0.8 \
                                192.0.2.1 198.51.100.1 203.0.113.1 :: fe80::1 febf::1 ff02::1 \
                                fec0::1 fd00:ec2::254 fd00:ec2::23 fd20:ce::254 2001:db8::1 \
                                2001:0:1::1 2002:7f00:1::1 ::ffff:169.254.169.254 ::127.0.0.1 \
                                64:ff9b::a9fe:a9fe 64:ff9b:1::1 ::ffff:0:127.0.0.1 100::1 4000::1",
            ),
        ] {
            for text in addresses.split_whitespace() {
                assert_eq!(reach(text.parse().unwrap()), reach_of, "{text}");
            }
        }
    }
}
