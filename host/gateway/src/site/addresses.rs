//! Whether all addresses that a site listens at can be had at once.

use std::net::SocketAddr;

use hilum_words::Problems;
use hilum_words::config::Placed;

/// Notes each address that one before it has already, in the order of the configuration.
pub(super) fn check(binds: &[Placed<String>], problems: &Problems) {
    // What is no address has a problem of its own.
    let all: Vec<_> = binds.iter().filter_map(|it| Some((it, it.value.parse().ok()?))).collect();
    for (index, (bind, address)) in all.iter().enumerate() {
        let Some((other, _)) = all[..index].iter().find(|(_, it)| collide(it, address)) else {
            continue;
        };
        let text = if bind.value == other.value {
            format!("{} has this address already; each needs one of its own", other.key)
        } else {
            let (there, key) = (&other.value, &other.key);
            format!("cannot be had beside \"{there}\" of {key}; each needs a port of its own")
        };
        bind.problem(problems, text);
    }
}

/// With port 0 there is always another; the address of all takes its port everywhere.
fn collide(one: &SocketAddr, other: &SocketAddr) -> bool {
    let (ip, other_ip) = (one.ip().to_canonical(), other.ip().to_canonical());
    let is_same = ip == other_ip || ip.is_unspecified() || other_ip.is_unspecified();
    one.port() != 0 && one.port() == other.port() && is_same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_had_once_and_a_port_of_all_addresses_alone() {
        let collide = |one: &str, other: &str| {
            let parse = |it: &str| it.parse().expect("an address");
            let there = collide(&parse(one), &parse(other));
            assert_eq!(there, collide(&parse(other), &parse(one)), "{one} {other}");
            there
        };
        for (one, other) in [
            ("127.0.0.1:2575", "127.0.0.1:2575"),
            ("0.0.0.0:2575", "127.0.0.1:2575"),
            ("[::]:2575", "127.0.0.1:2575"),
            ("[::]:2575", "0.0.0.0:2575"),
            ("[::ffff:127.0.0.1]:2575", "127.0.0.1:2575"),
        ] {
            assert!(collide(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("0.0.0.0:0", "127.0.0.1:0"),
            ("127.0.0.1:2575", "127.0.0.1:2576"),
            ("127.0.0.1:2575", "127.0.0.2:2575"),
            ("[::1]:2575", "127.0.0.1:2575"),
        ] {
            assert!(!collide(one, other), "{one} {other}");
        }
    }
}
