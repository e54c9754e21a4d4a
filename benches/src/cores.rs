//! Which core does what.

use core_affinity::CoreId;

/// A core for the server and another one for the load generator, if there are two.
///
/// To be asked before anything is pinned: a thread sees only the cores that it may run on.
pub(crate) fn cores() -> [Option<usize>; 2] {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    match cores[..] {
        [server, load, ..] => [Some(server.id), Some(load.id)],
        _ => [None, None],
    }
}

/// Keeps this thread, and those that it starts, on this core.
pub(crate) fn pin(core: Option<usize>) {
    if let Some(id) = core
        && !core_affinity::set_for_current(CoreId { id })
    {
        eprintln!("core {id} is not to be had: the figures will vary");
    }
}
