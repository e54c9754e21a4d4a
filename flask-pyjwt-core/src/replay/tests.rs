use super::*;

fn at(second: i64) -> NumericDate {
    NumericDate::at(second).expect("a date")
}

fn digest(number: u32) -> Digest {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    digest
}

#[test]
fn threat_63_a_message_is_used_once_until_it_ends() {
    let replays = Replays::default();
    let (alice, bob) = (digest(1), digest(2));
    assert_eq!(
        replays.first_use(alice, digest(3), at(160), at(100)),
        Ok(())
    );
    for now in [100, 159] {
        let again = replays.first_use(alice, digest(3), at(160), at(now));
        assert_eq!(again, Err(NotFirst::Used), "{now}");
    }
    assert_eq!(replays.first_use(bob, digest(4), at(160), at(159)), Ok(()));
    // At its end it is forgotten, and is too old for the caller.
    assert_eq!(
        replays.first_use(alice, digest(5), at(220), at(160)),
        Ok(())
    );
    assert_eq!(replays.state.lock().expect("a lock").used.len(), 1);
}

#[test]
fn threat_63_a_clock_that_is_set_back_brings_no_message_back() {
    let replays = Replays::default();
    assert_eq!(
        replays.first_use(digest(1), digest(3), at(160), at(100)),
        Ok(())
    );
    assert_eq!(
        replays.first_use(digest(1), digest(4), at(260), at(200)),
        Ok(())
    );
    for message in [3, 5] {
        let again = replays.first_use(digest(1), digest(message), at(160), at(100));
        assert_eq!(again, Err(NotFirst::Used));
    }
    assert_eq!(
        replays.first_use(digest(1), digest(6), at(161), at(101)),
        Ok(())
    );
}

#[test]
fn threat_63_neither_one_sender_nor_all_together_can_take_more_memory() {
    let replays = Replays::with_limits(10, 4);
    let mut accepted = 0;
    for sender in 0..5 {
        for message in 0..5 {
            let message = digest(100 * (sender + 1) + message);
            match replays.first_use(digest(sender), message, at(160), at(100)) {
                Ok(()) => accepted += 1,
                Err(error) => assert_eq!(error, NotFirst::Full),
            }
        }
    }
    assert_eq!(accepted, 10); // 4 of the first, 4 of the second, 2 of the third
    assert_eq!(
        replays.first_use(digest(9), digest(900), at(220), at(160)),
        Ok(())
    );
    let state = replays.state.lock().expect("a lock");
    assert_eq!(
        (state.used.len(), state.of_sender.len(), state.by_end.len()),
        (1, 1, 1)
    );
}
