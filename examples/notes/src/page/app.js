// The page's script. It keeps no token: the tokens are in cookies that scripts cannot read. It reads one cookie,
// `__Host-csrf`: the proof that a request comes from a page of this site.

const $ = (id) => document.getElementById(id);

function proof() {
  const name = "__Host-csrf=";
  const cookie = document.cookie.split("; ").find((cookie) => cookie.startsWith(name));
  return cookie?.slice(name.length) ?? "";
}

// --- Asking the server ---------------------------------------------------------------------------------

class Refused extends Error {
  constructor(status, answer) {
    super(answer.error_description ?? `The server answered ${status}`);
    this.status = status;
    this.code = answer.error;
  }
}

async function ask(method, path, json) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") {
    headers["X-CSRF-Token"] = proof();
  }
  if (json) {
    headers["Content-Type"] = "application/json";
  }
  const response = await fetch(path, { method, headers, body: json && JSON.stringify(json) }).catch(() => {
    throw new Error("The server cannot be reached");
  });
  const answer = await response.text().then((text) => (text ? JSON.parse(text) : {}));
  if (!response.ok) {
    throw new Refused(response.status, answer);
  }
  return answer;
}

/** Runs the action of a button, once at a time, and shows the result. */
async function attempt(button, action) {
  if (button.ariaDisabled === "true") {
    return;
  }
  button.ariaDisabled = "true"; // `disabled` would take the focus from it
  try {
    say(await action());
  } catch (error) {
    complain(error);
  }
  button.ariaDisabled = null;
}

function complain(error) {
  // `wrong_login` is about the input. Any other 401 is about the session.
  if (error.status === 401 && error.code !== "wrong_login" && me) {
    showSignedOut();
    say("Your session has ended. Please log in again.", true);
  } else {
    say(`${error.message}.`, true);
  }
}

function say(text = "", isError = false) {
  $("message").textContent = text;
  $("message").classList.toggle("error", isError);
}

// --- The user ------------------------------------------------------------------------------------------

let me = null; // the last answer of /me

async function start() {
  try {
    await showSignedIn(await ask("GET", "/me"));
  } catch (error) {
    showSignedOut();
    if (error.status !== 401) {
      complain(error);
    }
  }
}

async function showSignedIn(answer) {
  me = answer;
  $("name").textContent = me.username;
  $("admin").hidden = !me.admin;
  $("who").hidden = false;
  $("signed-out").hidden = true;
  $("signed-in").hidden = false;
  $("users-card").hidden = !me.admin;
  await Promise.all([showNotes(), me.admin && showUsers()]);
}

/** Removes everything of the user from the page. */
function showSignedOut() {
  me = null;
  $("name").textContent = "";
  $("notes").replaceChildren();
  $("users").replaceChildren();
  $("add").reset();
  $("who").hidden = true;
  $("signed-in").hidden = true;
  $("signed-out").hidden = false;
}

$("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(event.submitter, async () => {
    const { username, password } = form.elements;
    await ask("POST", event.submitter.value, { username: username.value, password: password.value });
    form.reset();
    await showSignedIn(await ask("GET", "/me"));
    $("notes-title").focus();
    return `Welcome, ${me.username}.`;
  });
});

$("logout").addEventListener("click", ({ target }) =>
  attempt(target, async () => {
    await ask("POST", "/logout");
    showSignedOut();
    $("username").focus();
    return "You are logged out.";
  }),
);

// Another tab may have logged out, or logged in as another user.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && me) {
    ask("GET", "/me").then((answer) => {
      if (answer.account !== me?.account) {
        location.reload();
      }
    }, complain);
  }
});

// --- Notes ---------------------------------------------------------------------------------------------

$("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(event.submitter, async () => {
    await ask("POST", "/notes", { text: form.elements.text.value });
    form.reset();
    await showNotes();
    return "Your note is saved.";
  });
});

async function showNotes() {
  const notes = await ask("GET", "/notes");
  $("no-notes").hidden = notes.length > 0;
  $("notes").replaceChildren(...notes.map(noteItem));
}

// `textContent`, never `innerHTML`: a note cannot run as a script.
function noteItem(note) {
  const item = $("note").content.cloneNode(true);
  item.querySelector(".text").textContent = note.text;
  showTime(item.querySelector("time"), note.created);
  const button = item.querySelector("button");
  button.ariaLabel = `Delete: ${note.text.slice(0, 40)}`;
  button.addEventListener("click", () =>
    attempt(button, async () => {
      await ask("DELETE", `/notes/${note.id}`);
      await showNotes();
      $("notes-title").focus();
      return "The note is deleted.";
    }),
  );
  return item;
}

function showTime(element, seconds) {
  const date = new Date(seconds * 1000);
  element.dateTime = date.toISOString();
  element.textContent = date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

// --- Users, for the admin ------------------------------------------------------------------------------

const PAGE = 100; // the server lists as many at a time
let lastUser = "";

async function showUsers() {
  lastUser = "";
  $("users").replaceChildren();
  await moreUsers();
}

async function moreUsers() {
  const users = await ask("GET", `/admin/users?after=${encodeURIComponent(lastUser)}`);
  $("users").append(...users.map(userItem));
  lastUser = users.at(-1)?.username ?? lastUser;
  $("more-users").hidden = users.length < PAGE;
}

$("more-users").addEventListener("click", ({ target }) => attempt(target, moreUsers));

function userItem(user) {
  const item = $("user").content.cloneNode(true);
  item.querySelector("b").textContent = user.username;
  item.querySelector(".badge").hidden = !user.admin;
  showTime(item.querySelector("time"), user.created);
  return item;
}

start();
