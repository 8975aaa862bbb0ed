//! A block of IP addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A block of IP addresses, such as `10.0.0.0/8`; a bare address is a block of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

/// The text is not a block of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a block of addresses")]
pub struct CidrError;

impl Cidr {
    /// Whether the address lies in the block; addresses of the other family never do.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                same_prefix(widened(network.to_bits()), widened(address.to_bits()), self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                same_prefix(network.to_bits(), address.to_bits(), self.prefix)
            }
            _ => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let network: IpAddr = address.parse().map_err(|_| CidrError)?;
        let bits = if network.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(bits), |prefix| prefix.parse().map_err(|_| CidrError))?;
        (prefix <= bits).then_some(Self { network, prefix }).ok_or(CidrError)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// An IPv4 address in the highest bits, so that one comparison serves both families.
fn widened(bits: u32) -> u128 {
    u128::from(bits) << 96
}

fn same_prefix(a: u128, b: u128, prefix: u8) -> bool {
    let rest = 128 - u32::from(prefix);
    (a ^ b).checked_shr(rest).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(block: &str, address: &str, inside: bool) {
        let cidr: Cidr = block.parse().unwrap();
        assert_eq!(cidr.contains(address.parse().unwrap()), inside, "{address} in {block}");
    }

    #[test]
    fn a_block_holds_the_addresses_of_its_prefix_and_family() {
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("192.168.1.7/24", "192.168.1.200", true);
        check("192.168.1.7", "192.168.1.7", true);
        check("192.168.1.7", "192.168.1.8", false);
        check("0.0.0.0/0", "203.0.113.9", true);
        check("0.0.0.0/0", "::1", false);
        check("::/0", "fe80::1", true);
        check("fd00::/8", "fd12::1", true);
        check("fd00::/8", "fe80::1", false);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "eth0"] {
            assert_eq!(text.parse::<Cidr>(), Err(CidrError), "{text}");
        }
    }
}
