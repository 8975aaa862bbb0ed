//! Which ports are opened on which addresses, and what clients are told about them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread;

use trackyard_net::{Advertised, NetConfig};

use super::external_ip::{self, ExternalIpError};
use super::settings::{Config, Filter, Rtc};

/// Most threads that carry packets.
const WORKERS_MAX: usize = 1024;

/// Why no network can be planned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The machine does not say what addresses it has.
    #[error("the addresses of this machine cannot be listed")]
    Interfaces(#[source] io::Error),
    /// Filters leave nothing.
    #[error(
        "no address of this machine is left to tell clients about ({found}); look at `rtc.ips` and `rtc.interfaces`, or set `rtc.node_ip`"
    )]
    NoAddress {
        /// What there was.
        found: String,
    },
    /// The public address is asked for and not known.
    #[error("`rtc.use_external_ip`: the public address cannot be found")]
    ExternalIp(#[from] ExternalIpError),
}

/// An address of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Local {
    interface: String,
    ip: IpAddr,
}

impl Config {
    /// Ports and addresses for media. With `rtc.use_external_ip` it asks STUN servers, which takes
    /// up to two seconds.
    ///
    /// # Errors
    /// [`NetworkError`] when clients could not be told any address.
    pub fn network(&self) -> Result<NetConfig, NetworkError> {
        let servers = external_ip::servers(&self.rtc.stun_servers);
        let ask = |local: IpAddr| external_ip::discover(local, &servers);
        let plan = plan(&self.rtc, &locals()?, &ask)?;
        let mut net = NetConfig::default();
        net.workers = self.worker_count();
        net.load_limit_permille = (self.limit.max_worker_load * 1_000.0).round() as u32;
        net.input_wait_max = self.limit.max_input_wait;
        net.udp = plan.bound.iter().map(|ip| SocketAddr::new(*ip, self.rtc.udp_ports.first)).collect();
        net.udp_range = self.rtc.udp_ports.range();
        net.tcp = self
            .rtc
            .tcp_port
            .map(|port| plan.bound.iter().map(|ip| SocketAddr::new(*ip, port)).collect())
            .unwrap_or_default();
        net.advertised = plan.advertised;
        Ok(net)
    }

    /// One per core unless it is configured, and none without a port of its own where ports are a range.
    fn worker_count(&self) -> usize {
        let ports = self.rtc.udp_ports.range().map_or(WORKERS_MAX, |range| range.len());
        let workers = self.workers.map_or_else(|| cores().min(ports), usize::from);
        workers.clamp(1, WORKERS_MAX)
    }

    /// Where other machines reach this one, as far as it knows; empty if only itself can.
    ///
    /// # Errors
    /// [`NetworkError::Interfaces`].
    pub fn lan_addresses(&self) -> Result<Vec<IpAddr>, NetworkError> {
        let used = candidates(&self.rtc, &locals()?);
        Ok(used.into_iter().filter(|ip| !ip.is_loopback()).collect())
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn locals() -> Result<Vec<Local>, NetworkError> {
    let interfaces = if_addrs::get_if_addrs().map_err(NetworkError::Interfaces)?;
    Ok(interfaces
        .into_iter()
        .map(|interface| Local { ip: interface.ip(), interface: interface.name })
        .collect())
}

/// What is listened on and what is told.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    bound: Vec<IpAddr>,
    advertised: Vec<Advertised>,
}

type Ask<'a> = &'a (dyn Fn(IpAddr) -> Result<IpAddr, ExternalIpError> + Sync);

fn plan(rtc: &Rtc, locals: &[Local], ask: Ask<'_>) -> Result<Plan, NetworkError> {
    let used = candidates(rtc, locals);
    let advertised = if rtc.use_external_ip { public(rtc, &used, ask)? } else { told(rtc, &used) };
    if advertised.is_empty() {
        let found: Vec<String> = locals.iter().map(|local| local.ip.to_string()).collect();
        return Err(NetworkError::NoAddress { found: found.join(", ") });
    }
    let bound =
        if rtc.bind_addresses.is_empty() { unspecified(&advertised) } else { rtc.bind_addresses.clone() };
    Ok(Plan { bound, advertised })
}

/// The machine's addresses that clients may be told: no loopback unless asked for or nothing else is there.
fn candidates(rtc: &Rtc, locals: &[Local]) -> Vec<IpAddr> {
    let allowed = |local: &&Local| {
        passes(&rtc.interfaces, |name| *name == local.interface)
            && passes(&rtc.ips, |block| block.contains(local.ip))
    };
    let usable: Vec<IpAddr> = locals
        .iter()
        .filter(allowed)
        .map(|local| local.ip)
        .filter(reachable)
        .filter(|ip| bound_to(rtc, *ip))
        .collect();
    let others: Vec<IpAddr> = usable.iter().copied().filter(|ip| !ip.is_loopback()).collect();
    if rtc.enable_loopback_candidate || others.is_empty() { usable } else { others }
}

fn passes<T>(filter: &Filter<T>, is: impl Fn(&T) -> bool) -> bool {
    if filter.includes.is_empty() { !filter.excludes.iter().any(is) } else { filter.includes.iter().any(is) }
}

/// Link-local addresses need a zone that clients do not know.
fn reachable(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_link_local() && !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_unicast_link_local() && !ip.is_unspecified(),
    }
}

