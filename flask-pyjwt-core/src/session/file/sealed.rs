//! The file below the database, whose first sector identifies it and proves that it is complete.
//!
//! The database protects its pages by checksums up to its header, but does not protect the header.
//! One bit of the header says which of the last two states is current. The header is therefore
//! stored in a single sector with a checksum, after our name and version.

use std::{
    io,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use redb::StorageBackend;

use crate::session::StoreError;

/// The database's page size in bytes. The first page holds the header, and all others are stored
/// unchanged.
const PAGE: u64 = 4_096;
/// A disk writes this many bytes completely or not at all.
const SECTOR: usize = 512;
/// The layout of the sector. The header of the database follows.
const NAME: Range<usize> = 0..20;
const VERSION: Range<usize> = 20..24;
const SUM: Range<usize> = 56..64;

/// The first bytes of every session file.
const OUR_NAME: &[u8] = b"flask-pyjwt sessions";
/// The version of the file format: of this sector and of the rows.
const OUR_VERSION: [u8; 4] = 1_u32.to_le_bytes();

/// A file with a sealed first sector.
#[derive(Debug)]
pub(super) struct Sealed<B> {
    inner: B,
    first: Mutex<[u8; SECTOR]>,
}

impl<B: StorageBackend> Sealed<B> {
    /// Uses an empty file. The sector is written with the first header of the database.
    pub(super) fn create(inner: B) -> Self {
        let mut first = [0; SECTOR];
        first[NAME].copy_from_slice(OUR_NAME);
        first[VERSION].copy_from_slice(&OUR_VERSION);
        Self {
            inner,
            first: Mutex::new(first),
        }
    }

    /// Uses an existing file. Any damage to the sector is an error.
    pub(super) fn open(inner: B) -> Result<Self, StoreError> {
        if inner.len().map_err(StoreError::unavailable)? < PAGE {
            return Err(StoreError::corrupt("the file ends too early"));
        }
        let mut first = [0; SECTOR];
        inner.read(0, &mut first).map_err(StoreError::unavailable)?;
        if &first[NAME] != OUR_NAME {
            return Err(StoreError::corrupt("it is not a session file"));
        }
        if first[VERSION] != OUR_VERSION {
            let version = u32::from_le_bytes([first[20], first[21], first[22], first[23]]);
            let reason =
                format!("its format has version {version}, and this release supports version 1");
            return Err(StoreError::corrupt(reason));
        }
        if first[SUM] != sum(&first) {
            return Err(StoreError::corrupt("its first sector is damaged"));
        }
        Ok(Self {
            inner,
            first: Mutex::new(first),
        })
    }

    fn first(&self) -> MutexGuard<'_, [u8; SECTOR]> {
        // A panic cannot leave the bytes half-changed, so a poisoned lock is usable.
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The range in the sector for a part of the database's header.
fn place(offset: u64, length: usize) -> io::Result<Range<usize>> {
    usize::try_from(offset)
        .ok()
        .and_then(|offset| offset.checked_add(SUM.end))
        .and_then(|start| Some(start..start.checked_add(length)?))
        .filter(|place| place.end <= SECTOR)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

/// CRC-64 (ECMA-182, reflected) over the sector without the checksum. It detects every damage of up
/// to 64 consecutive bits.
fn sum(sector: &[u8; SECTOR]) -> [u8; 8] {
    let bytes = sector[..SUM.start].iter().chain(&sector[SUM.end..]);
    let sum = bytes.fold(!0_u64, |sum, byte| {
        (0..8).fold(sum ^ u64::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xC96C_5795_D787_0F42 & (sum & 1).wrapping_neg())
        })
    });
    (!sum).to_le_bytes()
}

impl<B: StorageBackend> StorageBackend for Sealed<B> {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset >= PAGE {
            return self.inner.read(offset, out);
        }
        let place = place(offset, out.len())?;
        out.copy_from_slice(&self.first()[place]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if offset >= PAGE {
            return self.inner.write(offset, data);
        }
        let place = place(offset, data.len())?;
        let mut first = self.first();
        first[place].copy_from_slice(data);
        let sum = sum(&first);
        first[SUM].copy_from_slice(&sum);
        self.inner.write(0, &*first)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    fn written() -> Vec<u8> {
        let sealed = Sealed::create(InMemoryBackend::new());
        sealed.set_len(2 * PAGE).expect("in memory");
        sealed.write(0, &[7; 320]).expect("in memory");
        let mut first = vec![0; SECTOR];
        sealed.inner.read(0, &mut first).expect("in memory");
        first
    }

    fn open(first: &[u8]) -> Result<Sealed<InMemoryBackend>, StoreError> {
        let inner = InMemoryBackend::new();
        inner.set_len(2 * PAGE).expect("in memory");
        inner.write(0, first).expect("in memory");
        Sealed::open(inner)
    }

    #[test]
    fn the_header_is_read_back_and_every_changed_bit_is_detected() {
        let first = written();
        let mut header = [0; 320];
        let sealed = open(&first).expect("as it was written");
        sealed.read(0, &mut header).expect("in memory");
        assert_eq!(header, [7; 320]);
        for bit in 0..SECTOR * 8 {
            let mut first = first.clone();
            first[bit / 8] ^= 1 << (bit % 8);
            let error = open(&first).expect_err("damaged");
            assert!(
                matches!(error, StoreError::Corrupt { .. }),
                "{bit}: {error}"
            );
        }
    }

    #[test]
    fn a_newer_format_and_a_foreign_or_empty_file_give_different_errors() {
        let mut newer = written();
        newer[20] = 2;
        let mut foreign = written();
        foreign[..9].copy_from_slice(b"redb\x1a\x0a\xa9\x0d\x0a");
        for (first, reason) in [(newer, "version 2"), (foreign, "not a session file")] {
            let error = open(&first).expect_err(reason).to_string();
            assert!(error.contains(reason), "{error}");
        }
        let error = Sealed::open(InMemoryBackend::new()).expect_err("empty");
        assert!(error.to_string().contains("too early"), "{error}");
    }

    #[test]
    fn the_first_page_holds_only_the_header() {
        let sealed = Sealed::create(InMemoryBackend::new());
        sealed.set_len(2 * PAGE).expect("in memory");
        assert!(sealed.write(400, &[1; 100]).is_err());
        assert!(sealed.read(PAGE - 1, &mut [0]).is_err());
        sealed.write(PAGE, &[3; 8]).expect("in memory");
        let mut page = [0; 8];
        sealed.read(PAGE, &mut page).expect("in memory");
        assert_eq!(page, [3; 8]);
    }
}
