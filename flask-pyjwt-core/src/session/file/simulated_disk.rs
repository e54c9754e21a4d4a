//! A disk for tests that can lose power, fail or stop responding.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use redb::StorageBackend;

/// A write of this many bytes is complete or does not happen.
const SECTOR: usize = 512;

/// A disk whose writes are durable only after a sync.
#[derive(Debug, Clone, Default)]
pub(super) struct SimulatedDisk(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    /// What a read returns while there is power.
    content: Vec<u8>,
    /// The content at the last sync.
    synced: Vec<u8>,
    /// The writes since then.
    unsynced: Vec<Unsynced>,
    syncs: usize,
    /// After this many writes and syncs, each one fails.
    left: Option<usize>,
    /// Whether syncs wait.
    halted: bool,
    /// Whether a sync is waiting.
    waiting: bool,
}

#[derive(Debug, Clone)]
enum Unsynced {
    Length(usize),
    Sector(usize, Vec<u8>),
}

impl SimulatedDisk {
    /// Lets this many writes and syncs succeed. All later ones fail.
    pub(super) fn fail_after(&self, operations: usize) {
        self.state().left = Some(operations);
    }

    /// Lets all operations succeed again.
    pub(super) fn repair(&self) {
        self.state().left = None;
    }

    /// Makes syncs wait until the returned guard is dropped, which also happens when a test fails.
    pub(super) fn halt(&self) -> Halt {
        self.state().halted = true;
        Halt(self.clone())
    }

    /// Blocks until a sync is waiting.
    pub(super) fn wait_until_syncing(&self) {
        let waiting = self.0.1.wait_while(self.state(), |state| !state.waiting);
        drop(waiting.expect("whole"));
    }

    /// The number of syncs so far.
    pub(super) fn syncs(&self) -> usize {
        self.state().syncs
    }

    /// The disk after a power loss. For each sector written since the last sync, `chance` decides
    /// whether it was saved.
    pub(super) fn after_power_loss(&self, mut chance: impl FnMut() -> bool) -> Self {
        let state = self.state();
        let mut content = state.synced.clone();
        for step in state.unsynced.iter().filter(|_| chance()) {
            step.apply(&mut content);
        }
        Self::with(content)
    }

    fn with(content: Vec<u8>) -> Self {
        let synced = content.clone();
        let state = State {
            content,
            synced,
            ..State::default()
        };
        Self(Arc::new((Mutex::new(state), Condvar::new())))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().expect("whole")
    }

    fn operation(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        match &mut state.left {
            Some(0) => return Err(io::Error::other("the disk fails")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(state)
    }
}

/// While this guard exists, syncs wait.
pub(super) struct Halt(SimulatedDisk);

impl Drop for Halt {
    fn drop(&mut self) {
        let (state, changed) = &*self.0.0;
        if let Ok(mut state) = state.lock() {
            state.halted = false;
        }
        changed.notify_all();
    }
}

impl Unsynced {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Length(length) => content.resize(*length, 0),
            Self::Sector(offset, sector) => {
                let end = offset + sector.len();
                content.resize(content.len().max(end), 0);
                content[*offset..end].copy_from_slice(sector);
            }
        }
    }
}

impl State {
    fn step(&mut self, step: Unsynced) {
        step.apply(&mut self.content);
        self.unsynced.push(step);
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).expect("a small disk")
}

impl StorageBackend for SimulatedDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().content.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let content = state.content.get(place(offset)..place(offset) + out.len());
        out.copy_from_slice(content.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.operation()?.step(Unsynced::Length(place(len)));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.operation()?;
        if state.halted {
            state.waiting = true;
            self.0.1.notify_all();
            state = self
                .0
                .1
                .wait_while(state, |state| state.halted)
                .expect("whole");
            state.waiting = false;
        }
        state.syncs += 1;
        state.synced = state.content.clone();
        state.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.operation()?;
        for (number, sector) in data.chunks(SECTOR).enumerate() {
            let offset = place(offset) + number * SECTOR;
            state.step(Unsynced::Sector(offset, sector.to_owned()));
        }
        Ok(())
    }
}
