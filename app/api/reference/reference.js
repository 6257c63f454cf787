"use strict";
// What the page does beside being read: one choice of language for all examples, "Copy", and
// "Try it". What is typed stays in the page's memory, and goes nowhere but into the requests.

const api = new URL("../", location.href);
const prefix = "/apis/v2/public/";

// An element; attributes that are functions are listeners.
function make(name, attributes = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...inside);
  return element;
}

function all(selector, within = document) {
  return [...within.querySelectorAll(selector)];
}

function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Examples

function chooseLanguage(event) {
  for (const choice of all(".tabs input")) choice.checked = choice.value === event.target.value;
}

async function copy(event) {
  const button = event.target;
  const shown = all("pre", button.parentNode).find((pre) => pre.offsetParent !== null);
  getSelection().selectAllChildren(shown);
  try {
    await navigator.clipboard.writeText(shown.textContent);
  } catch {
    document.execCommand("copy"); // without a secure context
  }
  button.textContent = "Copied";
}

// Values that calls have in common, by the names of their fields.
const shared = new Map();
const secrets = ["api_key", "developer_secret"];
const ids = ["org_id", "member_id", "contact_id"];

// Puts a value into all forms and, if it is no secret, into the examples.
function share(name, value, from) {
  shared.set(name, value);
  for (const input of all(`[data-shared=${name}]`)) if (input !== from) input.value = value;
  if (secrets.includes(name)) return;
  for (const place of all(`var[data-name=${name}]`)) {
    place.dataset.example ??= place.textContent;
    const example = place.dataset.example;
    place.textContent = value === "" ? example : example[0] + value.replace(/[^\w-]/g, "") + example[0];
  }
}

// Forms: an input for each field of the call, by the attributes of its description.

function choose(values) {
  return make("select", {}, make("option", { value: "" }, "not sent"), ...values.map((value) => make("option", {}, value)));
}

const inputs = {
  flag: () => choose(["0", "1"]),
  boolean: () => choose(["false", "true"]),
  word: (row) => choose(row.dataset.words.split(" ")),
  integer: (row) => make("input", { type: "number", min: row.dataset.min, max: row.dataset.max }),
  secret: () => make("input", { type: "password" }),
  text: (row) => make(row.dataset.max > 4096 ? "textarea" : "input"),
};
inputs.change = inputs.text;
inputs.id = () => make("input");

const numbers = ["flag", "integer"];

// What the text of an input is in JSON; undefined: nothing.
function valueOf(input) {
  if (input.value === "") return undefined;
  if (input.dataset.type === "boolean") return input.value === "true";
  return numbers.includes(input.dataset.type) ? Number(input.value) : input.value;
}

function withShow(input) {
  const button = make("button", {
    type: "button", "aria-pressed": "false", "aria-label": `Show ${input.name}`,
    click: () => {
      const hidden = input.type === "password";
      input.type = hidden ? "text" : "password";
      button.setAttribute("aria-pressed", String(hidden));
      button.textContent = hidden ? "Hide" : "Show";
    },
  }, "Show");
  return make("span", { class: "secret" }, input, button);
}

function initialOf(row) {
  const example = row.querySelector(":scope > dd .value");
  return "filled" in row.dataset && row.dataset.type !== "id" && example ? String(JSON.parse(example.textContent)) : "";
}

function field(row, id, top) {
  const { name, type } = row.dataset;
  const input = inputs[type](row);
  const isShared = top && (secrets.includes(name) || ids.includes(name));
  Object.assign(input, { id, name, autocomplete: "off", spellcheck: false });
  input.setAttribute("autocapitalize", "off");
  input.dataset.type = type;
  if (isShared) {
    input.dataset.shared = name;
    input.addEventListener("input", () => share(name, input.value, input));
  }
  input.value = isShared ? shared.get(name) ?? "" : type === "secret" ? "" : initialOf(row);
  const label = make("label", { for: id }, make("code", {}, name), "required" in row.dataset ? " (required)" : "");
  return make("div", { class: input.localName === "textarea" ? "wide" : "" }, label, type === "secret" ? withShow(input) : input);
}

