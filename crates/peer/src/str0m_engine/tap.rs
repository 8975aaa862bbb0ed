//! The DTLS of a connection, shared between str0m, which makes it and shakes hands, and the connection, which takes over the
//! records once that is done.
//!
//! str0m takes its DTLS from a [`DtlsProvider`]. Ours makes the same as the default one, but of one configuration for all
//! connections, and keeps a second handle to it. Both handles are used by the thread that has the connection, one after the other:
//! the lock is never waited for.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use dimpl::{Config, Dtls};
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};

/// Longer than any record: a datagram.
const RECORD_BYTES_MAX: usize = 65_536;
/// Records encrypted between two polls; the DTLS engine holds ten.
const ENCRYPTED_MAX: usize = 8;
/// Decrypted records that wait until they are taken, which is after each datagram; SCTP repeats what is beyond.
const RECORDS_MAX: usize = 1_024;

static DEFAULT: LazyLock<CryptoProvider> = LazyLock::new(from_feature_flags);
static TAPPED: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(CryptoProvider { dtls_provider: &TappedProvider, ..DEFAULT.clone() }));
static CONFIGS: Configs = Configs(Mutex::new(None));

thread_local! {
    /// What str0m has made last on this thread: it makes it while it is being built, and tells nobody.
    static MADE: RefCell<Option<Tap>> = const { RefCell::new(None) };
    /// Where a record is put when it comes out of DTLS.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; RECORD_BYTES_MAX]);
}

/// Makes instances that are tapped.
#[derive(Debug)]
struct TappedProvider;

/// A handle to the DTLS of one connection.
#[derive(Clone)]
pub(super) struct Tap(Arc<Mutex<Tapped>>);

struct Tapped {
    inner: Dtls,
    /// Decrypted, in order.
    records: VecDeque<Bytes>,
    ended: bool,
}

/// The default cryptography with tapped DTLS.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::clone(&TAPPED)
}

/// Does now what the first connection with datagrams of that length would wait for: tries all of the cryptography, the first use of
/// which gathers random numbers for some 50 ms.
pub(super) fn prepare(mtu: usize) {
    // What fails here fails again where a connection is made, and is told there.
    let _ = CONFIGS.of(Some(mtu));
}

/// The handle to what was made on this thread since this was last asked.
pub(super) fn take_made() -> Option<Tap> {
    MADE.take()
}

impl DtlsProvider for TappedProvider {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        DEFAULT.dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let (config, certificate) = (CONFIGS.of(mtu)?, cert.clone());
        let inner = match version {
            DtlsVersion::Dtls12 => Dtls::new_12(config, certificate, now),
            DtlsVersion::Dtls13 => Dtls::new_13(config, certificate, now),
            DtlsVersion::Auto => Dtls::new_auto(config, certificate, now),
            other => return Err(CryptoError::Other(format!("DTLS {other} is not known"))),
        };
        let tapped = Tapped { inner, records: VecDeque::new(), ended: false };
        let tap = Tap(Arc::new(Mutex::new(tapped)));
        MADE.set(Some(tap.clone()));
        Ok(Box::new(tap))
    }
}

/// What connections have in common. To make one tries each of its algorithms, which takes about as long as all else of a join. The latest
/// is kept: the connections of a process have datagrams of one length.
struct Configs(Mutex<Option<(Option<usize>, Arc<Config>)>>);

impl Configs {
    /// For datagrams of that length.
    fn of(&self, mtu: Option<usize>) -> Result<Arc<Config>, CryptoError> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = latest.as_ref().filter(|(known, _)| *known == mtu) {
            return Ok(Arc::clone(config));
        }
        // ICE has made sure of who asks.
        let builder = Config::builder().use_server_cookie(false);
        let builder = if let Some(mtu) = mtu { builder.mtu(mtu) } else { builder };
        let config = builder.build().map_err(|error| CryptoError::Other(format!("DTLS: {error}")))?;
        let (_, config) = latest.insert((mtu, Arc::new(config)));
        Ok(Arc::clone(config))
    }
}

impl Tap {
    /// This side has begun the handshake.
    pub(super) fn is_active(&self) -> bool {
        self.lock().inner.is_active()
    }

    /// The other side has said goodbye.
    pub(super) fn has_ended(&self) -> bool {
        self.lock().ended
    }

    /// A decrypted record.
    pub(super) fn pop_record(&self) -> Option<Bytes> {
        self.lock().records.pop_front()
    }

    /// A datagram has come; `false` if it cannot be used. What DTLS itself has to say goes to `send`.
    pub(super) fn receive(&self, datagram: &[u8], send: impl FnMut(&[u8])) -> bool {
        let mut tapped = self.lock();
        let usable = tapped.inner.handle_packet(datagram).is_ok();
        tapped.drain(send);
        usable
    }

