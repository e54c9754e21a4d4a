//! Explanations: they come to the same decision as a guard, and say nothing of a token's values.

mod decisions;
mod events;
mod texts;
