//! Which addresses may connect.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// One address, or all of a network: `10.0.0.0/8`, `192.0.2.7`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// It is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotANetwork {
    /// It cannot be read.
    #[error("must be an address such as \"192.0.2.7\" or a network such as \"10.0.0.0/8\"")]
    Unreadable,
    /// Bits of the address lie outside of the network: one of the two is a mistake.
    #[error("has bits outside of the network; the network is \"{0}\"")]
    HostBits(Network),
}

impl Network {
    /// Whether the network has this address. An IPv4 address that comes in IPv6's clothes
    /// (`::ffff:192.0.2.7`) is an IPv4 address.
    pub fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.bits) == self.address
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().map_err(|_| NotANetwork::Unreadable)?;
        let bits_max: u8 = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(bits_max), str::parse).map_err(|_| NotANetwork::Unreadable)?;
        if bits_max < bits {
            return Err(NotANetwork::Unreadable);
        }
        let network = Self { address: masked(address, bits), bits };
        if network.address == address { Ok(network) } else { Err(NotANetwork::HostBits(network)) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(network: &str, address: &str) -> bool {
        let network: Network = network.parse().expect("a network");
        network.has(address.parse().expect("an address"))
    }

    #[test]
    fn a_network_has_its_addresses_and_no_other() {
        assert!(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("192.0.2.7", "192.0.2.7") && !has("192.0.2.7", "192.0.2.8"));
        assert!(has("0.0.0.0/0", "203.0.113.9") && !has("0.0.0.0/0", "::1"));
        assert!(has("::1", "::1") && has("fd00::/8", "fdff::1") && !has("fd00::/8", "fe00::1"));
        assert!(has("::/0", "2001:db8::1") && !has("::/0", "192.0.2.7"));
        assert!(has("192.0.2.0/31", "192.0.2.1") && !has("192.0.2.0/31", "192.0.2.2"));
    }

    #[test]
    fn an_ipv4_address_is_one_however_it_is_written() {
        assert!(has("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(!has("10.0.0.0/8", "::ffff:11.1.2.3"));
    }

    #[test]
    fn what_is_no_network_says_so() {
        for wrong in ["", "here", "10.0.0.0/33", "::1/129", "10.0.0.0/", "10.0.0.0/-1", "10.0/8"] {
            assert_eq!(wrong.parse::<Network>(), Err(NotANetwork::Unreadable), "{wrong}");
        }
        let text = "10.1.0.0/8".parse::<Network>().expect_err("bits").to_string();
        assert_eq!(text, "has bits outside of the network; the network is \"10.0.0.0/8\"");
    }
}
