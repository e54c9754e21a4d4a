//! Numbers, moments and texts as bytes.
//!
//! A number takes one byte for each seven bits. A text is preceded by its length. Moments are
//! written as distances from another moment, which are small.

use smallvec::SmallVec;

use crate::session::Moment;

/// Collects bytes on the stack, so that only the finished ones are allocated.
#[derive(Default)]
pub(super) struct Writer(SmallVec<[u8; 512]>);

impl Writer {
    pub(super) fn finish(&self) -> Box<[u8]> {
        Box::from(self.0.as_slice())
    }

    pub(super) fn array<const LENGTH: usize>(&mut self, bytes: [u8; LENGTH]) {
        self.0.extend_from_slice(&bytes);
    }

    pub(super) fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(low_byte(number) | 0x80);
            number >>= 7;
        }
        self.0.push(low_byte(number));
    }

    /// Writes a moment that is read often.
    pub(super) fn fixed_moment(&mut self, moment: Moment) {
        self.array(moment.milliseconds().to_le_bytes());
    }

    /// Writes the distance from a moment that the reader knows. The sign is the lowest bit.
    pub(super) fn moment(&mut self, moment: Moment, from: Moment) {
        let distance = moment.milliseconds().wrapping_sub(from.milliseconds());
        self.number(((distance << 1) ^ (distance >> 63)).cast_unsigned());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// Writes two moments that may be absent.
    pub(super) fn optional_moments(&mut self, moments: [Option<Moment>; 2], from: Moment) {
        let [first, second] = moments.map(|moment| u8::from(moment.is_some()));
        self.array([first | second << 1]);
        for moment in moments.into_iter().flatten() {
            self.moment(moment, from);
        }
    }

    pub(super) fn optional_text(&mut self, text: Option<&str>) {
        self.array([u8::from(text.is_some())]);
        if let Some(text) = text {
            self.text(text);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only the low byte counts")]
fn low_byte(number: u64) -> u8 {
    number as u8
}

/// Reads what a [`Writer`] wrote, in the same order. Each method returns `None` if the bytes do not
/// have the right form, which they always have.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn array<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    #[inline]
    pub(super) fn number(&mut self) -> Option<u64> {
        match self.0 {
            // Nearly all lengths.
            [byte @ ..=0x7f, rest @ ..] => {
                self.0 = rest;
                Some(u64::from(*byte))
            }
            _ => self.large_number(),
        }
    }

    fn large_number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte <= 0x7f {
                return Some(number);
            }
            shift += 7;
            if shift >= u64::BITS {
                return None;
            }
        }
    }

    pub(super) fn fixed_moment(&mut self) -> Option<Moment> {
        let milliseconds = i64::from_le_bytes(self.array()?);
        Some(Moment::from_milliseconds(milliseconds))
    }

    pub(super) fn moment(&mut self, from: Moment) -> Option<Moment> {
        let number = self.number()?.cast_signed();
        let distance = (number.cast_unsigned() >> 1).cast_signed() ^ -(number & 1);
        let milliseconds = from.milliseconds().wrapping_add(distance);
        Some(Moment::from_milliseconds(milliseconds))
    }

    /// The bytes of a text.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        text(self.bytes()?)
    }

    pub(super) fn optional_moments(&mut self, from: Moment) -> Option<[Option<Moment>; 2]> {
        let (mut moments, [present]) = ([None, None], self.array()?);
        if present & 1 != 0 {
            moments[0] = Some(self.moment(from)?);
        }
        if present & 2 != 0 {
            moments[1] = Some(self.moment(from)?);
        }
        Some(moments)
    }

    /// The outer `None` stands for bytes of the wrong form.
    #[expect(clippy::option_option, reason = "the outer one is an error")]
    pub(super) fn optional_text(&mut self) -> Option<Option<String>> {
        match self.array()? {
            [0] => Some(None),
            _ => self.text().map(Some),
        }
    }
}

/// Bytes that were a text when they were written.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}
