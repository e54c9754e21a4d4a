use std::path::PathBuf;

use super::*;

/// A simulated folder: the test sets its files and the time of each reading.
struct Disk {
    directory: KeyDirectory,
    start: Now,
    files: BTreeMap<OsString, (Vec<u8>, SystemTime)>,
}

impl Disk {
    fn new() -> Self {
        Self {
            directory: KeyDirectory {
                place: Place::in_code(PathBuf::new()),
                auth_type: AuthType::HS256,
                allow_weak: false,
                crypto: Crypto::default(),
                state: Mutex::default(),
            },
            start: Now::get(),
            files: BTreeMap::new(),
        }
    }

    /// Returns the time `milliseconds` after the start, with a system clock that is wrong by `off` seconds.
    fn at(&self, milliseconds: u64, off: i64) -> Now {
        let passed = Duration::from_millis(milliseconds);
        let system = self.start.system + passed;
        let off_by = Duration::from_secs(off.unsigned_abs());
        Now {
            steady: self.start.steady + passed,
            system: if off < 0 {
                system - off_by
            } else {
                system + off_by
            },
        }
    }

    fn write(&mut self, name: &str, content: &[u8], modified: Now) {
        let file = (content.to_vec(), modified.system);
        self.files.insert(name.into(), file);
    }

    /// Reads the folder, and returns the names of the files in use.
    fn look(&self, now: Now) -> Vec<String> {
        let readings = self.files.iter().map(|(name, (content, modified))| {
            let found = Found {
                content: Arc::new(Zeroizing::new(content.clone())),
                modified: Some(*modified),
                is_readable_by_all: false,
            };
            (name.clone(), Reading::File(found))
        });
        let mut state = self.directory.state.lock().expect("not poisoned");
        let (next, _) = self.directory.next(&state, readings.collect(), now);
        *state = next;
        state.used.keys().map(|name| shown(name)).collect()
    }
}

/// `docs/threats.md` 51.
#[test]
fn a_fresh_file_is_used_after_two_equal_readings_a_second_apart() {
    let mut disk = Disk::new();
    disk.write("a.key", &[b'a'; 40], disk.at(0, 0));
    assert!(disk.look(disk.at(0, 0)).is_empty());
    assert!(disk.look(disk.at(900, 0)).is_empty());
    // More was written, so the second starts again.
    disk.write("a.key", &[b'a'; 50], disk.at(950, 0));
    assert!(disk.look(disk.at(1_000, 0)).is_empty());
    assert!(disk.look(disk.at(1_900, 0)).is_empty());
    assert_eq!(disk.look(disk.at(2_000, 0)), ["a.key"]);
}

#[test]
fn a_file_that_was_not_modified_for_two_seconds_is_used_at_once() {
    let mut disk = Disk::new();
    disk.write("a.key", &[b'a'; 40], disk.at(0, -2));
    assert_eq!(disk.look(disk.at(0, 0)), ["a.key"]);
}

#[test]
fn steps_of_the_system_clock_do_not_affect_a_fresh_file() {
    for off in [-86_400, 86_400] {
        let mut disk = Disk::new();
        // The modification time is in the future: another host's clock is ahead, or this one was set back.
        disk.write("a.key", &[b'a'; 40], disk.at(0, 100_000));
        assert!(disk.look(disk.at(0, 0)).is_empty());
        assert!(disk.look(disk.at(500, off)).is_empty());
        assert_eq!(disk.look(disk.at(1_000, off)), ["a.key"]);
    }
}

#[test]
fn a_known_key_is_used_at_once_under_another_name() {
    let mut disk = Disk::new();
    disk.write("a.next.key", &[b'a'; 40], disk.at(0, -10));
    disk.look(disk.at(0, 0));
    disk.files.clear();
    disk.write("a.key", &[b'a'; 40], disk.at(100, 0));
    assert_eq!(disk.look(disk.at(100, 0)), ["a.key"]);
}

#[test]
fn a_changed_file_keeps_its_old_key_until_it_is_complete() {
    let mut disk = Disk::new();
    disk.write("a.key", &[b'a'; 40], disk.at(0, -10));
    let id = |disk: &Disk| {
        disk.directory.state.lock().expect("not poisoned").used[OsStr::new("a.key")]
            .id
            .clone()
    };
    disk.look(disk.at(0, 0));
    let first = id(&disk);
    for (content, modified, same) in [(&b"short"[..], 100, true), (&[b'b'; 40], 200, true)] {
        disk.write("a.key", content, disk.at(modified, 0));
        assert_eq!(disk.look(disk.at(modified, 0)), ["a.key"]);
        assert_eq!(id(&disk) == first, same);
    }
    disk.look(disk.at(1_200, 0));
    assert_ne!(id(&disk), first);
}

#[test]
fn the_value_of_a_variable_is_not_shown() {
    let open = |place: Place| {
        let shown = format!("{place:?}");
        let opened =
            KeyDirectory::open(place, AuthType::EdDSA, false, Crypto::default(), |_| Ok(()));
        format!("{shown} {:?}", opened.expect_err("no such folder"))
    };
    let by_variable = open(Place::in_variable("hidden/folder".to_owned()));
    assert!(!by_variable.contains("hidden"), "{by_variable}");
    assert!(by_variable.contains(KEYS_DIR), "{by_variable}");
    assert!(open(Place::in_code("hidden/folder".into())).contains("hidden/folder"));
}
