//! The addresses of this machine by which a server may see it.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// Addresses that are offered; a machine with more has them for purposes of its own.
const ADDRESSES_MAX: usize = 16;

/// The usable addresses of this machine's interfaces, loopback included; `None` if the system does not tell.
pub(crate) fn local_addresses() -> Option<BTreeSet<IpAddr>> {
    let interfaces = if_addrs::get_if_addrs().ok()?;
    let addresses = interfaces.into_iter().map(|interface| interface.ip());
    Some(addresses.filter(|address| is_usable(*address)).take(ADDRESSES_MAX).collect())
}

fn is_usable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !address.is_unspecified() && !address.is_link_local(),
        // A link-local address is of no use without the link's number, which candidates do not have.
        IpAddr::V6(address) => !address.is_unspecified() && !address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: bool) {
        assert_eq!(is_usable(address.parse().unwrap()), expected, "{address}");
    }

    #[test]
    fn addresses_that_no_server_reaches_are_left_out() {
        check("10.1.2.3", true);
        check("2001:db8::1", true);
        check("fd00::1", true);
        check("127.0.0.1", true);
        check("::1", true);
        check("169.254.1.1", false);
        check("fe80::1", false);
    }
}
