//! `PostgresStore` with real servers, separate ones for each test.
//!
//! `POSTGRES_BIN` selects another folder of programs than that of Debian's newest version.

mod conformance;
mod faults;
mod killed;
mod left_behind;
mod long_ids;
mod near_cache;
mod races;
mod records;
mod same;
mod tables;

use support::postgres as server;
