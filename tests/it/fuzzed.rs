//! The checks of the fuzzers with the stable compiler: on the corpus, and on mutations of it.

use std::fs;

use support::{
    example::repository,
    fuzzed::{credentials, dotenv, verify_token},
    random::Random,
};

const MUTATIONS: usize = 100_000;

#[test]
fn arbitrary_bytes_are_no_valid_token() {
    let mut corpus = corpus("verify_token");
    corpus.extend(
        verify_token::minted()
            .iter()
            .map(|token| token.clone().into_bytes()),
    );
    fuzz(&corpus, verify_token::check);
}

#[test]
fn arbitrary_header_fields_get_200_400_or_401() {
    let mut corpus = corpus("credentials");
    for name in ["Authorization: Bearer ", "Cookie: a=b; t="] {
        corpus.push(format!("{name}{}", credentials::minted()).into_bytes());
    }
    fuzz(&corpus, credentials::check);
}

#[test]
fn arbitrary_dotenv_files_do_not_panic() {
    fuzz(&corpus("dotenv"), dotenv::check);
}

/// The checked-in files of one target, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = repository().join("fuzz/corpus").join(target);
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a file"))
        .collect()
}

fn fuzz(corpus: &[Vec<u8>], check: impl Fn(&[u8])) {
    for data in corpus {
        check(data);
    }
    let corpus: Vec<&[u8]> = corpus.iter().map(Vec::as_slice).collect();
    let mut random = Random(0x00f1_a5c4);
    for _ in 0..MUTATIONS {
        let mut data = random.of(&corpus).to_vec();
        for _ in 0..=random.below(4) {
            mutate(&mut data, random.of(&corpus), &mut random);
        }
        check(&data);
    }
}

/// Mutates the data in one place: a bit, a byte, or a piece that is removed, repeated or copied from another
/// input.
fn mutate(data: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    const BYTES: &[u8] = b"\0\n\r\t \"\\'#$%&*+,-./0129:;<=>@AZ[]_`aez{|}~\x7f\x80\xbf\xc3\xed\xff";
    let (start, end) = piece(data.len(), random);
    let (from, to) = piece(other.len(), random);
    let byte = BYTES[random.below(BYTES.len())];
    match random.below(8) {
        0 => data.truncate(start),
        1 => drop(data.drain(start..end)),
        2 => data.insert(start, byte),
        3 => drop(data.splice(start..end, other[from..to].iter().copied())),
        4 => drop(data.splice(start..start, other[from..to].iter().copied())),
        5 => data.extend_from_within(start..end),
        6 => data[start..]
            .iter_mut()
            .take(1)
            .for_each(|it| *it ^= 1 << random.below(8)),
        _ => data[start..].iter_mut().take(1).for_each(|it| *it = byte),
    }
    data.truncate(64 * 1024);
}

/// The start and end of a piece of a text of this length. Often it is short.
fn piece(length: usize, random: &mut Random) -> (usize, usize) {
    let start = random.below(length + 1);
    let longest = if random.below(4) == 0 { length } else { 8 };
    (start, length.min(start + random.below(longest + 1)))
}
