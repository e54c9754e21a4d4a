//! A disk for tests, which loses power, fails, or stands still when it is told to.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use redb::StorageBackend;

/// What is written wholly or not at all, in bytes.
const SECTOR: usize = 512;

/// A disk whose writes are on it for certain when they are synced.
#[derive(Debug, Clone, Default)]
pub(super) struct SimulatedDisk(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    /// As it reads while there is power.
    content: Vec<u8>,
    /// As it was at the last sync.
    synced: Vec<u8>,
    /// What came after that.
    unsynced: Vec<Unsynced>,
    syncs: usize,
    /// After so many writes and syncs, each one is an error.
    left: Option<usize>,
    /// Nobody's sync returns until it goes on.
    halted: bool,
    /// Somebody waits for that.
    waiting: bool,
}

#[derive(Debug, Clone)]
enum Unsynced {
    Length(usize),
    Sector(usize, Vec<u8>),
}

impl SimulatedDisk {
    /// Lets so many more writes and syncs succeed, and no others.
    pub(super) fn fail_after(&self, operations: usize) {
        self.state().left = Some(operations);
    }

    /// Lets everything succeed again.
    pub(super) fn repair(&self) {
        self.state().left = None;
    }

    /// Lets syncs wait until what this gives is dropped. A test that fails before that does not hang.
    pub(super) fn halt(&self) -> Halt {
        self.state().halted = true;
        Halt(self.clone())
    }

    /// Waits until somebody's sync waits.
    pub(super) fn until_waiting(&self) {
        let waiting = self.0.1.wait_while(self.state(), |state| !state.waiting);
        drop(waiting.expect("whole"));
    }

    /// How often it was synced.
    pub(super) fn syncs(&self) -> usize {
        self.state().syncs
    }

    /// The disk after its power was cut: of each sector that was written since the last sync, chance
    /// decides whether it is there.
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

/// While this is kept, nobody's sync returns.
pub(super) struct Halt(SimulatedDisk);

impl Drop for Halt {
    fn drop(&mut self) {
        let (state, told) = &*self.0.0;
        if let Ok(mut state) = state.lock() {
            state.halted = false;
        }
        told.notify_all();
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
