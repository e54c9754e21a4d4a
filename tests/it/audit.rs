//! The audit finds who may enter by each route, and every planted mistake.

mod attacks;
mod mistakes;
mod table;

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use flask_pyjwt::testing::AuditReport;

/// The text with which the report fails.
fn failure(report: &AuditReport, public: &[&str]) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| report.assert_public(public)));
    let panic: Box<dyn Any + Send> = panic.expect_err("the audit has to find something");
    panic.downcast_ref::<String>().expect("a text").clone()
}