fn bound_to(rtc: &Rtc, ip: IpAddr) -> bool {
    let covers = |bound: &IpAddr| *bound == ip || (bound.is_unspecified() && bound.is_ipv4() == ip.is_ipv4());
    rtc.bind_addresses.is_empty() || rtc.bind_addresses.iter().any(covers)
}

/// Addresses as they are, but for families that have a node address: that one for all of them.
fn told(rtc: &Rtc, used: &[IpAddr]) -> Vec<Advertised> {
    let node_v4 = rtc.node_ip.v4.map(IpAddr::V4);
    let node_v6 = rtc.node_ip.v6.map(IpAddr::V6);
    let everywhere = |public: IpAddr| Advertised { local: every(public), public };
    let mut told: Vec<Advertised> = [node_v4, node_v6].into_iter().flatten().map(everywhere).collect();
    let replaced = |ip: &IpAddr| if ip.is_ipv4() { node_v4.is_some() } else { node_v6.is_some() };
    let kept = used.iter().filter(|ip| !replaced(ip) || (ip.is_loopback() && rtc.enable_loopback_candidate));
    told.extend(kept.map(|ip| as_it_is(*ip)));
    told
}

/// The public address of each, as servers see it. IPv6 addresses are public already.
fn public(rtc: &Rtc, used: &[IpAddr], ask: Ask<'_>) -> Result<Vec<Advertised>, NetworkError> {
    let asked = ask_for_all(used, ask);
    let mut told = Vec::new();
    let mut failed = None;
    let mut found = false;
    for (local, answer) in used.iter().copied().zip(asked) {
        match answer {
            Some(Ok(public)) => {
                found = true;
                told.push(Advertised { local, public });
                told.extend(rtc.advertise_internal_ip.then(|| as_it_is(local)));
            }
            Some(Err(error)) => {
                failed = Some(error);
                told.extend((!rtc.external_ip_only).then(|| as_it_is(local)));
            }
            None => told.extend((!rtc.external_ip_only || local.is_ipv6()).then(|| as_it_is(local))),
        }
    }
    match failed.filter(|_| !found) {
        Some(error) => Err(error.into()),
        None => Ok(told),
    }
}

/// Asks from every IPv4 address that is not loopback, from all at the same time.
fn ask_for_all(used: &[IpAddr], ask: Ask<'_>) -> Vec<Option<Result<IpAddr, ExternalIpError>>> {
    thread::scope(|scope| {
        let asked = |ip: &IpAddr| ip.is_ipv4() && !ip.is_loopback();
        let threads: Vec<_> =
            used.iter().map(|ip| asked(ip).then(|| (*ip, scope.spawn(move || ask(*ip))))).collect();
        let answers = threads.into_iter().map(|thread| {
            thread.map(|(local, thread)| thread.join().unwrap_or_else(|_| Err(panicked(local))))
        });
        answers.collect()
    })
}

fn panicked(local: IpAddr) -> ExternalIpError {
    ExternalIpError::Socket { local, source: io::Error::other("asking failed") }
}

fn as_it_is(ip: IpAddr) -> Advertised {
    Advertised { local: ip, public: ip }
}

/// Every address of a family.
fn every(ip: IpAddr) -> IpAddr {
    if ip.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

fn unspecified(advertised: &[Advertised]) -> Vec<IpAddr> {
    let families = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    families
        .into_iter()
        .filter(|family: &IpAddr| advertised.iter().any(|entry| entry.local.is_ipv4() == family.is_ipv4()))
        .collect()
}

#[cfg(test)]
mod tests;
