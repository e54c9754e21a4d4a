//! Users with a few sessions each, who know exactly which of their tokens are good.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use actix_web::rt::{
    spawn,
    task::{JoinHandle, yield_now},
};
use flask_pyjwt::{AuthManager, SessionError, Token, TokenError, TokenPair};
use futures_util::future::{join, join3};
use support::{random::Random, redis::wait_until};

/// The servers of an application, which can be stopped and replaced.
#[derive(Clone)]
pub(crate) struct Servers(Rc<Shared>);

struct Shared {
    servers: RefCell<[AuthManager; 3]>,
    is_stopped: Cell<bool>,
    /// Users in the middle of a step.
    busy: Cell<usize>,
}

impl Servers {
    pub(crate) fn start(servers: [AuthManager; 3]) -> Self {
        Self(Rc::new(Shared {
            servers: RefCell::new(servers),
            is_stopped: Cell::new(false),
            busy: Cell::new(0),
        }))
    }

    /// Begins no further step, and waits for those that run.
    pub(crate) async fn stop(&self) {
        self.0.is_stopped.set(true);
        wait_until("all steps are done", async || self.0.busy.get() == 0).await;
    }

    pub(crate) fn go_on(&self) {
        self.0.is_stopped.set(false);
    }

    pub(crate) fn replace(&self, number: usize, server: AuthManager) {
        self.0.servers.borrow_mut()[number] = server;
    }

    fn any(&self, random: &mut Random) -> AuthManager {
        self.0.servers.borrow()[random.below(3)].clone()
    }
}

/// Users that do something all the time.
pub(crate) struct Load {
    users: Vec<Rc<Cell<usize>>>,
    steps: Rc<Cell<usize>>,
    is_over: Rc<Cell<bool>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    pub(crate) fn start(users: usize, servers: &Servers) -> Self {
        let (steps, is_over) = (Rc::<Cell<usize>>::default(), Rc::<Cell<bool>>::default());
        let changes: Vec<_> = (0..users).map(|_| Rc::<Cell<usize>>::default()).collect();
        let task = |(number, changes): (usize, &Rc<Cell<usize>>)| {
            let user = User {
                name: format!("user {number}"),
                servers: servers.clone(),
                random: Random(u64::try_from(number + 1).expect("small")),
                open: Vec::new(),
                ended: Vec::new(),
                changes: Rc::clone(changes),
            };
            spawn(user.run(Rc::clone(&steps), Rc::clone(&is_over)))
        };
        Self {
            tasks: changes.iter().enumerate().map(task).collect(),
            users: changes,
            steps,
            is_over,
        }
    }

    /// Waits until so many more steps are done.
    pub(crate) async fn wait_for_steps(&self, steps: usize) {
        let enough = self.steps.get() + steps;
        wait_until("steps are done", async || {
            assert!(
                !self.tasks.iter().any(JoinHandle::is_finished),
                "a user has failed"
            );
            self.steps.get() >= enough
        })
        .await;
    }

    /// Waits until each user has changed something.
    pub(crate) async fn wait_for_changes_of_all(&self) {
        let before: Vec<_> = self.users.iter().map(|it| it.get()).collect();
        wait_until("each user has changed something", async || {
            let mut both = self.users.iter().zip(&before);
            both.all(|(now, before)| now.get() > *before)
        })
        .await;
    }

    /// Lets each user finish and check all tokens.
    pub(crate) async fn stop(self) {
        self.is_over.set(true);
        for task in self.tasks {
            task.await.expect("a user has failed");
        }
    }
}

struct User {
    name: String,
    servers: Servers,
    random: Random,
    /// The current pair of each open session.
    open: Vec<TokenPair>,
    /// Tokens of sessions that have ended.
    ended: Vec<Token>,
    /// How often this user has changed something.
    changes: Rc<Cell<usize>>,
}

