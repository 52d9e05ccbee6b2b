// The live page: frames go to the server one at a time, the newest first; boxes come back.
const $ = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get("token") ?? "";
const withToken = (path) => (token ? `${path}?token=${encodeURIComponent(token)}` : path);

const LONGEST = 640; // side of a sent picture: of which the grid reads 448 or 512
const QUALITY = 0.8; // of its JPEG
const UNKNOWN = "unknown";
const UNREACHABLE = "The server does not answer. Is it still running?";
const STILL_HERE = 20_000; // ms of a pause after which the server is told: it lets go after 60 s
const KEPT = 3000; // latencies that the statistics are from
const LARGEST_PHOTO = 2048; // side of a photo that is shown; some phones draw no larger canvas than 4096
// ms after which a server is taken for gone: a dead link tells nothing. Pictures of its own may be
// as far apart as it says itself (it hangs up after 60 s without one).
const limits = { answer: 20_000, picture: 70_000 };
const FIRST_WAIT = 500; // ms until the server is tried again; twice as long each time
const LONGEST_WAIT = 8000;
const TOLD_EVERY = 3000; // ms between two sentences to who cannot see the picture

const video = $("video");
const canvas = $("picture");
const pen = canvas.getContext("2d");
const sent = document.createElement("canvas");
const sentPen = sent.getContext("2d", { alpha: false });

let settings = { colours: {}, neutral: "#ebebeb", confidence: 0.25, has_feed: false, records: false };
let source = null; // what is looked at: {kind, socket, stop()}
let shot = null; // the last picture that was answered, and its answer
let facing = "environment";
let paused = false;
let mirrored = false;
const hidden = new Set();
const latencies = [];
const instants = [];

// ---- what is drawn ----------------------------------------------------------------------------

