// The page's script. It never sees a token: those are in cookies for the server alone. What it reads is
// the cookie `__Host-csrf`, the proof that a request comes from this site's own page. The token that a script can see
// is in bound.js.

export const $ = (id) => document.getElementById(id);

function proof() {
  const name = "__Host-csrf=";
  const cookie = document.cookie.split("; ").find((cookie) => cookie.startsWith(name));
  return cookie?.slice(name.length) ?? "";
}

// --- Asking the server ---------------------------------------------------------------------------------

class Refused extends Error {
  constructor(status, answer) {
    super(answer.error_description ?? `the server answered ${status}`);
    this.status = status;
    this.code = answer.error;
  }
}

async function ask(method, path, form) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") {
    headers["X-CSRF-Token"] = proof();
  }
  const body = form && new URLSearchParams(form);
  const response = await fetch(path, { method, headers, body }).catch(() => {
    throw new Error("the server cannot be reached");
  });
  const answer = await response.text().then((text) => (text ? JSON.parse(text) : {}));
  if (!response.ok) {
    throw new Refused(response.status, answer);
  }
  return answer;
}

/** Does what a button stands for, once at a time, and says what came of it. */
export async function attempt(button, action) {
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
  if (error.status === 401 && me) {
    showSignedOut();
    say("Your session has ended. Please log in again.", true);
  } else if (error.code === "wrong_login") {
    say("The name or the password is wrong.", true);
  } else {
    say(`That did not work: ${error.message}.`, true);
  }
}

function say(text = "", isError = false) {
  $("message").textContent = text;
  $("message").classList.toggle("error", isError);
}

// --- Who is here, and until when -----------------------------------------------------------------------

let me = null; // what /me has said last
let ahead = 0; // the seconds by which this device's clock is ahead of the server's
let asking = null; // the question that is under way

const serverNow = () => Date.now() / 1000 - ahead;

/** Asks who is here. Where the auth token has ended, the server renews it together with this answer. */
function update() {
  asking ??= ask("GET", "/me")
    .then(showSignedIn)
    .catch((error) => (error.status === 401 && !me ? showSignedOut() : complain(error)))
    .finally(() => (asking = null));
  return asking;
}

async function showSignedIn(answer) {
  const before = me;
  me = answer;
  ahead = Date.now() / 1000 - me.now;
  $("name").textContent = me.sub;
  $("admin").hidden = !me.admin;
  $("signed-out").hidden = true;
  $("signed-in").hidden = false;
  showTimes();
  if (before?.session !== me.session) {
    startClock();
  } else if (before.token_ends < me.token_ends) {
    say("The server has renewed your auth token silently.");
  }
  await Promise.all([showSessions(), showNotes()]);
}

function showSignedOut() {
  me = null;
  stopClock();
  $("signed-in").hidden = true;
  $("signed-out").hidden = false;
}

function showTimes() {
  for (const name of ["token", "session"]) {
    const ends = me[`${name}_ends`];
    $(`${name}-ends`).dateTime = new Date(ends * 1000).toISOString();
    $(`${name}-ends`).textContent = moment(ends);
    $(`${name}-left`).textContent = left(ends - serverNow());
  }
}

function moment(seconds) {
  const date = new Date(seconds * 1000);
  const isToday = date.toDateString() === new Date().toDateString();
  return date.toLocaleString("en-GB", { timeStyle: "medium", dateStyle: isToday ? undefined : "medium" });
}

function left(seconds) {
  if (seconds <= 0) {
    return "(has ended)";
  }
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, length] = units.find(([, length]) => seconds >= 2 * length) ?? units.at(-1);
  return `(${new Intl.RelativeTimeFormat("en").format(Math.ceil(seconds / length), unit)})`;
}

setInterval(() => {
  if (me) {
    showTimes();
    if (me.token_ends <= serverNow()) {
      update();
    }
  }
}, 1000);

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") {
    update();
  }
});

// --- Logging in, renewing, logging out -----------------------------------------------------------------

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(event.submitter, async () => {
    await ask("POST", "/login", new FormData(form));
    form.reset();
    await update();
    $("you-title").focus();
    return `Welcome, ${me.sub}.`;
  });
});

$("renew").addEventListener("click", ({ target }) =>
  attempt(target, async () => {
    await ask("POST", "/renew");
    await update();
    return "Both tokens are new.";
  }),
);