impl User {
    async fn run(mut self, steps: Rc<Cell<usize>>, is_over: Rc<Cell<bool>>) {
        while !is_over.get() {
            // The others get their turn, even if the store answers at once.
            yield_now().await;
            let shared = Rc::clone(&self.servers.0);
            if shared.is_stopped.get() {
                continue;
            }
            shared.busy.set(shared.busy.get() + 1);
            self.step().await;
            shared.busy.set(shared.busy.get() - 1);
            steps.set(steps.get() + 1);
        }
        let server = self.servers.any(&mut self.random);
        self.check_all(&server).await;
    }

    /// The servers that answer the next requests.
    fn servers(&mut self) -> [AuthManager; 3] {
        [(); 3].map(|()| self.servers.any(&mut self.random))
    }

    async fn step(&mut self) {
        let [one, two, three] = self.servers();
        let choice = self.random.below(10);
        if choice > 2 {
            self.changes.set(self.changes.get() + 1);
        }
        match (choice, self.open.len()) {
            (0..=2, _) => self.check_all(&one).await,
            (3..=4, 0..=3) | (_, 0) => {
                let pair = one.login(&*self.name).claim("n", self.open.len()).await;
                self.open.push(pair.expect("logged in"));
            }
            (3..=7, open) => {
                let session = self.random.below(open);
                let refresh = &self.open[session].refresh;
                let pairs = join(one.refresh(refresh), two.refresh(refresh)).await;
                let [first, second] = [pairs.0, pairs.1].map(|it| it.expect("refreshed"));
                assert_eq!(first.refresh.signed(), second.refresh.signed(), "one wins");
                assert_eq!(first.auth.signed(), second.auth.signed());
                assert_eq!(
                    first.auth.claims()["n"],
                    self.open[session].auth.claims()["n"]
                );
                self.open[session] = first;
            }
            (8, 2..) => {
                // All at once: a logout, a refresh and a login.
                let ended = self.open.swap_remove(0);
                let (out, next, new) = join3(
                    one.logout(&ended.auth),
                    two.refresh(&self.open[0].refresh),
                    three.login(&*self.name).claim("n", "new"),
                )
                .await;
                out.expect("logged out");
                self.open[0] = next.expect("refreshed");
                self.open.push(new.expect("logged in"));
                self.ended.extend([ended.auth, ended.refresh]);
            }
            (8, _) => {
                let ended = self.open.swap_remove(0);
                one.logout(&ended.refresh).await.expect("logged out");
                self.ended.extend([ended.auth, ended.refresh]);
            }
            _ => {
                one.revoke_subject(&self.name).await.expect("revoked");
                for ended in self.open.drain(..) {
                    self.ended.extend([ended.auth, ended.refresh]);
                }
            }
        }
    }

    /// All tokens of open sessions are good, those of ended sessions are revoked, and only the open ones are listed.
    async fn check_all(&mut self, server: &AuthManager) {
        for pair in &self.open {
            for token in [&pair.auth, &pair.refresh] {
                let checked = server.check_revocation(token).await;
                assert_eq!(checked, Ok(()), "{} was logged out", self.name);
            }
        }
        let revoked = Err(SessionError::from(TokenError::Revoked));
        let before = self.ended.len().saturating_sub(4);
        let some = [self.random.below(before + 1)]
            .into_iter()
            .chain(before..self.ended.len());
        for token in some.filter_map(|number| self.ended.get(number)) {
            let checked = server.check_revocation(token).await;
            assert_eq!(checked, revoked, "{} is logged in again", self.name);
            if token.token_type() == flask_pyjwt::TokenType::Refresh {
                let refreshed = server.refresh(token).await;
                assert!(refreshed.is_err(), "{} is logged in again", self.name);
            }
        }
        let listed = server.sessions(&self.name).await.expect("listed");
        let mut listed: Vec<_> = listed.into_iter().map(|it| it.id).collect();
        let open = self.open.iter().filter_map(|it| it.auth.session_id());
        let mut open: Vec<_> = open.map(str::to_owned).collect();
        listed.sort();
        open.sort();
        assert_eq!(listed, open, "{}", self.name);
    }
}
