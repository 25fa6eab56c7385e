// Sends a large file in parts, and goes on where it stopped: after a lost connection by itself, after a reload
// when the same file is chosen again. Which upload a file has, this browser remembers; which parts of it have
// arrived, the service knows.

const PARTS_AT_ONCE = 10;
const WAITS_SECONDS = [1, 2, 5, 10, 20, 30, 30, 30];
const PREFIX = "gas-upload:";

export class Refused extends Error {
  constructor(problem, status) {
    super(problem.detail || `The service answered ${status}.`);
    this.status = status;
    this.isOverLimit = Boolean(problem.upgrade_url) && [403, 413, 429].includes(status);
  }
}

// What was begun here and not finished: [{ name, id }].
export function unfinished() {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(PREFIX))
    .map((key) => ({ name: key.slice(PREFIX.length).split("/")[2], id: localStorage.getItem(key) }));
}

export function forget(file) {
  localStorage.removeItem(keyOf(file));
}

// The id of an upload that is whole. `api` is the address of uploads; `report` is told the part that is done, and
// why it waits; `signal` stops it.
export async function sendInParts(file, { api, csrf, report, signal }) {
  const ask = (method, path, body) => request(method, api + path, csrf, body, signal);
  let upload = await known(file, ask);
  if (!upload) {
    upload = await ask("POST", "", { file_name: file.name, size_bytes: file.size });
    localStorage.setItem(keyOf(file), upload.id);
  }
  if (upload.state === "READY") return upload.id;
  const there = new Set(upload.parts.map((part) => part.number));
  const missing = Array.from({ length: upload.part_count }, (_, at) => at + 1).filter((number) => !there.has(number));
  let done = upload.parts.reduce((sum, part) => sum + part.size_bytes, 0);
  while (missing.length) {
    await persistently(report, signal, async () => {
      const urls = await ask("POST", `/${upload.id}/parts`, { numbers: missing.slice(0, PARTS_AT_ONCE) });
      for (const part of urls.items) {
        const bytes = file.slice(part.start, part.start + part.size_bytes);
        await put(part.url, bytes, signal, (sent) => report((done + sent) / file.size));
        done += part.size_bytes;
        missing.shift();
      }
    });
  }
  await persistently(report, signal, () => ask("POST", `/${upload.id}/complete`, {}));
  return upload.id;
}

async function known(file, ask) {
  const id = localStorage.getItem(keyOf(file));
  if (!id) return null;
  try {
    const upload = await ask("GET", `/${id}`);
    if (upload.size_bytes === file.size && ["RECEIVING", "READY"].includes(upload.state)) return upload;
  } catch (error) {
    if (error.status !== 404) throw error;
  }
  forget(file);
  return null;
}

// Refusals stand; whatever else goes wrong is the way to the service, and passes.
async function persistently(report, signal, act) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      if (signal.aborted || (error instanceof Refused && error.status < 500)) throw error;
      if (tries === WAITS_SECONDS.length) throw new Error("The connection broke off. Press the button to go on.");
      report(null, `The connection broke off; trying again in ${WAITS_SECONDS[tries]} s`);
      await new Promise((resolve) => setTimeout(resolve, WAITS_SECONDS[tries] * 1000));
    }
  }
}

async function request(method, url, csrf, body, signal) {
  const headers = { "X-CSRFToken": csrf, ...(body ? { "Content-Type": "application/json" } : {}) };
  const response = await fetch(url, { method, headers, signal, body: body && JSON.stringify(body) });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(answer, response.status);
  return answer;
}

function put(url, bytes, signal, progress) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();  // fetch() tells nothing of what has been sent
    const stop = () => sending.abort();
    signal.addEventListener("abort", stop);
    sending.upload.addEventListener("progress", (event) => progress(event.loaded));
    sending.addEventListener("load", () =>
      sending.status < 300 ? resolve() : reject(new Error(`The storage answered ${sending.status}.`)));
    for (const name of ["error", "timeout"]) sending.addEventListener(name, () => reject(new Error(name)));
    sending.addEventListener("abort", () => reject(new Error("The upload was stopped. Press the button to go on.")));
    sending.addEventListener("loadend", () => signal.removeEventListener("abort", stop));
    sending.open("PUT", url);
    sending.send(bytes);
  });
}

function keyOf(file) {
  return `${PREFIX}${file.size}/${file.lastModified}/${file.name}`;
}
