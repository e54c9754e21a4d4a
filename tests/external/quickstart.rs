//! The first steps of a user: `cargo run --example quickstart`, then every `curl` line that it prints, then
//! Ctrl-C. Each line must get the status in the comment at its end.

#![cfg(unix)]

use support::example::Example;

use crate::curl;

#[test]
fn every_printed_line_works_and_ctrl_c_stops_the_server() {
    let mut server = Example::start("quickstart", &[]);
    let explanation = server.process.read_until("Ctrl-C ends it.");
    assert!(
        explanation.contains("JWT_SECRET is not set"),
        "it starts without any set-up:\n{explanation}"
    );

    let lines = explanation.lines().filter(|line| line.contains("curl "));
    let lines = lines.map(str::to_owned).collect::<Vec<_>>();
    let promised = curl::assert_kept("quickstart", &lines);

    // All routes of Flask_PyJWT's Quickstart are there, and each is accepted and refused.
    for route in [
        "/login",
        "/protected_route",
        "/user_specific_route/alice",
        "/admin_dashboard",
        "/custom_claim_route",
        "/overridable_route/alice",
        "/token/info",
        "/refresh",
    ] {
        assert!(lines.iter().any(|line| line.contains(route)), "{route}");
    }
    for status in ["200", "401", "403"] {
        let status = Some(status.to_owned());
        assert!(promised.contains(&status), "{status:?}");
    }

    server.process.interrupt();
    let rest = server.process.read_to_end();
    assert!(rest.lines().any(|line| line == "stopped"), "{rest}");
    let status = server.process.wait();
    assert!(status.success(), "{status}");
}
