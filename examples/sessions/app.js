// The page's script. It keeps the tokens in memory only: whoever loads the page again logs in again. All that
// comes from users is written as text, never as HTML.

const $ = (id) => document.getElementById(id);

// --- Asking the server ---------------------------------------------------------------------------------

class Refused extends Error {
  constructor(status, answer) {
    super(answer.error_description ?? answer.error ?? `the server answered ${status}`);
    this.status = status;
    this.code = answer.error;
  }
}

let tokens = null; // the latest pair
let renewing = null; // the refresh that is under way: each refresh token works once

async function send(method, path, token, form) {
  const headers = { Accept: "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
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

/** Asks with the auth token. If that has expired, the next pair is fetched first. */
async function ask(method, path, form) {
  const { auth_token: token } = tokens;
  try {
    return await send(method, path, token, form);
  } catch (error) {
    if (error.status !== 401) {
      throw error;
    }
    if (token === tokens.auth_token) {
      renewing ??= send("POST", "/refresh", tokens.refresh_token).finally(() => (renewing = null));
      tokens = await renewing;
    }
    return send(method, path, tokens.auth_token, form);
  }
}

/** Does what a button stands for, once at a time, and says what came of it. */
async function attempt(button, action) {
  if (button.ariaDisabled === "true") {
    return;
  }
  button.ariaDisabled = "true"; // `disabled` would take the focus from it
  try {
    say(await action());
  } catch (error) {
    if (error.status === 401 && tokens) {
      showSignedOut();
      say("Your session has ended. Please log in again.", true);
    } else if (error.code === "wrong_login") {
      say("The name or the password is wrong.", true);
    } else {
      say(`That did not work: ${error.message}.`, true);
    }
  }
  button.ariaDisabled = null;
}

function say(text = "", isError = false) {
  $("message").textContent = text;
  $("message").classList.toggle("error", isError);
}

// --- Logging in and out --------------------------------------------------------------------------------

let me = null; // name and session

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(event.submitter, async () => {
    tokens = await send("POST", "/login", null, new FormData(form));
    form.reset();
    me = await ask("GET", "/me");
    $("name").textContent = me.sub;
    $("admin").hidden = !me.admin;
    await showOwn();
    $("signed-out").hidden = true;
    $("signed-in").hidden = false;
    $("own-title").focus();
    return `Welcome, ${me.sub}.`;
  });
});

$("logout").addEventListener("click", ({ target }) =>
  attempt(target, async () => {
    await ask("POST", "/logout");
    showSignedOut();
    return "You are logged out.";
  }),
);

function showSignedOut() {
  tokens = me = shown = null;
  for (const list of ["own", "any"]) {
    $(list).replaceChildren();
  }
  for (const id of ["signed-in", "more", "end-any"]) {
    $(id).hidden = true;
  }
  $("search").reset();
  $("signed-out").hidden = false;
  $("username").focus();
}

// --- One's own sessions --------------------------------------------------------------------------------

async function showOwn() {
  const sessions = await ask("GET", "/sessions");
  $("own").replaceChildren(...sessions.map((session) => item(session, endOwn)));
  $("end-others").hidden = sessions.length < 2;
}

async function endOwn(session) {
  const { ended } = await ask("POST", `/sessions/${encodeURIComponent(session.id)}/end`);
  if (session.current) {
    showSignedOut();
    return "This session has ended.";
  }
  await showOwn();
  $("own-title").focus();
  return ended ? "That session has ended." : "That session had ended before.";
}

$("end-others").addEventListener("click", ({ target }) =>
  attempt(target, async () => {
    const { ended } = await ask("POST", "/sessions/end_others");
    await showOwn();
    $("own-title").focus();
    return count(ended);
  }),
);

// --- Anybody's sessions --------------------------------------------------------------------------------

let shown = null; // whose sessions are listed, and where the next page begins

$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(event.submitter, async () => {
    shown = { subject: $("subject").value, next: null };
    $("any").replaceChildren();
    const found = await showPage();
    return found ? "" : `${shown.subject} has no open session.`;
  });
});

$("more").addEventListener("click", ({ target }) =>
  attempt(target, async () => {
    $("any").replaceChildren();
    await showPage();
    $("any-title").focus();
  }),
);

/** Shows the next page. Returns whether there is anything on it. */
async function showPage() {
  const query = new URLSearchParams({ subject: shown.subject, ...(shown.next && { after: shown.next }) });
  const { sessions, next } = await ask("GET", `/admin/sessions?${query}`);
  shown.next = next;
  $("any").replaceChildren(...sessions.map((session) => item(session, endAny)));
  $("more").hidden = !next;
  $("end-any").hidden = sessions.length === 0;
  $("end-any").textContent = `End all of ${shown.subject}`;
  return sessions.length > 0;
}

async function endAny(session, row) {
  const { ended } = await ask("POST", "/admin/end", { subject: shown.subject, session: session.id });
  if (session.current) {
    showSignedOut();
    return "This session has ended.";
  }
  row.remove();
  await showOwn();
  $("any-title").focus();
  return ended ? "That session has ended." : "That session had ended before.";
}

$("end-any").addEventListener("click", ({ target }) =>
  attempt(target, async () => {
    const { ended } = await ask("POST", "/admin/end", { subject: shown.subject });
    if (shown.subject === me.sub) {
      showSignedOut();
      return count(ended);
    }
    shown.next = null;
    await showPage();
    $("any-title").focus();
    return count(ended);
  }),
);

// --- How a session looks -------------------------------------------------------------------------------

function item(session, end) {
  const row = $("session").content.firstElementChild.cloneNode(true);
  const [name, badge, hint, button] = ["b", ".badge", ".hint", "button"].map((it) => row.querySelector(it));
  name.textContent = device(session.user_agent ?? session.label ?? "");
  badge.hidden = !session.current;
  const isRefreshed = session.refreshed > session.opened;
  hint.textContent = [
    session.address && `from ${session.address}`,
    `opened ${moment(session.opened)}`,
    isRefreshed && `last refresh ${moment(session.refreshed)}`,
  ].filter(Boolean).join(", ");
  button.ariaLabel = `End: ${name.textContent}, ${hint.textContent}`;
  button.addEventListener("click", () => attempt(button, () => end(session, row)));
  return row;
}

function device(agent) {
  const find = (names) => Object.keys(names).find((name) => agent.includes(name));
  const browsers = { "Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari", "curl/": "curl" };
  const systems = { Android: "Android", iPhone: "iPhone", iPad: "iPad", Windows: "Windows", Mac: "Mac", Linux: "Linux" };
  const [browser, system] = [browsers[find(browsers)], systems[find(systems)]];
  return browser && system ? `${browser} on ${system}` : agent.slice(0, 60) || "Unknown device";
}

function moment(seconds) {
  const date = new Date(seconds * 1000);
  const isToday = date.toDateString() === new Date().toDateString();
  return date.toLocaleString("en-GB", { timeStyle: "short", dateStyle: isToday ? undefined : "medium" });
}

function count(ended) {
  return ended === 1 ? "One session has ended." : `${ended || "No"} sessions have ended.`;
}

showSignedOut();
