// Sends the chosen file straight to the storage, shows how far it is, then submits the job. A large file goes in
// parts, so that it can go on after a break.
// Without this script the same file goes by the plain form, and a second page asks for the rest.

import { forget, Refused, sendInParts, unfinished } from "./resumable.js";

class OverLimit extends Error {}  // a higher tier would allow it

const upload = document.getElementById("upload");
const annotate = document.getElementById("annotate");
if (upload && annotate) start();

function start() {
  const input = upload.elements.file;
  const drop = upload.querySelector(".drop");
  const button = annotate.querySelector("button:not([type=button])");
  const stop = document.getElementById("stop");
  const problem = document.getElementById("problem");
  let sending = null;

  annotate.hidden = false;
  upload.querySelector(".without-script").hidden = true;
  upload.querySelector(".with-script").hidden = false;

  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    drop.addEventListener(name, () => drop.classList.remove("over"));
  }
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change"));
    }
  });
  input.addEventListener("change", () => say(wrongWith(input.files[0]), isTooLarge(input.files[0])));
  stop.addEventListener("click", () => sending?.abort());
  // An upload that was begun is not lost by a wrong click.
  window.addEventListener("beforeunload", (event) => sending && event.preventDefault());

  annotate.addEventListener("submit", async (event) => {
    event.preventDefault();
    const file = input.files[0];
    const wrong = file ? wrongWith(file) : "Choose a file first.";
    say(wrong, isTooLarge(file));
    if (wrong) {
      input.focus();
      return;
    }
    busy(true);
    try {
      const form = await begin(file.name);
      if (file.size > Number(upload.dataset.partBytes)) {
        await sendAndSubmit(file);
        return;
      }
      await send(form, file);
      annotate.elements.key.value = form.fields.key;
      sending = null;
      annotate.submit();
    } catch (error) {
      sending = null;
      busy(false);
      say(error.message, error instanceof OverLimit || (error instanceof Refused && error.isOverLimit));
    }
  });

  const left = unfinished();
  if (left.length) {
    const note = upload.querySelector(".unfinished");
    note.hidden = false;
    note.textContent = `The upload of ${left.map((one) => one.name).join(", ")} is not finished. ` +
      "Choose the same file to go on where it stopped.";
  }

  async function sendAndSubmit(file) {
    const stopper = new AbortController();
    sending = stopper;
    const csrf = annotate.elements.csrfmiddlewaretoken.value;
    const id = await sendInParts(file, {
      api: upload.dataset.uploads,
      csrf,
      signal: stopper.signal,
      report: (part, why) => (why ? say(why) : (say(""), show(part))),
    });
    const response = await fetch(upload.dataset.jobs, {
      method: "POST",
      headers: { "X-CSRFToken": csrf, "Content-Type": "application/json" },
      body: JSON.stringify({
        upload_id: id,
        reference: annotate.elements.reference.value,
        haplotype_aware: annotate.elements.haplotype_aware.checked,
      }),
    });
    const job = await response.json();
    if (!response.ok) throw new Refused(job, response.status);
    forget(file);
    sending = null;
    location.assign(new URL(job.page).pathname);
  }

  // Back from the job's page the browser may show this one as it was left: with everything disabled.
  window.addEventListener("pageshow", () => busy(false));

  function wrongWith(file) {
    if (!file) return "";
    if (file.size === 0) return `${file.name} is empty.`;
    if (isTooLarge(file)) {
      return `${file.name} has ${megabytes(file.size)}; up to ${megabytes(upload.dataset.maxBytes)} are allowed. ` +
        "Compress it with bgzip, or split it by chromosome.";
    }
    return "";
  }

  function isTooLarge(file) {
    return Boolean(file) && file.size > Number(upload.dataset.maxBytes);
  }

  function say(text, isOverLimit) {
    problem.querySelector("span").textContent = text;
    problem.querySelector("a").hidden = !(isOverLimit && upload.dataset.upgrade);
    problem.hidden = !text;
  }

  function busy(is) {
    button.disabled = is;
    input.disabled = is;
    stop.hidden = !is;
    annotate.querySelector(".progress").hidden = !is;
    show(0);
  }

  function show(part) {
    annotate.querySelector("progress").value = part;
    annotate.querySelector(".figure").textContent = `${Math.floor(100 * part)} %`;
  }

  async function begin(fileName) {
    const body = new FormData();
    body.append("file_name", fileName);
    if (annotate.elements.haplotype_aware.checked) body.append("haplotype_aware", "on");
    body.append("csrfmiddlewaretoken", annotate.elements.csrfmiddlewaretoken.value);
    let response;
    try {
      response = await fetch(upload.dataset.begin, { method: "POST", body });
    } catch {
      throw new Error("The service can't be reached. Please try again.");
    }
    if (response.redirected) throw new Error("You have been logged out. Please log in in another tab, then try again.");
    if (response.status === 409) throw new OverLimit((await response.json()).message);
    if (!response.ok) throw new Error("The upload could not begin. Please load this page again.");
    return response.json();
  }

  function send(form, file) {
    const body = new FormData();
    for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
    body.append("file", file);
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();  // fetch() tells nothing of what has been sent
      sending = request;
      request.upload.addEventListener("progress", (event) => show(event.loaded / event.total));
      request.addEventListener("load", () =>
        request.status < 300 ? resolve() : reject(new Error(messageOf(request))));
      request.addEventListener("error", () => reject(new Error("The upload broke off. Please try again.")));
      request.addEventListener("abort", () => reject(new Error("The upload was stopped.")));
      request.open("POST", form.url);
      request.send(body);
    });
  }

  function messageOf(request) {
    const answer = new DOMParser().parseFromString(request.responseText, "application/xml");
    return answer.querySelector("Message")?.textContent || "The storage refused the file. Please try again.";
  }

  function megabytes(bytes) {
    return `${(bytes / 1024 / 1024).toLocaleString(undefined, { maximumFractionDigits: 1 })} MB`;
  }
}