$("logout").addEventListener("click", ({ target }) =>
  attempt(target, async () => {
    await ask("POST", "/logout");
    showSignedOut();
    $("username").focus();
    return "You are logged out.";
  }),
);

// --- Notes ---------------------------------------------------------------------------------------------

$("note").addEventListener("submit", (event) => {
  const form = event.target;
  if (event.submitter.value === "form") {
    // The browser sends the form by itself, and then loads the page anew.
    form.elements.csrf_token.value = proof();
    return;
  }
  event.preventDefault();
  attempt(event.submitter, async () => {
    await ask("POST", "/note", { text: form.elements.text.value });
    form.reset();
    await showNotes();
    return "Your note was kept. The proof was in a header.";
  });
});

if (location.hash === "#note-kept") {
  history.replaceState(null, "", "/");
  say("Your note was kept. The proof was in a form field.");
}

async function showNotes() {
  const notes = await ask("GET", "/notes");
  const items = notes.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  });
  $("notes").replaceChildren(...items);
}

// --- Sessions ------------------------------------------------------------------------------------------

async function showSessions() {
  const sessions = await ask("GET", "/sessions");
  const focused = document.activeElement.dataset.session;
  $("sessions").replaceChildren(...sessions.map(sessionItem));
  if (focused) {
    $("sessions").querySelector(`[data-session="${CSS.escape(focused)}"]`)?.focus();
  }
}

function sessionItem(session) {
  const item = $("session").content.cloneNode(true);
  const [name, badge, times, button] = ["b", ".badge", ".hint", "button"].map((it) => item.querySelector(it));
  name.textContent = browserName(session.label ?? "");
  badge.hidden = !session.current;
  const opened = `opened ${moment(session.opened)}`;
  const isRenewed = session.refreshed > session.opened;
  times.textContent = isRenewed ? `${opened}, renewed ${moment(session.refreshed)}` : opened;
  button.ariaLabel = `End this one: ${name.textContent}, ${opened}`;
  button.dataset.session = session.id;
  button.addEventListener("click", () => endSession(button, session));
  return item;
}

function endSession(button, session) {
  attempt(button, async () => {
    await ask("POST", `/sessions/${encodeURIComponent(session.id)}/end`);
    if (session.current) {
      showSignedOut();
      $("username").focus();
      return "This session has ended.";
    }
    await showSessions();
    $("sessions-title").focus();
    return "That session has ended.";
  });
}

$("end-all").addEventListener("click", ({ target }) =>
  attempt(target, async () => {
    await ask("POST", "/logout_everywhere");
    showSignedOut();
    $("username").focus();
    return "All your sessions have ended.";
  }),
);

function browserName(agent) {
  const find = (names) => Object.keys(names).find((name) => agent.includes(name));
  const browsers = { "Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari" };
  const systems = { Android: "Android", iPhone: "iPhone", iPad: "iPad", Windows: "Windows", Mac: "Mac", Linux: "Linux" };
  const [browser, system] = [browsers[find(browsers)], systems[find(systems)]];
  return browser && system ? `${browser} on ${system}` : agent.slice(0, 40) || "Unknown browser";
}

// --- The clock -----------------------------------------------------------------------------------------

let socket = null;

function startClock() {
  stopClock();
  const opened = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket = opened;
  showClockStatus("Connecting");
  opened.onmessage = ({ data }) => {
    $("clock").textContent = new Date(Number(data) * 1000).toLocaleTimeString("en-GB");
    if (!$("clock-status").classList.contains("live")) {
      showClockStatus("Live", true);
    }
  };
  opened.onclose = ({ reason }) => {
    if (socket !== opened) {
      return;
    }
    socket = null;
    const why = {
      token_expired: "The server closed the clock: the token it was opened with has expired.",
      token_revoked: "The server closed the clock: the session was ended.",
    };
    showClockStatus(why[reason] ?? "The clock has lost its connection.");
    $("clock-start").hidden = false;
    if (reason !== "token_expired") {
      update(); // whoever is logged out sees it at once
    }
  };
}

function stopClock() {
  const opened = socket;
  socket = null;
  opened?.close();
}

function showClockStatus(text, isLive = false) {
  $("clock-status").textContent = text;
  $("clock-status").classList.toggle("live", isLive);
  $("clock").classList.toggle("stopped", !isLive);
  $("clock-start").hidden = true;
}

$("clock-start").addEventListener("click", () => {
  startClock();
  $("clock-title").focus();
});

update();
