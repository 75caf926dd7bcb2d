"use strict";
// The page around textual-serve's terminal. That knows one web socket, and nothing of its end; what it is given here
// looks like one, and comes back to the same session by itself.

const ENDED = 4000, TAKEN = 4001, FAILED = 4002, CHOOSE = 4003, GONE = 4004, SERVER_ENDS = 1001;
const PING_EVERY = 10000, PATIENCE = 15000, FIRST_WAIT = 500, LONGEST_WAIT = 15000;
const LONGEST_PIECE = 16384;
const PlainSocket = window.WebSocket;
// The browser remembers the address that was typed, with its token, as long as this entry of its history stands.
const leaving = performance.getEntriesByType("navigation")[0]?.redirectCount > 0;
if (leaving) location.replace(location.pathname + location.search);
const find = (id) => document.getElementById(id);

// What is said over the terminal, with buttons; `bar`: below it.
function say(text, answers = [], bar = false) {
  find("said").textContent = text;
  find("answers").replaceChildren(...answers.map(([label, act]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", act);
    return button;
  }));
  document.body.classList.add("-said");
  document.body.classList.toggle("-bar", bar);
  if (answers.length && !bar) find("answers").firstChild.focus();
}

function hush() {
  document.body.classList.remove("-said", "-bar");
  type();
}

function type() {
  document.querySelector(".xterm-helper-textarea")?.focus({ preventScroll: true });
}

class LastingSocket extends EventTarget {
  constructor(url) {
    super();
    LastingSocket.only = this;
    this.url = new URL(url, location.href);
    this.app = sessionStorage.getItem("app") ?? "";
    this.lost = false;
    this.wait = FIRST_WAIT;
    this.heard = this.asked = 0;
    setInterval(() => this.watch(), PING_EVERY);
    addEventListener("offline", () => this.socket && this.lose());
    addEventListener("online", () => this.look());
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    this.retry();
  }

