//! The file under the database, with a first sector that tells what it is and that it is whole.
//!
//! The database checks its pages by sums that lead up to its header, and the header by nothing: one
//! bit of it says which of the last two states is the current one. So the header is kept in one
//! sector with a sum over all of it, behind our own name and version.

use std::{
    io,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use redb::StorageBackend;

use crate::session::StoreError;

/// The database's pages in bytes. Its header lies in the first one, the pages after it are as it
/// writes them.
const PAGE: u64 = 4_096;
/// What a disk writes wholly or not at all, in bytes.
const SECTOR: usize = 512;
/// Which bytes of the sector are whose; the database's header is behind them.
const NAME: Range<usize> = 0..20;
const VERSION: Range<usize> = 20..24;
const SUM: Range<usize> = 56..64;

/// What every such file begins with.
const OUR_NAME: &[u8] = b"flask-pyjwt sessions";
/// The version of the file's format: of this sector, and of the rows.
const OUR_VERSION: [u8; 4] = 1_u32.to_le_bytes();

/// A file or the like with a sealed first sector.
#[derive(Debug)]
pub(super) struct Sealed<B> {
    inner: B,
    first: Mutex<[u8; SECTOR]>,
}

impl<B: StorageBackend> Sealed<B> {
    /// On an empty file. The sector is written with the database's first header.
    pub(super) fn create(inner: B) -> Self {
        let mut first = [0; SECTOR];
        first[NAME].copy_from_slice(OUR_NAME);
        first[VERSION].copy_from_slice(&OUR_VERSION);
        Self {
            inner,
            first: Mutex::new(first),
        }
    }

    /// On a file that exists: whatever is not wholly as it was written is an error.
    pub(super) fn open(inner: B) -> Result<Self, StoreError> {
        if inner.len().map_err(StoreError::unavailable)? < PAGE {
            return Err(StoreError::corrupt("the file ends too early"));
        }
        let mut first = [0; SECTOR];
        inner.read(0, &mut first).map_err(StoreError::unavailable)?;
        if &first[NAME] != OUR_NAME {
            return Err(StoreError::corrupt("it is no file of sessions"));
        }
        if first[VERSION] != OUR_VERSION {
            let version = u32::from_le_bytes([first[20], first[21], first[22], first[23]]);
            let reason = format!("its format is version {version}, and this release knows 1");
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
        // It is a copy of bytes: there is no step that could be left half done.
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where in the sector this part of the database's header lies.
fn place(offset: u64, length: usize) -> io::Result<Range<usize>> {
    usize::try_from(offset)
        .ok()
        .and_then(|offset| offset.checked_add(SUM.end))
        .and_then(|start| Some(start..start.checked_add(length)?))
        .filter(|place| place.end <= SECTOR)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

/// CRC-64 (ECMA-182, reflected) over all of the sector but the sum: it finds every damage to up to
/// 64 bits in a row.
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
    fn what_was_written_is_read_and_every_changed_bit_is_noticed() {
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
    fn a_newer_format_and_a_foreign_or_empty_file_are_told_apart() {
        let mut newer = written();
        newer[20] = 2;
        let mut foreign = written();
        foreign[..9].copy_from_slice(b"redb\x1a\x0a\xa9\x0d\x0a");
        for (first, reason) in [(newer, "version 2"), (foreign, "no file of sessions")] {
            let error = open(&first).expect_err(reason).to_string();
            assert!(error.contains(reason), "{error}");
        }
        let error = Sealed::open(InMemoryBackend::new()).expect_err("empty");
        assert!(error.to_string().contains("too early"), "{error}");
    }

    #[test]
    fn nothing_but_the_header_is_in_the_first_page() {
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
