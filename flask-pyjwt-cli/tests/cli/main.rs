//! The real program, in folders of its own and with a cleared environment.

mod doctor;
mod explain;
mod external;
mod inspect;
mod keygen;
mod mint;
mod program;
mod rotate;
mod secrets;
mod sessions;
mod shell;