// The inputs of a list of fields, how to read them, and how to write into them.
function fieldsOf(list, id, top) {
  const grid = make("div", { class: "grid" });
  const parts = [];
  for (const row of all(":scope > [data-name]", list)) {
    const { name, type } = row.dataset;
    const place = `${id}-${name}`;
    if (type === "object") {
      const inside = fieldsOf(row.querySelector("dl"), place, false);
      grid.append(make("fieldset", { class: "wide" }, make("legend", {}, make("code", {}, name)), inside.grid));
      const read = () => {
        const value = inside.read();
        return "required" in row.dataset || Object.keys(value).length > 0 ? value : undefined;
      };
      parts.push({ name, read, write: inside.write });
    } else {
      const made = field(row, place, top);
      const input = made.querySelector("input, select, textarea");
      const write = (value) => {
        input.value = typeof value === "object" ? "" : String(value);
        input.dispatchEvent(new Event("input"));
      };
      grid.append(made);
      parts.push({ name, read: () => valueOf(input), write });
    }
  }
  const read = () => Object.fromEntries(parts.map((part) => [part.name, part.read()]).filter(([, value]) => value !== undefined));
  const write = (values) => {
    for (const part of parts) if (values?.[part.name] !== undefined) part.write(values[part.name]);
  };
  return { grid, read, write };
}

// Sending