    /// Encrypts records; datagrams go to `send`. `false` if DTLS takes no more.
    pub(super) fn encrypt(&self, records: &[Bytes], mut send: impl FnMut(&[u8])) -> bool {
        let mut tapped = self.lock();
        for group in records.chunks(ENCRYPTED_MAX) {
            let accepted = group.iter().all(|record| tapped.accept(record));
            tapped.drain(&mut send);
            if !accepted {
                return false;
            }
        }
        true
    }

    /// Encrypts a record that str0m is to send with its next poll: it knows where to. `false` if DTLS takes no more.
    pub(super) fn encrypt_for_str0m(&self, record: &[u8]) -> bool {
        self.lock().accept(record)
    }

    /// Begins to say goodbye.
    pub(super) fn close(&self) {
        // One that has ended by itself has said so.
        let _ = self.lock().inner.close();
    }

    /// What DTLS has to say goes to `send`.
    pub(super) fn drain(&self, send: impl FnMut(&[u8])) {
        self.lock().drain(send);
    }

    fn lock(&self) -> MutexGuard<'_, Tapped> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tapped {
    fn accept(&mut self, record: &[u8]) -> bool {
        self.inner.send_application_data(record).is_ok_and(|accepted| accepted == record.len())
    }

    fn drain(&mut self, mut send: impl FnMut(&[u8])) {
        SCRATCH.with_borrow_mut(|scratch| {
            loop {
                match self.inner.poll_output(scratch) {
                    DtlsOutput::Packet(packet) => send(packet),
                    DtlsOutput::ApplicationData(record) => keep(&mut self.records, record),
                    DtlsOutput::CloseNotify => self.ended = true,
                    DtlsOutput::Timeout(_) | DtlsOutput::BufferTooSmall { .. } => return,
                    // The rest is said once, before the records are taken over.
                    _ => {}
                }
            }
        });
    }
}

impl DtlsInstance for Tap {
    fn set_active(&mut self, active: bool) {
        self.lock().inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.lock().inner.handle_packet(packet)
    }

    /// What is said comes to str0m, but for the records.
    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let mut guard = self.lock();
        let tapped = &mut *guard;
        SCRATCH.with_borrow_mut(|scratch| {
            // What does not fit where str0m wants it is not polled out.
            let scratch = &mut scratch[..buf.len().min(RECORD_BYTES_MAX)];
            loop {
                match tapped.inner.poll_output(scratch) {
                    DtlsOutput::ApplicationData(record) => keep(&mut tapped.records, record),
                    DtlsOutput::Packet(packet) => return DtlsOutput::Packet(copy(packet, buf)),
                    DtlsOutput::PeerCert(certificate) => return DtlsOutput::PeerCert(copy(certificate, buf)),
                    DtlsOutput::KeyingMaterial(key, profile) => {
                        return DtlsOutput::KeyingMaterial(key, profile);
                    }
                    DtlsOutput::Connected => return DtlsOutput::Connected,
                    DtlsOutput::CloseNotify => {
                        tapped.ended = true;
                        return DtlsOutput::CloseNotify;
                    }
                    DtlsOutput::BufferTooSmall { needed } => return DtlsOutput::BufferTooSmall { needed },
                    DtlsOutput::Timeout(at) => return DtlsOutput::Timeout(at),
                    // Nothing that this version of it says.
                    _ => {}
                }
            }
        })
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.lock().inner.handle_timeout(now)
    }

    /// str0m's own association never comes to be; what it would begin it with goes nowhere.
    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        Ok(data.len())
    }

    fn is_active(&self) -> bool {
        self.lock().inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.lock().inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.lock().inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.lock().inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.lock().inner.close()
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tap")
    }
}

/// A panic costs the connection whose DTLS this is, and nothing else has a handle to it.
impl UnwindSafe for Tap {}
impl RefUnwindSafe for Tap {}

fn keep(records: &mut VecDeque<Bytes>, record: &[u8]) {
    if records.len() < RECORDS_MAX {
        records.push_back(Bytes::copy_from_slice(record));
    }
}

fn copy<'a>(from: &[u8], to: &'a mut [u8]) -> &'a [u8] {
    let length = from.len().min(to.len());
    to[..length].copy_from_slice(&from[..length]);
    &to[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_made_once_for_a_length() {
        let configs = Configs(Mutex::new(None));
        let [one, two, other, again] = [1_200, 1_200, 600, 1_200].map(|mtu| configs.of(Some(mtu)).unwrap());
        assert!(Arc::ptr_eq(&one, &two));
        assert_eq!([&one, &other, &again].map(|config| config.mtu()), [1_200, 600, 1_200]);
    }
}
