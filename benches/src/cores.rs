//! Pinning of threads to cores.

use core_affinity::CoreId;

/// A core for the server and another one for the load generator, if there are two.
///
/// Must be called before anything is pinned: a thread only sees the cores that it may run on.
pub(crate) fn cores() -> [Option<usize>; 2] {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    match cores[..] {
        [server, load, ..] => [Some(server.id), Some(load.id)],
        _ => [None, None],
    }
}

/// Pins this thread, and the threads that it starts, to this core.
pub(crate) fn pin(core: Option<usize>) {
    if let Some(id) = core
        && !core_affinity::set_for_current(CoreId { id })
    {
        eprintln!("core {id} cannot be used: the results will vary");
    }
}