// What came back: an object with answer, text and ms, or with failure.
async function send(url, body, headers) {
  const began = performance.now();
  try {
    const answer = await fetch(url, { method: "POST", body, headers, cache: "no-store", signal: AbortSignal.timeout?.(60000) });
    return { answer, text: await answer.text(), ms: Math.round(performance.now() - began) };
  } catch (failure) {
    return { failure };
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// Keeps what an answer says that other calls need, where nothing was typed yet.
function learn(data) {
  const found = { ...data, member_id: data.members?.[0]?.member_id, contact_id: data.contact_id ?? data.contact?.contact_id };
  const taken = ["api_key", ...ids].filter((name) => typeof found[name] === "string" && !shared.get(name));
  for (const name of taken) share(name, found[name]);
  return taken;
}

const advice = {
  IP_NOT_WHITELISTED: (answer) => {
    const address = answer.headers.get("X-Client-Address");
    return address
      ? `The service sees you at ${address}. Ask the operator to allow this address for your developer key: crmnotesctl allow add DEVKEY ${address}`
      : "The service does not know your address. Ask the operator, with the X-Request-Id.";
  },
};

function adviceFor(call, answer, code) {
  if (advice[code]) return advice[code](answer);
  const row = document.getElementById(`${call.id}-${code}`);
  return row ? row.querySelector("p").textContent : "";
}

function facts(answer, ms, key) {
  const list = make("dl");
  const rows = [["HTTP status", answer.status], ["Time", `${ms} ms`], ["Idempotency-Key", key]];
  for (const name of ["X-Error-Code", "X-Request-Id", "X-Client-Address", "Retry-After", "Idempotency-Replayed"])
    rows.push([name, answer.headers.get(name)]);
  for (const [name, value] of rows) if (value) list.append(make("dt", {}, name), make("dd", {}, make("code", {}, String(value))));
  return list;
}

function failed(title, hint) {
  return [make("h3", { class: "bad", tabindex: "-1" }, title), make("p", {}, hint)];
}

// The result as elements; the first one is its title.
function describe(call, { answer, text, ms, failure }, key) {
  if (failure) {
    const hint = key ? "Whether the request was carried out is not known: repeat it, with the same key." : "Repeat it.";
    return failed("No answer came", `${failure.name === "TimeoutError" ? "60 seconds are over." : "The network failed, or the server is away."} ${hint}`);
  }
  const body = parsed(text);
  const code = answer.headers.get("X-Error-Code");
  const shown = make("pre", { tabindex: "0", role: "region", "aria-label": "Body of the answer" }, make("code", {}, body === null ? text : JSON.stringify(body, null, 2)));
  if (body === null) return [...failed(`${answer.status}: no JSON`, "This is not from the service, but from the web server before it."), facts(answer, ms, key), shown];
  if (body.status !== "success") return [...failed(`${answer.status} ${code}`, adviceFor(call, answer, code)), facts(answer, ms, key), shown];
  const taken = learn(body.data);
  const note = taken.length > 0 ? [make("p", {}, `Filled into the other calls: ${taken.join(", ")}.`)] : [];
  return [make("h3", { class: "good", tabindex: "-1" }, `${answer.status} success`), ...note, facts(answer, ms, key), shown];
}

function tryIt(call) {
  const url = new URL(call.querySelector(".path code").textContent.slice(prefix.length), api);
  const writes = "writes" in call.dataset;
  const { grid, read, write } = fieldsOf(call.querySelector(".fields"), `${call.id}-try`, true);
  const live = make("span", { role: "status", class: "hidden" });
  const sending = make("button", { class: "send" }, "Send");
  const result = make("div", { class: "result", hidden: true });
  const strict = make("input", { type: "checkbox" });
  let last;

  async function go(body, key) {
    const headers = { "Content-Type": "application/json" };
    if (key) headers["Idempotency-Key"] = key;
    if (strict.checked) headers.Prefer = "status=strict";
    last = [body, key];
    live.textContent = sending.textContent = "Sending…";
    const elements = describe(call, await send(url, body, headers), key);
    const again = make("button", { type: "button", click: () => go(...last) }, key ? "Repeat with the same key" : "Repeat");
    result.replaceChildren(...elements, make("p", {}, again));
    result.hidden = false;
    sending.textContent = "Send";
    live.textContent = elements[0].textContent;
    elements[0].focus();
  }

  // A request in JSON that is pasted into any field fills all of them.
  function paste(event) {
    const pasted = parsed(event.clipboardData.getData("text"));
    if (pasted === null || typeof pasted !== "object") return;
    event.preventDefault();
    write(pasted);
  }

  const form = make("form", {
    autocomplete: "off", novalidate: true, paste,
    submit: (event) => {
      event.preventDefault();
      go(JSON.stringify(read()), writes ? randomKey() : "");
    },
  }, make("p", {}, "You can paste a whole request here as JSON."), grid, make("div", { class: "row" },
    sending,
    make("label", {}, strict, " real status codes"), live));
  return [form, result];
}

function addTryIt(call) {
  const title = call.querySelector("h2").textContent;
  const details = make("details", { class: "try" }, make("summary", {}, "Try it", make("span", { class: "hidden" }, `: ${title}`)));
  details.addEventListener("toggle", () => details.append(...tryIt(call)), { once: true });
  call.querySelector(".head").append(details);
}

// Contents: which section is being read.
function markCurrent(entries) {
  for (const { target, isIntersecting } of entries) {
    const link = document.querySelector(`nav a[href="#${target.id}"]`);
    if (isIntersecting) link?.setAttribute("aria-current", "true");
    else link?.removeAttribute("aria-current");
  }
}

document.documentElement.classList.add("scripted");
const base = api.href.slice(0, -prefix.length);
for (const place of all(".base")) place.textContent = base;
for (const tabs of all(".tabs")) tabs.addEventListener("change", chooseLanguage);
for (const example of all(".request")) example.append(make("button", { type: "button", class: "copy", click: copy }, "Copy"));
for (const call of all(".call")) addTryIt(call);
const watch = new IntersectionObserver(markCurrent, { rootMargin: "-30% 0px -70% 0px" });
for (const section of all("section")) watch.observe(section);
