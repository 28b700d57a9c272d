//! How many files this process may have open: each connection is one.

/// Files that are none of connections: the log, the history while everyone is folded, webhooks.
const OTHERS: usize = 2_048;

/// Raises the limit as far as the system allows and `connections` need; gives how many
/// connections there is room for.
pub(crate) fn room_for_connections(connections: usize) -> usize {
    let limit = raised(connections.saturating_add(OTHERS));
    // Where there is little, half is for connections.
    limit.saturating_sub(OTHERS).max(limit / 2)
}

/// The limit, raised to `wanted` if it was lower and may be.
#[cfg(unix)]
fn raised(wanted: usize) -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    let wanted = wanted as u64;
    if limit.current.is_some_and(|current| current < wanted) {
        let mut higher = limit;
        higher.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        if setrlimit(Resource::Nofile, higher).is_ok() {
            limit = higher;
        }
    }
    let current = limit.current.map(usize::try_from);
    current.map_or(usize::MAX, |current| current.unwrap_or(usize::MAX))
}

/// Nothing is known of a limit.
#[cfg(not(unix))]
fn raised(_: usize) -> usize {
    usize::MAX
}