  connect() {
    const url = new URL(this.url);
    url.searchParams.set("key", localStorage.getItem("key") ?? "");
    for (const [name, value] of Object.entries(this.size ?? {})) url.searchParams.set(name, value);
    if (this.app) url.searchParams.set("app", this.app);
    if (this.lost) url.searchParams.set("back", "1");
    const socket = (this.socket = new PlainSocket(url));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.asked = 0;
      if (!this.opened) this.dispatchEvent(new Event("open"));
      this.opened = true;
    };
    socket.onmessage = (message) => this.take(message.data);
    socket.onclose = (event) => this.closed(event.code);
  }

  // What the terminal calls.

  set binaryType(_kind) {}

  send(text) {
    const [kind, value] = JSON.parse(text);
    if (kind === "resize") this.size = value;
    if (this.socket?.readyState !== PlainSocket.OPEN) return;
    // Escape, said so that it is no beginning of the next key, which may reach a busy application with it.
    if (kind === "stdin" && value === "\x1b") return this.socket.send(JSON.stringify([kind, "\x1b[27u"]));
    if (kind !== "stdin" || value.length <= LONGEST_PIECE) return this.socket.send(text);
    const characters = [...value];
    for (let at = 0; at < characters.length; at += LONGEST_PIECE)
      this.socket.send(JSON.stringify([kind, characters.slice(at, at + LONGEST_PIECE).join("")]));
  }

  // What comes.

  take(data) {
    this.heard = Date.now();
    const [kind, value] = typeof data === "string" ? JSON.parse(data) : ["draw"];
    if (kind === "app") {
      this.app = value;
      sessionStorage.setItem("app", value);
    } else if (kind === "title") {
      document.title = value ? `${value} · Pygent` : "Pygent";
    } else if (kind === "choose") {
      this.choose(value);
    } else if (kind === "failed") {
      this.why = value;
    } else if (kind === "silent") {
      say("The session does not answer yet.", [["End it", () => this.send('["end"]')]], true);
    } else if (kind !== "pong" || value !== "there") {
      if (kind === "draw") this.shows();
      this.dispatchEvent(new MessageEvent("message", { data }));
    }
  }

  shows() {
    if (document.body.classList.contains("-said")) hush();
    document.body.classList.remove("-closed");
    this.lost = false;
    this.wait = FIRST_WAIT;
  }

  choose({ sessions, most, full }) {
    const answers = sessions.map(({ key, number, title, since, shown }) => {
      const at = new Date(since * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      const what = title ? ` (${title})` : "";
      return [`Show session ${number}${what}, since ${at}${shown ? ", here instead" : ""}`, () => this.go(key)];
    });
    if (!full) answers.push(["Start another", () => this.go("new")]);
    this.chosen = true;
    say(full && most > 1 ? `${most} sessions run, and there can be no more (web_sessions).`
      : "Another tab or browser shows this session.", answers);
  }

  go(app) {
    this.app = app;
    this.lost = this.chosen = false;
    hush();
    this.connect();
  }

  // What ends.

  closed(code) {
    document.body.classList.add("-closed");
    const again = [["Start another", () => this.go("new")]];
    if (code === ENDED) say("The session has ended.", again);
    else if (code === FAILED) say(this.why ?? "The session could not be started.", again);
    else if (code === GONE) say("The session ended meanwhile: its time without a tab was over, or it was left.", again);
    else if (code === TAKEN) say("Another tab or browser shows this session now.", [["Show it here", () => this.go(this.app)]]);
    else if (code === SERVER_ENDS) say("The server has ended, and its sessions with it. Sessions are stored: pygent --resume");
    else if (code === CHOOSE) this.chosen || say(this.why ?? "This cannot be shown.", again);
    else this.lose();
  }

  lose() {
    if (this.socket.onclose === null) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    document.body.classList.add("-closed");
    this.lost = this.opened;
    this.later();
  }

  later() {
    const seconds = (this.wait * (0.75 + Math.random() / 2)) / 1000;
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    clearTimeout(this.timer);
    const shown = seconds < 2 ? "" : ` in ${Math.round(seconds)} seconds`;
    say(`The connection is lost; the session goes on. Trying again${shown}…`, [["Try now", () => this.retry()]]);
    this.timer = setTimeout(() => this.retry(), seconds * 1000);
  }

  async retry() {
    if (leaving) return;
    clearTimeout(this.timer);
    try {
      const status = await this.askForKey();
      if (status < 300) return this.connect();
      if (status === 401 || status === 409)
        return say("The server was started again, or does not know this browser. Open the address that it printed last.",
          [["Load the page again", () => location.reload()]]);
    } catch { /* it is not there yet */ }
    this.later();
  }

  // The page's own secret, which no other port of this machine gets to see, unlike the cookie.
  async askForKey(tries = 5) {
    const body = localStorage.getItem("key") ?? "";
    const answer = await fetch("/key", { method: "POST", body, cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (answer.status === 200) localStorage.setItem("key", await answer.text());
    if (answer.status !== 409 || !tries) return answer.status;
    await new Promise((done) => setTimeout(done, 100)); // another tab may just be getting it
    return this.askForKey(tries - 1);
  }

  // Whether the other end is still there: nobody says so when a cable is pulled.

  watch(patience = PATIENCE) {
    if (this.socket?.readyState !== PlainSocket.OPEN) return;
    if (this.asked && this.heard < this.asked) {
      if (Date.now() - this.asked > patience) this.lose();
      return;
    }
    this.asked = Date.now();
    this.send('["ping", "there"]');
  }

  look() {
    if (!this.socket) return;
    if (this.socket.onclose === null) return void this.retry();
    this.watch();
    setTimeout(() => this.watch(2000), 3000);
  }
}
window.WebSocket = LastingSocket;

// The terminal measures its font once, when it starts: not before the font is there.
addEventListener("DOMContentLoaded", () => {
  const terminal = find("terminal");
  const socket = new URL("ws", location.href); // the address that the browser knows, behind a tunnel another one
  socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  terminal.dataset.sessionWebsocketUrl = socket.origin + socket.pathname;
  const size = Number(new URLSearchParams(location.search).get("fontsize"));
  terminal.dataset.fontSize = size >= 6 && size <= 72 ? size : innerWidth < 600 ? 12 : 16;

  const start = window.onload;
  window.onload = async (event) => {
    const fonts = ["", "bold ", "italic "].map((style) => document.fonts.load(`${style}16px "Roboto Mono"`));
    const late = new Promise((done) => setTimeout(done, 3000));
    await Promise.race([Promise.allSettled(fonts), late]);
    start(event);
    touch(terminal);
  };

  // Who opens the page wants to type; the focus is reported through the connection, so that comes first.
  let typing = false;
  new MutationObserver(() => {
    if (document.body.classList.contains("-first-byte") && !typing) {
      typing = true;
      type();
    }
  }).observe(document.body, { attributeFilter: ["class"] });

  // A touch keyboard covers a part of the page, which is not there for the terminal then.
  window.visualViewport?.addEventListener("resize", () => {
    document.body.style.height = `${visualViewport.height}px`;
    scrollTo(0, 0);
    window.onresize?.();
  });

  // Keys that touch keyboards do not have. The keyboard stays as it is: no button takes the focus.
  for (const button of document.querySelectorAll("#keys button")) {
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", () => LastingSocket.only?.send(JSON.stringify(["stdin", button.dataset.keys])));
  }
});

// A finger that moves turns the wheel.
function touch(terminal) {
  let last = null;
  const step = 24;
  terminal.addEventListener("touchstart", ({ touches }) => { last = touches.length === 1 ? touches[0] : null; });
  terminal.addEventListener("touchmove", (event) => {
    const now = event.touches[0];
    if (last === null || Math.abs(now.clientY - last.clientY) < step) return;
    const deltaY = last.clientY - now.clientY;
    terminal.querySelector(".xterm-screen").dispatchEvent(new WheelEvent("wheel", {
      deltaY, clientX: now.clientX, clientY: now.clientY, bubbles: true, cancelable: true,
    }));
    last = now;
  }, { passive: true });
}