function contrasting(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => (parseInt(colour.slice(i, i + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#0f0f0f" : "#ffffff";
}

function visible(boxes) {
  const least = Number($("confidence").value);
  return boxes.filter((box) => box.conf >= least && !hidden.has(box.label ?? UNKNOWN));
}

function textOf(box) {
  const name = box.label ? `${box.label} ${Math.round(100 * box.label_conf)}%` : UNKNOWN;
  return box.id === null ? name : `${name} #${box.id}`;
}

function placed(box, scale) {
  const [left, top, right, bottom] = box.xyxy.map((value) => value * scale);
  const colour = settings.colours[box.label] ?? settings.neutral;
  const flipped = [canvas.width - right, top, canvas.width - left, bottom];
  return { text: textOf(box), colour, corners: mirrored ? flipped : [left, top, right, bottom] };
}

function outline({ colour, corners: [left, top, right, bottom] }, unit) {
  const line = Math.max(2, 0.16 * unit);
  for (const [style, width] of [["#141414", line * 1.8], [colour, line]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width;
    pen.beginPath();
    pen.roundRect(left, top, right - left, bottom - top, 0.3 * unit);
    pen.stroke();
  }
}

function covered(a, b) {
  const wide = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const high = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return Math.max(wide, 0) * Math.max(high, 0);
}

function writeLabel({ text, colour, corners: [left, top, right, bottom] }, unit, taken) {
  pen.font = `600 ${unit}px system-ui, sans-serif`;
  const wide = pen.measureText(text).width + unit;
  const high = 1.6 * unit;
  const line = 0.08 * unit;
  // Above the box if that is free, else inside, below, at its right: the least covered place.
  const places = [[left, top - high], [left, top], [left, bottom], [right - wide, top - high], [right - wide, bottom]]
    .map(([x, y]) => [Math.max(0, Math.min(x - line, canvas.width - wide)), Math.max(0, Math.min(y, canvas.height - high))])
    .map(([x, y]) => [x, y, x + wide, y + high]);
  const cost = (place) => taken.reduce((sum, other) => sum + covered(place, other), 0);
  const place = places.reduce((best, next) => (cost(next) < cost(best) ? next : best));
  taken.push(place);
  const [x, y] = place;
  pen.fillStyle = colour;
  pen.beginPath();
  pen.roundRect(x, y, wide, high, 0.3 * unit);
  pen.fill();
  pen.fillStyle = contrasting(colour);
  pen.textBaseline = "middle";
  pen.fillText(text, x + unit / 2, y + high / 2 + unit / 20);
}

function draw() {
  if (!shot) return;
  const { picture, answer } = shot;
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
  }
  pen.save();
  if (mirrored) pen.setTransform(-1, 0, 0, 1, canvas.width, 0);
  pen.drawImage(picture, 0, 0);
  pen.restore();
  const shown = visible(answer.boxes);
  // Letters keep their size on the screen, however large the picture is.
  const letters = canvas.clientWidth < 500 ? 11 : 13;
  const unit = Math.max(10, (letters * canvas.width) / Math.max(canvas.clientWidth, 1));
  const boxes = shown.map((box) => placed(box, canvas.width / answer.size_wh[0]));
  const taken = [];
  for (const box of [...boxes].reverse()) outline(box, unit); // the surest on top
  for (const box of boxes) writeLabel(box, unit, taken);
  $("count").textContent = shown.length;
  tellGarments(shown);
}

let toldAt = -Infinity;
function tellGarments(boxes) {
  // In words, for screen readers: now and then, and only what changed.
  if (performance.now() - toldAt < TOLD_EVERY) return;
  toldAt = performance.now();
  const words = boxes.map((box) => box.label ?? UNKNOWN).sort().join(", ") || "no garment";
  if ($("garments").textContent !== words) $("garments").textContent = words;
}

function median(values, share = 0.5) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

function statistics() {
  const seconds = (instants.at(-1) - instants[0]) / 1000;
  const fps = instants.length > 1 ? (instants.length - 1) / seconds : 0;
  return { frames: instants.length, fps, median: median(latencies), p95: median(latencies, 0.95) };
}

function show(picture, answer, captured) {
  if (failed()) say(""); // the picture tells that it is over
  shot?.picture.close();
  shot = { picture, answer };
  source.wait = FIRST_WAIT;
  if (document.activeElement === $("start")) $("pause").focus(); // it is about to go
  $("stage").dataset.state = "live";
  draw();
  const now = performance.now();
  instants.push(now);
  latencies.push(now - captured);
  if (instants.length > KEPT) instants.shift(), latencies.shift();
  const lately = instants.slice(-20);
  const fps = (1000 * (lately.length - 1)) / (lately.at(-1) - lately[0]);
  $("fps").textContent = Number.isFinite(fps) ? fps.toFixed(fps < 9.95 ? 1 : 0) : "–";
  figure("latency", median(latencies.slice(-20)));
  figure("model", answer.model_ms);
  return now - captured;
}

function figure(id, milliseconds) {
  $(id).innerHTML = "<b></b> <small>ms</small>";
  $(id).firstChild.textContent = Math.round(milliseconds);
}

// ---- what is told -----------------------------------------------------------------------------

let quiet = 0;
function say(text, kind = "notice", milliseconds = 4000) {
  // It is there all the time, transparent where it is empty: else screen readers would not tell.
  const message = $("message");
  if (message.textContent !== text) message.textContent = text;
  message.dataset.kind = kind;
  clearTimeout(quiet);
  if (kind !== "error") quiet = setTimeout(() => (message.textContent = ""), milliseconds);
}

const failed = () => $("message").textContent !== "" && $("message").dataset.kind === "error";

// ---- the server -------------------------------------------------------------------------------

function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(UNREACHABLE)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function connect(path) {
  const url = new URL(withToken(path), location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  socket.binaryType = "blob";
  const opened = new Promise((resolve, reject) => {
    socket.onopen = () => resolve(socket);
    socket.onerror = () => reject(new Error(UNREACHABLE));
  });
  return within(limits.answer, opened).catch((error) => {
    socket.close();
    throw error;
  });
}

async function keepConnected(mine, path, use) {
  for (; mine === source; mine.wait = Math.min(2 * mine.wait, LONGEST_WAIT)) {
    try {
      await settingsNow();
      mine.socket = await connect(path);
      if (mine !== source) return mine.socket.close(); // something else was chosen meanwhile
      if (paused) mine.wait = FIRST_WAIT; // no picture will tell that it is over
      if (paused && failed()) say("");
      if (settings.records && !failed()) say("This server records what it is shown.");
      await use(mine.socket);
    } catch (error) {
      if (mine === source) say(error.message, "error");
    }
    mine.socket?.close();
    if (mine !== source) return;
    for (const id of ["fps", "latency", "model"]) $(id).textContent = "–";
    await new Promise((done) => setTimeout(done, mine.wait));
  }
}

function answersOf(socket) {
  // One message after another; closed sockets give an error with the server's reason.
  const waiting = [];
  let wanted = null;
  let end = null;
  const settle = () => {
    if (!wanted || !(waiting.length || end)) return;
    const { resolve, reject } = wanted;
    wanted = null;
    waiting.length ? resolve(waiting.shift()) : reject(end);
  };
  socket.onmessage = ({ data }) => (waiting.push(data), settle());
  socket.onclose = ({ reason }) => {
    end = new Error(reason ? `The server hung up: ${reason}.` : "The server is gone.");
    settle();
  };
  const next = () => new Promise((resolve, reject) => ((wanted = { resolve, reject }), settle()));
  return (milliseconds) => within(milliseconds, next());
}

const seen = (latency) => ({ shown_ms: Math.round(10 * latency) / 10 });

async function settingsNow() {
  const answer = await within(limits.answer, fetch(withToken("settings"))).catch(() => {
    throw new Error(UNREACHABLE);
  });
  if (!answer.ok) throw new Error(await answer.text());
  settings = await answer.json();
  promise();
}

function promise() {
  // What becomes of the pictures; asked before every connection, for a server may be another now.
  $("records").hidden = !settings.records;
  $("promise").textContent = settings.records
    ? "Pictures go to this server only, which records them."
    : "Pictures go to this server only, and are forgotten when they are answered.";
}

// ---- the browser's own pictures ---------------------------------------------------------------

function nextFrame(mine) {
  // The newest frame, and when it was captured on the clock of performance.now().
  if (mine.still) return new Promise((done) => setTimeout(() => done(performance.now()), 200));
  return new Promise((done) => {
    const callback = (now, { captureTime, presentationTime }) =>
      done(captureTime ?? presentationTime ?? now);
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(callback);
    else requestAnimationFrame((now) => done(now));
  });
}

async function visit(mine, socket) {
  const here = () => (paused || document.hidden) && socket.readyState === WebSocket.OPEN && socket.send("{}");
  const telling = setInterval(here, STILL_HERE);
  try {
    await sendFrames(mine, socket);
  } finally {
    clearInterval(telling);
  }
}

async function sendFrames(mine, socket) {
  const answer = answersOf(socket);
  socket.send(JSON.stringify({ confidence: Number($("confidence").value) }));
  while (mine === source && socket.readyState === WebSocket.OPEN) {
    const captured = await nextFrame(mine);
    if (mine !== source) return;
    if (paused) {
      await new Promise((done) => setTimeout(done, 50));
      continue;
    }
    const picture = await createImageBitmap(mine.still ?? video);
    try {
      socket.send(await jpegOf(picture));
      const told = JSON.parse(await answer(limits.answer));
      if (told.error) say(told.error, "error");
      else if (mine === source && !paused) socket.send(JSON.stringify(seen(show(picture, told, captured))));
    } finally {
      if (shot?.picture !== picture) picture.close();
    }
  }
}

function fitting(picture, longest) {
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
  return [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
}

function jpegOf(picture) {
  [sent.width, sent.height] = fitting(picture, LONGEST);
  sentPen.drawImage(picture, 0, 0, sent.width, sent.height);
  return new Promise((done) => sent.toBlob(done, "image/jpeg", QUALITY));
}

function become(kind, begin) {
  source?.stop();
  const mine = { kind, socket: null, still: null, wait: FIRST_WAIT, stop: () => {} };
  source = mine;
  latencies.length = instants.length = 0;
  $("garments").textContent = "";
  toldAt = -Infinity;
  setPaused(false);
  say("");
  for (const [id, name] of [["camera", "camera"], ["choose", "file"], ["feed", "feed"]])
    $(id).setAttribute("aria-current", kind === name);
  $("turn").hidden = kind !== "camera";
  begin(mine).catch((error) => mine === source && say(error.message, "error"));
}

async function lookThroughCamera(mine) {
  if (!navigator.mediaDevices)
    throw new Error("Browsers give their camera to https pages and localhost only. Choose a file.");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: facing, width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (error) {
    const why = { NotAllowedError: "The camera was not allowed.", NotFoundError: "There is no camera." };
    throw new Error(`${why[error.name] ?? error.message} Choose a file instead.`);
  }
  mine.stop = () => {
    stream.getTracks().forEach((track) => track.stop());
    mine.socket?.close();
    if (video.srcObject === stream) video.srcObject = null; // a file may be there by now
  };
  if (mine !== source) return mine.stop();
  stream.getVideoTracks()[0].onended = () => mine === source && say("The camera is gone.", "error");
  video.srcObject = stream;
  await video.play();
  await keepConnected(mine, "frames", (socket) => visit(mine, socket));
}

async function lookAtFile(mine, file) {
  const url = URL.createObjectURL(file);
  mine.stop = () => {
    mine.socket?.close();
    video.pause();
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
    mine.still?.close();
  };
  if (file.type.startsWith("image/")) {
    mine.still = await photoOf(file);
    if (mine !== source) return mine.still.close();
  } else {
    video.src = url;
    video.loop = true;
    await video.play().catch(() => {
      throw new Error(`${file.name} is no video that this browser plays.`);
    });
  }
  await keepConnected(mine, "frames", (socket) => visit(mine, socket));
}

async function photoOf(file) {
  // A phone's photo takes 100 MB, and is copied at every look.
  const whole = await createImageBitmap(file);
  const [resizeWidth, resizeHeight] = fitting(whole, LARGEST_PHOTO);
  if (resizeWidth === whole.width) return whole;
  const small = await createImageBitmap(whole, { resizeWidth, resizeHeight, resizeQuality: "high" });
  whole.close();
  return small;
}

async function watchServer(mine) {
  mine.stop = () => mine.socket?.close();
  await keepConnected(mine, "watch", async (socket) => {
    const answer = answersOf(socket);
    let latency = null;
    while (mine === source && socket.readyState === WebSocket.OPEN) {
      if (paused) {
        await new Promise((done) => setTimeout(done, 50));
        continue;
      }
      const asked = performance.now();
      const confidence = Number($("confidence").value);
      socket.send(JSON.stringify(latency === null ? { confidence } : { confidence, ...seen(latency) }));
      const told = JSON.parse(await answer(limits.picture));
      if (told.error) throw new Error(told.error);
      const received = performance.now();
      const picture = await createImageBitmap(await answer(limits.answer));
      // How old the frame was when it left, and what the drawing took; the way is not known.
      if (mine === source) latency = show(picture, told, Math.max(asked, received) - told.age_ms);
      else picture.close();
    }
  });
}

// ---- what can be set --------------------------------------------------------------------------

function setPaused(value) {
  paused = value;
  $("pause").textContent = paused ? "Go on" : "Pause";
  if (source?.kind !== "file" || source.still) return;
  if (paused) video.pause();
  else video.play().catch(() => {});
}

function setMirrored(value) {
  mirrored = value;
  $("mirror").setAttribute("aria-pressed", mirrored);
  draw();
}

function snapshot() {
  if (!shot) return say("There is no picture yet.");
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `fmnist-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    say(`Saved ${link.download}`);
  }, "image/png");
}

function addClass(name, colour) {
  const button = document.createElement("button");
  const patch = document.createElement("i");
  patch.style.background = colour;
  button.type = "button";
  button.append(patch, name);
  button.dataset.class = name;
  button.setAttribute("aria-pressed", "true");
  button.onclick = () => {
    if (!hidden.delete(name)) hidden.add(name);
    button.setAttribute("aria-pressed", !hidden.has(name));
    draw();
  };
  $("classes").append(button);
}

async function begin() {
  await settingsNow();
  Object.entries(settings.colours).forEach(([name, colour]) => addClass(name, colour));
  addClass(UNKNOWN, settings.neutral);
  $("confidence").value = settings.confidence;
  $("least").textContent = settings.confidence.toFixed(2);
  $("source").href = settings.source_url || withToken("source");
  $("feed").hidden = !settings.has_feed;
  if (settings.has_feed && !source) become("feed", watchServer); // who clicked already has chosen
}

$("camera").onclick = $("start").onclick = () => become("camera", lookThroughCamera);
$("feed").onclick = () => become("feed", watchServer);
$("choose").onclick = () => $("file").click();
$("file").onchange = () => {
  const [file] = $("file").files;
  if (file) become("file", (mine) => lookAtFile(mine, file));
  $("file").value = "";
};
$("turn").onclick = () => {
  facing = facing === "user" ? "environment" : "user";
  become("camera", lookThroughCamera);
};
$("pause").onclick = () => setPaused(!paused);
$("mirror").onclick = () => setMirrored(!mirrored);
$("snapshot").onclick = snapshot;
$("confidence").oninput = () => {
  const least = Number($("confidence").value);
  $("least").textContent = least.toFixed(2);
  if (source?.socket?.readyState === WebSocket.OPEN && source.kind !== "feed")
    source.socket.send(JSON.stringify({ confidence: least }));
  draw();
};
document.onkeydown = (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's own
  if (target.matches("button, input") && (key === " " || key === "Enter")) return;
  const act = { " ": () => setPaused(!paused), s: snapshot, m: () => setMirrored(!mirrored) }[key];
  if (!act) return;
  event.preventDefault(); // a space would scroll, too
  act();
};

// For tests, and for whoever wants to know: what is on the canvas, and how fast.
window.fmnist = {
  boxes: () => (shot ? visible(shot.answer.boxes) : []),
  size: () => shot?.answer.size_wh,
  statistics,
  limits,
};
begin().catch((error) => say(error.message, "error"));
