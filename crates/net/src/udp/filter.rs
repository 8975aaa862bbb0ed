//! Attaches a program that chooses among the sockets of a port.

use std::io;

use super::UdpPort;
use crate::steering::Instruction;

/// Has the program choose for the port of this socket and of all that share it.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the kernel offers it, and no safe crate does")]
pub(crate) fn attach(port: &UdpPort, program: &[Instruction]) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    let one = |step: &Instruction| libc::sock_filter { code: step.code, jt: step.jt, jf: step.jf, k: step.k };
    let mut filter: Vec<libc::sock_filter> = program.iter().map(one).collect();
    let len = u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len, filter: filter.as_mut_ptr() };
    let size = libc::socklen_t::try_from(size_of_val(&program)).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the socket is open as long as it is borrowed; the kernel reads `size` bytes of `program` and the `len`
    // instructions that it points to, both of which live until the call returns, and keeps neither.
    let result = unsafe {
        libc::setsockopt(
            port.socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_REUSEPORT_CBPF,
            (&raw const program).cast(),
            size,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Other systems choose by themselves.
#[cfg(not(target_os = "linux"))]
pub(crate) fn attach(_: &UdpPort, _: &[Instruction]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
