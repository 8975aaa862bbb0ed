//! Which addresses are bound and told.

use super::*;

fn local(interface: &str, ip: &str) -> Local {
    Local { interface: interface.to_owned(), ip: ip.parse().unwrap() }
}

/// A machine with a network, a bridge of containers, and loopback.
fn machine() -> Vec<Local> {
    vec![
        local("lo", "127.0.0.1"),
        local("lo", "::1"),
        local("eth0", "10.0.0.5"),
        local("eth0", "2001:db8::5"),
        local("eth0", "fe80::5"),
        local("docker0", "172.17.0.1"),
    ]
}

fn nobody(_: IpAddr) -> Result<IpAddr, ExternalIpError> {
    panic!("nobody is to be asked")
}

fn silent(_: IpAddr) -> Result<IpAddr, ExternalIpError> {
    Err(ExternalIpError::NoAnswer { servers: "stun.example.org:3478".to_owned() })
}

/// What clients are told, as `local>public`, or `ip` where both are the same.
fn told_by(plan: &Plan) -> Vec<String> {
    let entry = |entry: &Advertised| match entry.local == entry.public {
        true => entry.public.to_string(),
        false => format!("{}>{}", entry.local, entry.public),
    };
    plan.advertised.iter().map(entry).collect()
}

#[track_caller]
fn check(configure: impl FnOnce(&mut Rtc), expected: &[&str]) {
    let mut rtc = Rtc::default();
    configure(&mut rtc);
    let plan = plan(&rtc, &machine(), &nobody).unwrap();
    assert_eq!(told_by(&plan), expected);
}

#[test]
fn every_address_but_loopback_and_link_local_is_told() {
    check(|_| {}, &["10.0.0.5", "2001:db8::5", "172.17.0.1"]);
}

#[test]
fn loopback_is_told_on_request() {
    let expected = ["127.0.0.1", "::1", "10.0.0.5", "2001:db8::5", "172.17.0.1"];
    check(|rtc| rtc.enable_loopback_candidate = true, &expected);
}

#[test]
fn loopback_is_told_where_nothing_else_is_there() {
    let plan = plan(&Rtc::default(), &[local("lo", "127.0.0.1")], &nobody).unwrap();
    assert_eq!(told_by(&plan), ["127.0.0.1"]);
    assert_eq!(plan.bound, [IpAddr::from([0, 0, 0, 0])]);
}

#[test]
fn filters_choose_interfaces_and_blocks() {
    check(|rtc| rtc.interfaces.excludes = vec!["docker0".to_owned()], &["10.0.0.5", "2001:db8::5"]);
    check(|rtc| rtc.interfaces.includes = vec!["docker0".to_owned()], &["172.17.0.1"]);
    check(|rtc| rtc.ips.includes = vec!["10.0.0.0/8".parse().unwrap()], &["10.0.0.5"]);
    check(|rtc| rtc.ips.excludes = vec!["172.16.0.0/12".parse().unwrap()], &["10.0.0.5", "2001:db8::5"]);
    let both = |rtc: &mut Rtc| {
        rtc.ips.includes = vec!["10.0.0.0/8".parse().unwrap()];
        rtc.ips.excludes = vec!["10.0.0.5".parse().unwrap()];
    };
    check(both, &["10.0.0.5"]);
}

#[test]
fn filters_that_leave_nothing_are_an_error() {
    let mut rtc = Rtc::default();
    rtc.ips.includes = vec!["192.168.0.0/16".parse().unwrap()];
    let error = plan(&rtc, &[local("eth0", "10.0.0.5")], &nobody).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no address of this machine is left to tell clients about (10.0.0.5); look at `rtc.ips` and `rtc.interfaces`, or set `rtc.node_ip`"
    );
}

#[test]
fn a_node_address_is_told_instead_of_those_of_its_family() {
    check(|rtc| rtc.node_ip.v4 = Some([203, 0, 113, 7].into()), &["0.0.0.0>203.0.113.7", "2001:db8::5"]);
    let with_loopback = |rtc: &mut Rtc| {
        rtc.node_ip.v4 = Some([203, 0, 113, 7].into());
        rtc.enable_loopback_candidate = true;
    };
    check(with_loopback, &["0.0.0.0>203.0.113.7", "127.0.0.1", "::1", "2001:db8::5"]);
}

#[test]
fn development_binds_media_to_loopback_too() {
    let rtc = Config::dev().rtc;
    let plan = plan(&rtc, &machine(), &nobody).unwrap();
    assert_eq!(plan.bound, [IpAddr::from([127, 0, 0, 1])]);
    assert_eq!(told_by(&plan), ["127.0.0.1"]);
}

#[test]
fn both_families_are_bound_where_both_are_told() {
    let every = plan(&Rtc::default(), &machine(), &nobody).unwrap();
    assert_eq!(every.bound, [IpAddr::from([0, 0, 0, 0]), IpAddr::V6(Ipv6Addr::UNSPECIFIED)]);
}

#[track_caller]
fn check_external(configure: impl FnOnce(&mut Rtc), expected: &[&str]) {
    let mut rtc = Rtc { use_external_ip: true, ..Rtc::default() };
    configure(&mut rtc);
    let ask = |local: IpAddr| match local {
        IpAddr::V4(ip) if ip.octets()[0] == 10 => Ok(IpAddr::from([203, 0, 113, 7])),
        _ => silent(local),
    };
    assert_eq!(told_by(&plan(&rtc, &machine(), &ask).unwrap()), expected);
}

#[test]
fn the_address_that_servers_see_is_told_instead_of_our_own() {
    check_external(|_| {}, &["10.0.0.5>203.0.113.7", "2001:db8::5", "172.17.0.1"]);
    check_external(|rtc| rtc.external_ip_only = true, &["10.0.0.5>203.0.113.7", "2001:db8::5"]);
    check_external(
        |rtc| rtc.advertise_internal_ip = true,
        &["10.0.0.5>203.0.113.7", "10.0.0.5", "2001:db8::5", "172.17.0.1"],
    );
}

#[test]
fn nobody_answering_is_an_error_that_says_what_to_do() {
    let rtc = Rtc { use_external_ip: true, ..Rtc::default() };
    let error = plan(&rtc, &machine(), &silent).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("set `rtc.node_ip`"), "{source}");
}

#[test]
fn ports_go_to_the_sockets() {
    let mut config = Config::dev();
    let net = config.network().unwrap();
    assert_eq!(net.udp, ["127.0.0.1:7882".parse().unwrap()]);
    assert_eq!(net.tcp, ["127.0.0.1:7881".parse().unwrap()]);
    assert_eq!(net.udp_range, None);
    config.rtc.udp_ports.last = 7892;
    config.rtc.tcp_port = None;
    config.workers = Some(3);
    let net = config.network().unwrap();
    assert_eq!((net.udp_range, net.tcp, net.workers), (Some(7882..=7892), vec![], 3));
}

#[test]
fn a_range_of_few_ports_gets_no_more_workers_than_ports_unless_told_so() {
    let mut config = Config::dev();
    config.rtc.udp_ports.last = config.rtc.udp_ports.first + 1;
    assert!(config.network().unwrap().workers <= 2);
    config.workers = Some(3);
    assert_eq!(config.network().unwrap().workers, 3);
}
