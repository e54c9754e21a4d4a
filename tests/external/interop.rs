//! Compatibility with the real `Flask_PyJWT`: a Flask server and an actix server with the same `.env` file
//! accept each other's tokens, read the same values from them and refuse the same tokens.

mod dotenv_files;
mod fleet;
mod http;
mod key_set;
mod python;
use support::random;
mod refusals;
mod server;
mod setup;

use serde_json::json;

use self::{
    fleet::Fleet,
    python::{Packages, Python},
    server::Actix,
    setup::Keys,
};

#[test]
fn a_mixed_fleet_works_with_the_packages_of_the_release() {
    one_fleet(Packages::Release);
}

#[test]
fn a_mixed_fleet_works_with_the_newest_packages() {
    one_fleet(Packages::Newest);
}

#[test]
fn a_dotenv_file_reads_as_in_python_dotenv_of_the_release() {
    dotenv_files_read_alike(Packages::Release);
}

#[test]
fn a_dotenv_file_reads_as_in_the_newest_python_dotenv() {
    dotenv_files_read_alike(Packages::Newest);
}

#[test]
fn our_key_set_is_read_by_the_pyjwt_of_the_release() {
    key_set::is_read_by_py_jwk_client(Packages::Release);
}

#[test]
fn our_key_set_is_read_by_the_newest_pyjwt() {
    key_set::is_read_by_py_jwk_client(Packages::Newest);
}

fn one_fleet(packages: Packages) {
    let Some(python) = Python::with(packages) else {
        return;
    };
    for algorithm in ["HS256", "HS512", "RS256", "RS512"] {
        println!("{packages:?}, {algorithm}");
        let keys = Keys::generate(algorithm);
        let dotenv = keys.dotenv(algorithm, &format!("fleet-{packages:?}-{algorithm}"));
        let fleet = Fleet {
            flask: python.serve(&dotenv),
            actix: Actix::serve(&dotenv),
        };
        fleet.tokens_of_each_are_accepted_and_read_alike_by_both(algorithm);
        fleet.routes_answer_alike();
        fleet.tokens_are_refused_by_both(algorithm, &keys, &dotenv);
        fleet.requests_are_refused_by_both();
        fleet.integer_subjects_are_accepted_on_request(packages, algorithm, &dotenv);
    }
}

fn dotenv_files_read_alike(packages: Packages) {
    let Some(python) = Python::with(packages) else {
        return;
    };
    let files = dotenv_files::all();
    let environment = json!(std::collections::BTreeMap::from(dotenv_files::ENVIRONMENT));
    let asked = files
        .iter()
        .map(|text| json!([text, environment]))
        .collect();
    let answers = python.dotenv_values(&asked);
    assert_eq!(answers.as_array().map(Vec::len), Some(files.len()));

    let environment = |name: &str| {
        let found = dotenv_files::ENVIRONMENT
            .iter()
            .find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let mut bindings = 0;
    for (number, text) in files.iter().enumerate() {
        let ours = flask_pyjwt::__private::dotenv(text, &environment);
        bindings += ours.len();
        assert_eq!(json!(ours), answers[number], "{text:?}");
    }
    assert!(
        files.len() > 700 && bindings > 1_000,
        "{} files, {bindings} bindings",
        files.len()
    );
}
