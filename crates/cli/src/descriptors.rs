//! How many connections the process may hold: systems begin with a soft limit of 1,024 descriptors, for the
//! sake of old programs, below a hard limit that is meant for servers.

/// Raises the soft limit of descriptors to the hard one.
#[cfg(unix)]
pub(crate) fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(?current, %error, "the limit of descriptors cannot be raised");
    }
}

/// Nothing limits them here.
#[cfg(not(unix))]
pub(crate) fn raise_limit() {}
